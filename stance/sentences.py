"""From text to sentences with character offsets."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sentencex

Span = tuple[int, int]
"""Half-open characters of a sentence."""

_LINE_BREAK = re.compile(r"\r\n?|\n|\u2028|\u2029|\x0b|\x0c|\x85")
_BREAKS_IN_A_ROW = re.compile(r"(?:(?:\r\n?|\n|\u2028|\u2029|\x0b|\x0c|\x85)[^\S\r\n]*)+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Share of line breaks inside a sentence above which a text counts as hard-wrapped (as e-mail and PDF text is).
_WRAPPED_SHARE = 0.2


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
    single = [b for b in breaks if len(_LINE_BREAK.findall(b.group())) == 1]
    inside = sum(b.end() < len(text) and text[b.end()].islower() for b in single)
    wrapped = inside > _WRAPPED_SHARE * len(single)
    ends = [b for b in breaks if not (wrapped and len(_LINE_BREAK.findall(b.group())) == 1)]
    starts = [0, *(b.end() for b in ends)]
    return list(zip(starts, [*(b.start() for b in ends), len(text)], strict=True))


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
