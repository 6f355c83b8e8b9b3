"""From text to sentences with character offsets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sentencex

Span = tuple[int, int]
"""Half-open characters of a sentence."""

_LINE_BREAK = re.compile(r"\r\n?|\n|\u2028|\u2029|\x0b|\x0c|\x85")
_BREAKS_IN_A_ROW = re.compile(r"(?:(?:\r\n?|\n|\u2028|\u2029|\x0b|\x0c|\x85)[^\S\r\n]*)+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Share of line breaks inside a sentence above which a text counts as hard-wrapped (as e-mail and PDF text is).
_WRAPPED_SHARE = 0.2
# Of such a text, nearly every line is so full that the next word found no room in it.
_FULL_SHARE = 0.9
_MIN_FULL_LINES = 2
# What no headline ends with: here a sentence goes on, whatever comes next.
_GOES_ON = re.compile(r"(?:,|\b(?:a|an|and|at|by|for|from|in|of|on|or|that|the|to|was|were|will|with))$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a document: ``document_text[start:end] == text``."""

    text: str
    start: int
    end: int

    @classmethod
    def of(cls, text: str) -> Sentence:
        """Make a sentence that is its own document.

        >>> Sentence.of("Iran thanked China.")
        Sentence(text='Iran thanked China.', start=0, end=19)
        """
        return cls(text, 0, len(text))


def split_sentences(text: str) -> list[Sentence]:
    r"""Split text into sentences; white space around them belongs to none.

    Boundaries come from sentencex (Wikimedia, MIT). Three rules on top: an empty line always ends a
    sentence; a single line break ends one (headlines and one-paragraph-per-line text) unless the text is
    hard-wrapped; and nothing that goes on in lower case after a full stop is a new sentence, as read-outs
    with stray stops have it.

    >>> [s.text for s in split_sentences("Talks open\nXi met Mr. Rouhani. They agreed to move on. forward.\r\n\r\nEnd")]
    ['Talks open', 'Xi met Mr. Rouhani.', 'They agreed to move on. forward.', 'End']
    """
    sentences: list[Sentence] = []
    for start, end in _blocks(text):
        for first, last in _boundaries(text, start, end):
            words = text[first:last].strip()
            if words:
                here = text.index(words, first)
                sentences.append(Sentence(words, here, here + len(words)))
    return sentences


def encodable(text: str) -> str:
    """Put U+FFFD in place of lone surrogates, as broken JSON escapes leave them: no UTF-8 reader takes these.

    Offsets stay.
    """
    return _SURROGATE.sub("\ufffd", text)


def _blocks(text: str) -> list[tuple[int, int]]:
    """Cut at line breaks that end a sentence: all of them, or only empty lines when hard-wrapped."""
    breaks = list(_BREAKS_IN_A_ROW.finditer(text))
    single = [len(_LINE_BREAK.findall(b.group())) == 1 for b in breaks]
    wrapped = _is_wrapped(text, breaks, single)
    ends = [b for b, is_single in zip(breaks, single, strict=True) if not (wrapped and is_single)]
    starts = [0, *(b.end() for b in ends)]
    return list(zip(starts, [*(b.start() for b in ends), len(text)], strict=True))


def _is_wrapped(text: str, breaks: Sequence[re.Match[str]], single: Sequence[bool]) -> bool:
    """Say whether line breaks stand inside sentences: many go on in lower case, or the lines are full and one goes on.

    Names begin many a line with a capital; then the widths tell: no line had room for the first word of the next.
    """
    edges = [0, *(edge for b in breaks for edge in b.span()), len(text)]
    lines = [text[start:end].rstrip() for start, end in zip(edges[::2], edges[1::2], strict=True)]
    follow = [(one, other) for one, other, is_single in zip(lines, lines[1:], single, strict=False) if is_single]
    lower = sum(other[:1].islower() for _, other in follow)
    if lower > _WRAPPED_SHARE * len(follow):
        return True
    width = max(map(len, lines))
    full = sum(len(one) + 1 + len(other.split(maxsplit=1)[0]) > width for one, other in follow if other)
    goes_on = lower or any(_GOES_ON.search(one) for one, _ in follow)
    return bool(goes_on) and full >= max(_MIN_FULL_LINES, _FULL_SHARE * len(follow))


def _boundaries(text: str, start: int, end: int) -> list[tuple[int, int]]:
    block = encodable(text[start:end])
    if not block.strip():
        return []
    spans: list[tuple[int, int]] = []
    position = 0
    for piece in sentencex.segment("en", block):
        here = block.index(piece, position)
        position = here + len(piece)
        continues = piece.lstrip()[:1].islower()
        if spans and continues:
            spans[-1] = (spans[-1][0], start + position)
        else:
            spans.append((start + here, start + position))
    return spans
