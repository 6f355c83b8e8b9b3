"""From a publisher's marks to mentions: spans that cover whole words, in text that reads as text."""

from __future__ import annotations

import re

from stance.errors import StanceError
from stance.targets import Mention, Target

_POSSESSIVE = re.compile(r"['’`]s?$")
# The end of the word before a span: "’s White House"; a bare s only where that word goes over into the span.
_END_OF_WORD_BEFORE = re.compile(r"['’]s\s+|(?<=\w)s\s+")
_CONTRACTION = re.compile(r"(?<=\w)['’](?:s|t|d|m|ve|re|ll)\b")
_ABBREVIATION = re.compile(r"(?:^|[\s.])\w\.$")
_ARTICLE = re.compile(r"(?:the|an?)\s+", re.IGNORECASE)
# Two sentences run together, as in `the UN.Outside`, `the bank."Mr Low`: a name does not go on behind it.
_GLUED = re.compile(r"(?<=\S)[.?!]?[\"”][.?!]?(?=\w)|(?<=\w\w)\.(?=[A-Z][a-z])")
# Word characters that go on behind a cut name. A capital with lower case after it opens the next, glued-on sentence.
_REST_OF_WORD = re.compile(r"[^\W_A-Z]+|[A-Z0-9]+(?![a-z])")
_WORD_BEFORE = re.compile(r"\w+$")
# What stands behind a spaced dash but hardly ever behind the hyphen of a compound.
_AFTER_DASH = (
    r"(?:the|an?|and|or|but|at|our|its?|all|so|from|in|has|have|are|is|was|which|who|that|whether|not|where|with|we|"
    r"there|their|they|as|if|for|on|certainly|surely)\b"
)
_DASH_OR_HYPHEN = re.compile(rf"(?<=\w) - (?=\w)(?!(?<!vis - ){_AFTER_DASH})")
_SPACE_BEFORE = re.compile(r" (?=[,.;:?!)%](?:\s|$|[,.;:?!)\"'])|'s\b)|(?<=s) (?='(?:\s|$))")
_SPACE_AFTER = re.compile(r"(?<=[($]) ")


def mention(text: str, start: int, end: int) -> Mention:
    """Name a span by its words, after taking white space off its ends.

    Raises:
        StanceError: the span does not lie in the text or holds no letter or digit.
    """
    if not 0 <= start < end <= len(text):
        raise StanceError(
            f"expected a span inside the text of {len(text)} characters; got {[start, end]!r}; correct the offsets"
        )
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    words = text[start:end]
    if not any(c.isalnum() for c in words):
        raise StanceError(f"expected a span that covers a word; got {words!r} at {start}; correct the offsets")
    return Mention(start, end, Target(words))


def find_name(text: str, name: str) -> Mention | None:
    """Find a name as whole words, without article and possessive; the first place counts."""
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) if name.strip() else None
    return mention(text, *bare_name(text, *found.span())) if found else None


def bare_name(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out an article in front and a possessive at the end.

    >>> bare_name("the United States’", 0, 18)
    (4, 17)
    """
    article = _ARTICLE.match(text, start, end)
    start = article.end() if article and article.end() < end else start
    possessive = _POSSESSIVE.search(text, start, end)
    return start, possessive.start() if possessive and possessive.start() > start else end


def mend_span(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Move the ends of a roughly marked name to whole words, without punctuation and possessive.

    None when the span marks no word at all: a comma, a quotation mark, the ``’s`` of a word outside it.

    >>> text = "The Congress’s vote"
    >>> start, end = mend_span(text, 4, 10)
    >>> text[start:end]
    'Congress'
    """
    start, end = _longest_part(text, start, end)
    end_before = _END_OF_WORD_BEFORE.match(text, start, end)
    start = end_before.end() if end_before else start
    if _CONTRACTION.match(text, start):
        return None
    start, end = _trim(text, start, end)
    if start == end:
        return None
    before = _WORD_BEFORE.search(text, 0, start)
    # A capital behind lower case opens the next, glued-on word.
    if before and (text[start].islower() or text[start - 1].isupper()):
        start = before.start()
    rest = _REST_OF_WORD.match(text, end)
    end = rest.end() if rest and text[end - 1].isalnum() else end
    possessive = _POSSESSIVE.search(text, start, end)
    end = possessive.start() if possessive else end
    return (start, end) if any(c.isalnum() for c in text[start:end]) else None


def _longest_part(text: str, start: int, end: int) -> tuple[int, int]:
    parts, position = [], start
    for glue in _GLUED.finditer(text, start, end):
        parts.append((position, glue.start()))
        position = glue.end()
    return max([*parts, (position, end)], key=lambda part: part[1] - part[0])


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Take off punctuation; the last stop of ``U.S.`` and a bracket with its partner inside stay."""
    while start < end and not text[start].isalnum() and text[start] not in "@#$€£":
        start += 1
    while end > start and not text[end - 1].isalnum():
        words = text[start:end]
        if _ABBREVIATION.search(words) or (words.endswith(")") and words.count("(") == words.count(")")):
            break
        end -= 1
    return start, end


def detokenise(text: str) -> str:
    """Join what a tokeniser took apart, so that the text reads as it was written.

    A hyphen and a dash are told apart by what follows: ``build - up`` is one word, ``now - under`` is two.

    >>> detokenise('He said , " We agree " ( see S / PV.1 ) .  ')
    'He said, "We agree" (see S/PV.1).'
    >>> detokenise("Mali 's build - up  - and the others ' .")
    "Mali's build-up - and the others'."
    """
    text = re.sub(r"(?<=\S) - {2,}| {2,}- ", " -- ", text)
    text = re.sub(r"\s+", " ", text).strip()
    text = _DASH_OR_HYPHEN.sub("-", text).replace(" -- ", " - ")
    text = re.sub(r"\bS ?/ ?(?=PV|\d)", "S/", text).replace("can not", "cannot")
    pieces = text.split('"')
    if len(pieces) == 2 and not pieces[1]:  # the quotation began in a sentence before
        pieces[0] = pieces[0].rstrip()
    pieces[1::2] = [piece.strip() for piece in pieces[1::2]]
    text = '"'.join(pieces)
    return _SPACE_AFTER.sub("", _SPACE_BEFORE.sub("", text))
