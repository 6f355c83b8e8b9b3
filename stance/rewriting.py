"""Counterfactual: an annotated sentence edited in one respect, and the pairs whose verdicts to compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from stance.excerpts import Excerpt
from stance.labels import Label, Stance
from stance.pairs import Holder, Pair
from stance.sentences import Sentence
from stance.targets import Mention, Target


class Edit(StrEnum):
    """What is changed in a sentence."""

    NAMES = "names"
    ROLES = "roles"
    NEGATION = "negation"


@dataclass(frozen=True, slots=True)
class Check:
    """A pair of the sentence and its counterpart in the edited one; ``label`` is gold before the edit.

    ``stance`` is the one that a negation should take away.
    """

    before: Pair
    after: Pair
    label: Label
    stance: Stance | None = None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """One edited sentence; ``checks`` say what to compare."""

    edit: Edit
    excerpt: Excerpt
    text: str
    checks: tuple[Check, ...]


class NotSafe(Exception):  # noqa: N818  # no error of anybody: the sentence is passed over, and counted under its reason
    """Say why a sentence cannot be edited safely."""


class Replacement(NamedTuple):
    """Words to put in place of the half-open characters ``[start, end)``; an empty span inserts."""

    start: int
    end: int
    words: str


class Rewriting:
    """A text with some spans replaced, and where every other span of the old text is in the new one.

    >>> edited = Rewriting("Iran thanked China.", [Replacement(0, 4, "Ecuador"), Replacement(13, 18, "Mali")])
    >>> edited.text, edited.move(Mention(13, 18, Target("China")))
    ('Ecuador thanked Mali.', Mention(start=16, end=20, target=Target(name='Mali', aliases=(), id=None, expand=True)))
    """

    def __init__(self, text: str, replacements: Iterable[Replacement]) -> None:
        self.replacements: Sequence[Replacement] = sorted(replacements)
        pieces, position = [], 0
        for start, end, words in self.replacements:
            if start < position:
                raise NotSafe("edits that overlap")
            pieces += [text[position:start], words]
            position = end
        self.text = "".join([*pieces, text[position:]])

    def move(self, mention: Mention) -> Mention:
        """Find a span of the old text in the new one; words replaced inside it are replaced.

        Raises:
            NotSafe: an edit cuts through the span's ends.
        """
        start, end = mention.start, mention.end
        for r in self.replacements:
            growth = len(r.words) - (r.end - r.start)
            if r.end <= mention.start:
                start, end = start + growth, end + growth
            elif mention.start <= r.start and r.end <= mention.end:
                end += growth
            elif r.start < mention.end:
                raise NotSafe("a span that is only partly edited")
        return Mention(start, end, Target(self.text[start:end]))

    def move_pair(self, pair: Pair) -> Pair:
        """Find a pair of the old text in the new one."""
        holder: Holder = self.move(pair.holder) if isinstance(pair.holder, Mention) else pair.holder
        return Pair(Sentence.of(self.text), holder, self.move(pair.target))
