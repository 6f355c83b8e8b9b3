"""How names are spelt: text as comparable words, and a lexicon that finds many spellings in one pass.

Two spellings are the same when their words are equal after NFKC, case and accent folding and the unification of
apostrophes and dashes. Between two words of a name stand white space (a line break or no-break space too), one
hyphen or apostrophe, or a stop after an abbreviation; nothing else. Words end where letters and digits end, so
"Iran" is never found inside "Iranian"; scripts written without spaces count one character as one word.

Case: a word in capitals or mixed case ("US", "AfD") is found in that case only, mixed case in capitals too; a word with
a capital first ("Turkey") also in capitals, as headlines have it; a word in lower case in any case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

_APOSTROPHES = "'‘’‛ʼʻʹʽ`´′＇"
_DASHES = "\\-‐‑‒–﹣－"
# Scripts without spaces between words; Hangul has spaces, but particles cling to names.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903"
    "\u093a-\u094f\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a3c-\u0a4d\u0b82\u0bbe-\u0bcd\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200d\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\ufeff"
)
_LETTER = f"[^\\W_{_UNSPACED}{_APOSTROPHES}]"
_WORD = re.compile(
    f"{_LETTER}(?:{_LETTER}|[{_MARKS}\u00ad])*"
    f"|[\u1100-\u115f][\u1160-\u11a7]?[\u11a8-\u11ff]?|[{_UNSPACED}][{_MARKS}\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]*"
    f"|[^\\s{_APOSTROPHES}{_DASHES}{_MARKS}.]"
)
_GAP = re.compile(f"\\s+|[{_DASHES}]|[{_APOSTROPHES}]")
_GAP_AFTER_STOP = re.compile(r"\.\s*")
_LONGEST_ABBREVIATION = 2  # letters before a stop inside a name: "U.S.", "J. D. Vance", "St. Lucia", "Jr."
_DROPPED_MARKS = re.compile("[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
_INVISIBLE = re.compile("[\u00ad\u0640\u200b-\u200d\ufe00-\ufe0f\ufeff]")
_STOP_BETWEEN = re.compile(r"\.(?:\s+|[-‐‑])?")  # "Sen. Cruz", "U.S.-Mexico"
# Letters that NFKD leaves whole; quotation marks that count as one.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ə": "a"}
    | dict.fromkeys("“”„‟«»＂", '"')
)

Payload = TypeVar("Payload")


class Word(NamedTuple):
    """One word of a text, or one sign that can be part of a name: its place and its folded form."""

    start: int
    end: int
    form: str


class Found(NamedTuple, Generic[Payload]):
    """One place where a spelling of the lexicon stands, and every payload entered under that spelling."""

    start: int
    end: int
    payloads: tuple[Payload, ...]


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """Fold a word to the form in which words are compared.

    >>> fold("Erdoğan"), fold("Côte"), fold("Ｉｒａｎ")
    ('erdogan', 'cote', 'iran')
    """
    if word.isascii():
        return word.lower()
    form = unicodedata.normalize("NFKD", _INVISIBLE.sub("", word)).casefold()
    form = _DROPPED_MARKS.sub("", unicodedata.normalize("NFKD", form)).translate(_PLAIN)
    return unicodedata.normalize("NFC", form)


def split_words(text: str) -> list[Word]:
    """Split text into words with offsets.

    >>> [w.form for w in split_words("Côte d’Ivoire's U.S.-led")]
    ['cote', 'd', 'ivoire', 's', 'u', 's', 'led']
    """
    return [Word(m.start(), m.end(), fold(m.group())) for m in _WORD.finditer(text)]


class Passage:
    """One sentence with its words.

    Args:
        text: the sentence.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = split_words(text)
        self._first = {word.start: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def raw(self, i: int) -> str:
        """Give the i-th word as written; empty beyond the ends."""
        return self.text[self.words[i].start : self.words[i].end] if 0 <= i < len(self.words) else ""

    def has_capital(self, i: int) -> bool:
        """Say whether the i-th word begins with a capital letter."""
        return self.raw(i)[:1].isupper()

    def adjacent(self, i: int) -> bool:
        """Say whether words i and i + 1 can belong to one name; a title's stop is no hindrance."""
        left, right = self.words[i], self.words[i + 1]
        if joins(self.text, left, right):
            return True
        return left.end - left.start < 4 and _STOP_BETWEEN.fullmatch(self.text, left.end, right.start) is not None

    def span(self, start: int, end: int) -> range:
        """Give the words that lie between two character offsets, of which the first begins a word."""
        first = last = self._first[start]
        while last < len(self.words) and self.words[last].start < end:
            last += 1
        return range(first, last)


def folded(name: str) -> str:
    """Fold a whole name, so that equal names have equal keys.

    >>> folded("Côte d’Ivoire") == folded("COTE D'IVOIRE")
    True
    """
    return " ".join(word.form for word in split_words(name))


def one_line(name: str) -> str:
    r"""Write a name as if it stood on one line.

    >>> one_line("Blue\nProsperity\u00a0Coalition")
    'Blue Prosperity Coalition'
    """
    return " ".join(name.split())


def joins(text: str, left: Word, right: Word) -> bool:
    """Say whether two neighbouring words can belong to one name."""
    if left.end == right.start:
        return True
    if _GAP.fullmatch(text, left.end, right.start):
        return True
    short = left.end - left.start <= _LONGEST_ABBREVIATION
    return short and _GAP_AFTER_STOP.fullmatch(text, left.end, right.start) is not None


def _case_fits(pattern: str, word: str) -> bool:
    """Apply the rule of case to one word of a spelling and one word of a text."""
    if pattern == word or pattern == pattern.lower():
        return True
    if pattern[0] != pattern[0].lower() and pattern[1:] == pattern[1:].lower() and len(pattern) > 1:
        return word[0] != word[0].lower()
    return word == word.upper() and pattern != pattern.upper() and len(pattern) > 1


class _Spelling(NamedTuple, Generic[Payload]):
    pattern: tuple[str, ...]
    stop: bool
    payload: Payload


@dataclass(slots=True)
class _Node(Generic[Payload]):
    next: dict[str, _Node[Payload]] = field(default_factory=dict)
    ends: list[_Spelling[Payload]] = field(default_factory=list)


class Lexicon(Generic[Payload]):
    """Many spellings, each with a payload, found together in time linear in the text.

    The spellings stand in a tree over folded words, so that their number does not change the cost of a text. A branch
    grows when a text first holds its first word: of a thousand actors with ten names each a text names few.

    Args:
        entries: pairs of spelling and payload.
    """

    def __init__(self, entries: Iterable[tuple[str, Payload]]) -> None:
        self._root: dict[str, _Node[Payload]] = {}
        self._seeds: dict[str, list[tuple[str, Payload]]] = {}
        for spelling, payload in entries:
            first = _WORD.search(spelling)
            if first is not None:
                self._seeds.setdefault(fold(first.group()), []).append((spelling, payload))

    def _branch(self, form: str) -> _Node[Payload] | None:
        """Give the branch of a first word; two threads that grow one at a time grow equal ones."""
        branch = self._root.get(form)
        if branch is None and form in self._seeds:
            branch = _Node()
            for spelling, payload in self._seeds[form]:
                _add(branch, spelling, payload)
            self._root[form] = branch
        return branch

    def find(self, text: str, words: list[Word] | None = None) -> list[Found[Payload]]:
        """Find every spelling in text; where two overlap, more words win, then more letters, then the first.

        >>> names = Lexicon([("Korea", 0), ("South Korea", 1), ("US", 2)])
        >>> [(f.start, f.end, f.payloads) for f in names.find("SOUTH KOREA told us that US aid came")]
        [(0, 11, (1,)), (25, 27, (2,))]
        """
        words = split_words(text) if words is None else words
        candidates: list[tuple[int, Found[Payload]]] = []
        seeds = self._seeds
        for i, word in enumerate(words):
            if word.form in seeds:
                longest = self._longest(text, words, i)
                if longest is not None:
                    candidates.append(longest)
        return _without_overlaps(candidates)

    def _longest(self, text: str, words: list[Word], first: int) -> tuple[int, Found[Payload]] | None:
        best: tuple[int, Found[Payload]] | None = None
        node, i = self._branch(words[first].form), first
        while node is not None:
            if node.ends:
                best = self._at(text, words[first : i + 1], node) or best
            i += 1
            if i == len(words) or not joins(text, words[i - 1], words[i]):
                break
            node = node.next.get(words[i].form)
        return best

    def _at(self, text: str, words: list[Word], node: _Node[Payload]) -> tuple[int, Found[Payload]] | None:
        raw = [text[w.start : w.end] for w in words]
        fits = [e for e in node.ends if all(map(_case_fits, e.pattern, raw))]
        if not fits:
            return None
        end = words[-1].end
        if text[end : end + 1] == "." and any(e.stop for e in fits):
            end += 1
        payloads = tuple(dict.fromkeys(e.payload for e in fits))
        return len(words), Found(words[0].start, end, payloads)


def _add(branch: _Node[Payload], spelling: str, payload: Payload) -> None:
    """Add a spelling to the branch of its first word."""
    words, node = split_words(spelling), branch
    for word in words[1:]:
        node = node.next.setdefault(word.form, _Node())
    pattern = tuple(unicodedata.normalize("NFC", spelling[w.start : w.end]) for w in words)
    entry = _Spelling(pattern, spelling.rstrip().endswith("."), payload)
    if entry not in node.ends:
        node.ends.append(entry)


def _without_overlaps(candidates: list[tuple[int, Found[Payload]]]) -> list[Found[Payload]]:
    kept: list[Found[Payload]] = []
    for cluster in _clusters(candidates):
        chosen: list[Found[Payload]] = []
        for _, found in sorted(cluster, key=lambda c: (-c[0], c[1].start - c[1].end, c[1].start)):
            if all(found.end <= other.start or other.end <= found.start for other in chosen):
                chosen.append(found)
        kept.extend(sorted(chosen, key=lambda f: f.start))
    return kept


def _clusters(candidates: list[tuple[int, Found[Payload]]]) -> Iterator[list[tuple[int, Found[Payload]]]]:
    """Group candidates, given in order of their start, into runs that touch one another."""
    cluster: list[tuple[int, Found[Payload]]] = []
    reach = -1
    for candidate in candidates:
        if cluster and candidate[1].start >= reach:
            yield cluster
            cluster = []
        cluster.append(candidate)
        reach = max(reach, candidate[1].end)
    if cluster:
        yield cluster
