"""Whom a holder's words mean: names, pronouns and noun phrases resolved to actors, document by document.

Rules only, in one pass over the sentences; each answer says how it was made (``How``) and what no rule settles stays
under its own words. Where they come from:

* The subject of the sentence before is the likeliest antecedent: centering (Grosz, Joshi and Weinstein 1995).
* A pronoun is nobody whom its own sentence names after it: binding, principle C (Reinhart 1976).
* Precision-ordered rules, the safest first, each abstaining in doubt: the multi-pass sieve (Lee et al. 2013).

Pronouns in quotation marks, "it" before a mere "is" and anything with two equally good antecedents are left alone.
What can be meant is looked up in ``antecedents.py``, which forgets all but the last sentences: the cost is linear in
the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stance.actors import ActorTable, Kind
from stance.antecedents import STATES, Memory
from stance.discourse import Appearance, Cast, as_titles, before_person, titles_after
from stance.sentences import Sentence
from stance.spelling import folded
from stance.targets import Mention, Target

_NUMBERS = {"two": 2, "both": 2, "three": 3, "four": 4}
_PHRASE = re.compile(r"(?:(?P<determiner>the|both) )?(?:(?P<number>two|three|four) )?(?P<noun>.+)")
_BARE_NUMBERS = {"both": 2, "the two": 2}
_PLURALS = {
    "leaders": Kind.PERSON, "presidents": Kind.PERSON, "ministers": Kind.PERSON, "prime ministers": Kind.PERSON,
    "foreign ministers": Kind.PERSON, "defence ministers": Kind.PERSON, "defense ministers": Kind.PERSON,
    "kings": Kind.PERSON, "chancellors": Kind.PERSON, "countries": Kind.STATE, "nations": Kind.STATE,
    "governments": Kind.STATE, "sides": None, "parties": None, "delegations": None,
}  # fmt: skip
_BODIES = {
    "government": STATES, "administration": STATES, "group": frozenset([Kind.ARMED_GROUP]),
    "party": frozenset([Kind.PARTY]), "company": frozenset([Kind.COMPANY]),
}  # fmt: skip
_OF = re.compile(r" of (?:the )?")
_APPOSED = re.compile(r"(?: (?:of|for|to) (?:the )?[\w .’'-]{1,40})?, ")
_QUOTES = re.compile('[“”"]')


class How(StrEnum):
    """How a holder's words were resolved."""

    NAME = "name"
    """By his name as the table or the user writes it."""
    ALIAS = "alias"
    """By another name: a further spelling, an adjective ("Iranian"), a short name ("Xi")."""
    METONYM = "metonym"
    """By a capital or seat: "Tehran", "the Kremlin"."""
    APPOSITION = "apposition"
    """By a name in the same phrase: "Iranian" in "Iranian President Hassan Rouhani", "the president" after him."""
    TITLE = "title"
    """By an office: "the President", "the Iranian president" for the one who was named with it."""
    PRONOUN = "pronoun"
    """By the last compatible actor: "he", "she", "it", "they"."""
    PAIR = "pair"
    """By the last several named together: "the two leaders", "both sides", "they"."""
    PHRASE = "phrase"
    """By the one body of its kind named shortly before: "the government", "the group"."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whom a holder's words mean, and how that was found; several actors where the words mean them all."""

    actors: tuple[Target, ...]
    how: How


@dataclass(frozen=True, slots=True)
class Resolved:
    """What resolution found in one document.

    ``holders`` is keyed by half-open character offsets into the document. ``states`` gives every person the state or
    body for which he speaks, by apposition in the text or by his last office in the table.
    """

    holders: Mapping[tuple[int, int], Resolution]
    states: Mapping[Target, Target]

    def of(self, sentence: Sentence, mention: Mention) -> Resolution | None:
        """Give the resolution of a mention or holder's phrase; None where no rule settled it."""
        return self.holders.get((sentence.start + mention.start, sentence.start + mention.end))


def resolve_holders(
    sentences: Sequence[Sentence],
    mentions: Sequence[Sequence[Mention]],
    phrases: Sequence[Sequence[Mention]],
    table: ActorTable | None = None,
) -> Resolved:
    """Resolve the names and the nameless holders of one document.

    Args:
        sentences: the document's, in order.
        mentions: the names in every sentence, in order; see ``find_mentions``.
        phrases: the pronouns and noun phrases in every sentence, in order; see ``find_holders``.
        table: whose facts on states, titles and given names count; the shipped one if None.
    """
    reader = _Reader(Cast(ActorTable.load() if table is None else table))
    found: dict[tuple[int, int], Resolution] = {}
    for sentence, names, words in zip(sentences, mentions, phrases, strict=True):
        for mention, resolution in reader.read(sentence.text, names, words):
            found[sentence.start + mention.start, sentence.start + mention.end] = resolution
    for person in reader.memory.people:
        reader.memory.cast.state_of(person)
    return Resolved(found, reader.memory.cast.states)


class _Reader:
    """Reads a document sentence by sentence."""

    def __init__(self, cast: Cast) -> None:
        self.memory = Memory(cast)

    def read(self, text: str, names: Sequence[Mention], phrases: Sequence[Mention]) -> list[tuple[Mention, Resolution]]:
        """Resolve one sentence, in the order of its words."""
        memory = self.memory
        memory.open(text, names)
        found: list[tuple[Mention, Resolution]] = []
        quotes = deque(m.start() for m in _QUOTES.finditer(text))
        quoted = False
        for mention in sorted([*names, *phrases], key=lambda m: (m.start, m.end)):
            while quotes and quotes[0] < mention.start:
                quoted = text[quotes.popleft()] != "”" and not quoted
            appearance = memory.named[memory.place] if memory.place < len(memory.named) else None
            if appearance is not None and (mention.start, mention.end) == (appearance.start, appearance.end):
                found.append((mention, self._named(appearance)))
                memory.pass_name()
            elif (resolution := self._phrase(mention, quoted)) is not None:
                found.append((mention, resolution))
                memory.recall(mention.start, mention.end, resolution.actors)
        return found

    def _named(self, a: Appearance) -> Resolution:
        """Say by which kind of name an actor is named, and add the person whom a title after a state's name means."""
        text, target, actor = self.memory.scene.text, a.target, self.memory.cast.actor(a.target)
        spelt = text[a.start : a.end]
        following = self.memory.named[self.memory.place + 1] if self.memory.place + 1 < len(self.memory.named) else None
        how = How.ALIAS
        if folded(spelt) == folded(target.name):
            how = How.NAME
        elif actor is not None and spelt in (*actor.capitals, *actor.metonyms):
            how = How.METONYM
        if a.kind not in STATES:
            return Resolution((target,), how)
        if following is not None and following.kind is Kind.PERSON and before_person(text, a, following):
            return Resolution((target,), How.APPOSITION if how is How.ALIAS else how)
        person = self.memory.titled(as_titles(titles_after(text, a.end)), target, a.end)
        return Resolution((target,), how) if person is None else Resolution((target, person), How.TITLE)

    def _phrase(self, phrase: Mention, quoted: bool) -> Resolution | None:
        """Resolve a pronoun or noun phrase, or abstain."""
        words, memory = folded(phrase.name), self.memory
        if words in ("he", "she"):
            person = None if quoted or memory.crowded else memory.person(phrase.start, phrase.end, words)
            memory.scene.somebody |= person is None
            return _one(person, How.PRONOUN)
        if memory.crowded:
            return None
        if words in ("they", "it"):
            one = memory.it(phrase.end) if words == "it" and not quoted else None
            return _some(memory.they(), How.PRONOUN) if words == "they" and not quoted else _one(one, How.PRONOUN)
        if words in _BARE_NUMBERS:
            return _some(memory.several(_BARE_NUMBERS[words], None), How.PAIR)
        match = _PHRASE.fullmatch(words)
        return None if match is None else self._noun(phrase, match["determiner"], match["number"], match["noun"])

    def _noun(self, phrase: Mention, determiner: str | None, number: str | None, noun: str) -> Resolution | None:
        """Resolve a noun phrase by its noun."""
        if noun in _PLURALS:
            number_of = _NUMBERS.get(number or determiner or "")
            return _some(self.memory.several(number_of, _PLURALS[noun]), How.PAIR)
        if determiner != "the":
            return None
        if noun in _BODIES:
            return _one(self.memory.body(_BODIES[noun]), How.PHRASE)
        return self._office(phrase, noun)

    def _office(self, phrase: Mention, noun: str) -> Resolution | None:
        """Find the person who holds the office that a phrase names, in the same phrase or before."""
        text = self.memory.scene.text
        if self.memory.place and self.memory.named[self.memory.place - 1].kind is Kind.PERSON:
            before = self.memory.named[self.memory.place - 1]
            if text[before.end : phrase.start] == ", ":
                return Resolution((before.target,), How.APPOSITION)
        for a in self.memory.named[self.memory.place : self.memory.place + 2]:
            if a.kind is Kind.PERSON and _APPOSED.fullmatch(text, phrase.end, a.start):
                return Resolution((a.target,), How.APPOSITION)
        of, state = _OF.match(text, phrase.end), None
        if of is not None:
            following = self.memory.named[self.memory.place] if self.memory.place < len(self.memory.named) else None
            if following is None or following.start != of.end() or following.kind not in STATES:
                return None
            state = following.target
        return _one(self.memory.titled(frozenset([noun]), state, phrase.end), How.TITLE)


def _one(actor: Target | None, how: How) -> Resolution | None:
    return None if actor is None else Resolution((actor,), how)


def _some(actors: tuple[Target, ...] | None, how: How) -> Resolution | None:
    return None if actors is None else Resolution(actors, How.PAIR if len(actors) > 1 else how)
