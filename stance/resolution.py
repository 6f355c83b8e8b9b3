"""Whom a holder's words mean: names, pronouns and noun phrases resolved to actors, document by document.

Rules only, in one pass over the sentences; each answer says how it was made (``How``) and what no rule settles stays
under its own words. Where they come from:

* The subject of the sentence before is the likeliest antecedent: centering (Grosz, Joshi and Weinstein 1995).
* A pronoun is nobody whom its own sentence names after it: binding, principle C (Reinhart 1976).
* Precision-ordered rules, the safest first, each abstaining in doubt: the multi-pass sieve (Lee et al. 2013).

Pronouns in quotation marks, "it" before a mere "is" and anything with two equally good antecedents are left alone.
Names further back than ``WINDOW`` sentences do not count, so that the cost is linear in the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from stance.actors import ActorTable, Kind
from stance.discourse import (
    COLLECTIVE,
    Appearance,
    Cast,
    as_titles,
    before_person,
    groups,
    read_cast,
    titles_after,
    verb_follows,
)
from stance.sentences import Sentence
from stance.spelling import folded
from stance.targets import Mention, Target

WINDOW = 4
"""Sentences before its own in which a pronoun or noun phrase looks for its antecedent."""
_CROWD = 12  # different names in a sentence from which on nobody stands out
_NEARBY = 80  # characters

_NUMBERS = {"two": 2, "both": 2, "three": 3, "four": 4}
_PHRASE = re.compile(r"(?:(?P<determiner>the|both) )?(?:(?P<number>two|three|four) )?(?P<noun>.+)")
_BARE_NUMBERS = {"both": 2, "the two": 2}
_PLURALS = {
    "leaders": Kind.PERSON, "presidents": Kind.PERSON, "ministers": Kind.PERSON, "prime ministers": Kind.PERSON,
    "foreign ministers": Kind.PERSON, "defence ministers": Kind.PERSON, "defense ministers": Kind.PERSON,
    "kings": Kind.PERSON, "chancellors": Kind.PERSON, "countries": Kind.STATE, "nations": Kind.STATE,
    "governments": Kind.STATE, "sides": None, "parties": None, "delegations": None,
}  # fmt: skip
_STATES = frozenset([Kind.STATE, Kind.TERRITORY])
_BODIES = {
    "government": _STATES, "administration": _STATES, "group": frozenset([Kind.ARMED_GROUP]),
    "party": frozenset([Kind.PARTY]), "company": frozenset([Kind.COMPANY]),
}  # fmt: skip
_PEOPLE = frozenset([Kind.PERSON])
_TOGETHER = re.compile(
    r"\b(?:met|meet|meets|meeting|talks?|sp[eo]a?ke?s? (?:with|to)|calls?|called|conversation|signed|agreed?|hosts"
    r"|hosted|visit(?:s|ed)|received|negotiat\w+|joint\w*|summit|together|each other)\b"
)
_REPORTED = re.compile(r"[,”\"’']\s*$")
_REPORTS = re.compile(
    r" (?:said|says|added|noted|mentioned|told|stressed|wrote|explained|continued)\b.{0,40}$", re.DOTALL
)
_IDLE = re.compile(r" (?:is|was|will be|would be|has been|had been|remains?|seems?|appears?|became|takes?|took)\b")
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
    for person in reader.people:
        reader.cast.state_of(person)
    return Resolved(found, reader.cast.states)


@dataclass(slots=True)
class _Scene:
    """Who has appeared in one sentence so far."""

    text: str
    people: dict[Target, Appearance] = field(default_factory=dict)
    bodies: dict[Target, Appearance] = field(default_factory=dict)
    groups: dict[tuple[Target, ...], None] = field(default_factory=dict)
    somebody: bool = False  # a "he" or "she" whom no rule settled
    together: bool = False  # its words tell of a meeting or a joint act

    def add(self, a: Appearance) -> None:
        """Note an appearance; a subject outshines a mere mention."""
        if a.kind is Kind.PERSON or (a.kind in COLLECTIVE and not a.place):
            those = self.people if a.kind is Kind.PERSON else self.bodies
            if a.target not in those or (a.subject and not those[a.target].subject):
                those[a.target] = a

    @property
    def crowded(self) -> bool:
        """Whether so many have appeared that nobody stands out; no rule then goes through them all."""
        return max(len(self.people), len(self.bodies), len(self.groups)) >= _CROWD


class _Reader:
    """Reads a document sentence by sentence and remembers the last few."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.past: deque[_Scene] = deque(maxlen=WINDOW)
        self.people: dict[Target, None] = {}
        self.number = 0
        self._open("", [])

    def _open(self, text: str, named: list[Appearance]) -> None:
        self.scene = _Scene(text, together=_TOGETHER.search(text) is not None)
        self.named = named
        self.place = 0  # how many of the named have passed
        self.last = {a.target: a.start for a in named}

    def read(self, text: str, names: Sequence[Mention], phrases: Sequence[Mention]) -> list[tuple[Mention, Resolution]]:
        """Resolve one sentence, in the order of its words."""
        self.number += 1
        self._open(text, read_cast(text, names, self.cast, self.number))
        joined = {
            group[-1].end: tuple(dict.fromkeys(a.target for a in group))
            for kinds in (_PEOPLE, COLLECTIVE)
            for group in groups(text, [a for a in self.named if a.kind in kinds])
        }
        found: list[tuple[Mention, Resolution]] = []
        quotes = deque(m.start() for m in _QUOTES.finditer(text))
        quoted = False
        for mention in sorted([*names, *phrases], key=lambda m: (m.start, m.end)):
            while quotes and quotes[0] < mention.start:
                quoted = text[quotes.popleft()] != "”" and not quoted
            appearance = self.named[self.place] if self.place < len(self.named) else None
            if appearance is not None and (mention.start, mention.end) == (appearance.start, appearance.end):
                found.append((mention, self._named(appearance)))
                self._pass(appearance, joined)
            elif (resolution := self._phrase(mention, quoted)) is not None:
                found.append((mention, resolution))
                self._recall(mention, resolution)
        self.past.append(self.scene)
        return found

    def _pass(self, a: Appearance, joined: Mapping[int, tuple[Target, ...]]) -> None:
        self.place += 1
        self.scene.add(a)
        if a.kind is Kind.PERSON:
            self.people[a.target] = None
        if a.end in joined:
            self.scene.groups[joined[a.end]] = None

    def _recall(self, phrase: Mention, resolution: Resolution) -> None:
        """Let those whom a phrase means appear where it stands."""
        subject = verb_follows(self.scene.text, phrase.end)
        for target in resolution.actors:
            kind = Kind.PERSON if target in self.people else Kind.STATE
            actor = self.cast.actor(target)
            pronoun = self.cast.pronouns.get(target) or None
            where = Appearance(phrase.start, phrase.end, target, actor.kind if actor else kind, subject, pronoun)
            self.scene.add(where)
        if len(resolution.actors) > 1:
            self.scene.groups[resolution.actors] = None

    def _named(self, a: Appearance) -> Resolution:
        """Say by which kind of name an actor is named, and add the person whom a title after a state's name means."""
        text, target, actor = self.scene.text, a.target, self.cast.actor(a.target)
        spelt = text[a.start : a.end]
        following = self.named[self.place + 1] if self.place + 1 < len(self.named) else None
        how = How.ALIAS
        if folded(spelt) == folded(target.name):
            how = How.NAME
        elif actor is not None and spelt in (*actor.capitals, *actor.metonyms):
            how = How.METONYM
        if a.kind not in _STATES:
            return Resolution((target,), how)
        if following is not None and following.kind is Kind.PERSON and before_person(text, a, following):
            return Resolution((target,), How.APPOSITION if how is How.ALIAS else how)
        person = self._titled(as_titles(titles_after(text, a.end)), target, a.end)
        return Resolution((target,), how) if person is None else Resolution((target, person), How.TITLE)

    def _phrase(self, phrase: Mention, quoted: bool) -> Resolution | None:
        """Resolve a pronoun or noun phrase, or abstain."""
        words = folded(phrase.name)
        crowded = self.scene.crowded or any(scene.crowded for scene in self.past)
        if words in ("he", "she"):
            person = None if quoted or crowded else self._person(phrase, words)
            self.scene.somebody |= person is None
            return _one(person, How.PRONOUN)
        if crowded:
            return None
        if words in ("they", "it"):
            return None if quoted else self._they() if words == "they" else _one(self._it(phrase), How.PRONOUN)
        if words in _BARE_NUMBERS:
            return self._several(_BARE_NUMBERS[words], None)
        match = _PHRASE.fullmatch(words)
        return None if match is None else self._noun(phrase, match["determiner"], match["number"], match["noun"])

    def _noun(self, phrase: Mention, determiner: str | None, number: str | None, noun: str) -> Resolution | None:
        """Resolve a noun phrase by its noun."""
        if noun in _PLURALS:
            return self._several(_NUMBERS.get(number or determiner or ""), _PLURALS[noun])
        if determiner != "the":
            return None
        if noun in _BODIES:
            return _one(self._body(_BODIES[noun]), How.PHRASE)
        return self._office(phrase, noun)

    def _person(self, phrase: Mention, pronoun: str) -> Target | None:
        """Find the one person whom "he" or "she" can mean."""
        text = self.scene.text
        before = next((s for s in reversed(self.past) if s.somebody or self._fitting(s, pronoun)), None)
        earlier = self._fitting(before, pronoun) if before is not None and not before.somebody else {}
        reported = _REPORTED.search(text[max(0, phrase.start - 3) : phrase.start]) is not None
        if not reported or _REPORTS.fullmatch(text[phrase.end : phrase.end + _NEARBY]) is None:
            here = self._fitting(self.scene, pronoun)
            if here or self.scene.somebody:
                (person, a), *others = here.items() if here else [(None, None)]
                clear = a is not None and (a.subject or not earlier.keys() - here.keys())
                return person if clear and not others and not self.scene.somebody else None
        fits = {t: a for t, a in earlier.items() if self.last.get(t, -1) < phrase.start}
        subjects = [t for t, a in fits.items() if a.subject]
        if len(fits) == 1:
            return next(iter(fits))
        clear = len(subjects) == 1 and before is not None and not before.together
        return subjects[0] if clear else None

    @staticmethod
    def _fitting(scene: _Scene, pronoun: str) -> dict[Target, Appearance]:
        return {t: a for t, a in scene.people.items() if a.pronoun in (None, pronoun)}

    def _they(self) -> Resolution | None:
        """Find those whom "they" can mean: some joined by "and", two who met, or one body with a plural name."""
        for scene in (self.scene, *reversed(self.past)):
            if not scene.people and not scene.bodies:
                if scene.somebody:
                    return None
                continue
            joined = list(scene.groups)
            if len(joined) == 1:
                return Resolution(joined[0], How.PAIR)
            those = scene.people or scene.bodies
            if not joined and len(those) == 2 and scene.together:
                return Resolution(tuple(those), How.PAIR)
            plural = [t for t, a in scene.bodies.items() if a.subject and _is_plural(scene.text[a.start : a.end])]
            return _one(plural[0] if len(plural) == 1 and not joined else None, How.PRONOUN)
        return None

    def _it(self, phrase: Mention) -> Target | None:
        """Find the body that was the subject of the sentence before."""
        if not self.past or _IDLE.match(self.scene.text, phrase.end):
            return None
        before = self.past[-1]
        subjects = [t for t, a in before.bodies.items() if a.subject]
        if len(subjects) != 1 or before.groups or subjects[0] in self.last:
            return None
        return subjects[0]

    def _several(self, number: int | None, kind: Kind | None) -> Resolution | None:
        """Find as many actors as "the two leaders" or "both countries" counts, named together or shortly one by one."""
        bodies = None if kind is Kind.PERSON else self._last(number, [_bodies(s, kind) for s in self._scenes()])
        if bodies is not None:
            return Resolution(bodies, How.PAIR)
        people = self._last(number, [s.people for s in self._scenes()])
        if people is None:
            return None
        states = dict.fromkeys(state for p in people if (state := self.cast.state_of(p)) is not None)
        if kind is Kind.PERSON:
            return Resolution(people, How.PAIR)
        return Resolution(tuple(states), How.PAIR) if len(states) == len(people) else None

    def _scenes(self) -> list[_Scene]:
        """List this sentence and the nearest before it in which somebody appears."""
        filled = [s for s in reversed(self.past) if s.people or s.bodies]
        return [self.scene, *filled[:2]]

    def _last(self, number: int | None, casts: Sequence[Mapping[Target, Appearance]]) -> tuple[Target, ...] | None:
        """Take the nearest actors that are as many as asked, going back until they are enough or too many."""
        wanted = number or 2
        pool: list[Target] = []
        for scene, those in zip(self._scenes(), casts, strict=True):
            joined = [g for g in scene.groups if number in (None, len(g)) and all(t in those for t in g)]
            if len(joined) == 1 and not pool:
                return joined[0]
            pool = [*(t for t in those if t not in pool), *pool]
            if len(pool) >= wanted:
                return tuple(pool) if len(pool) == wanted else None
        return None

    def _body(self, kinds: frozenset[Kind]) -> Target | None:
        """Find the one body of some kinds that was named here or shortly before."""
        scenes = [self.scene, *list(reversed(self.past))[:2]]
        found = dict.fromkeys(t for s in scenes for t, a in s.bodies.items() if a.kind in kinds)
        return next(iter(found)) if len(found) == 1 else None

    def _office(self, phrase: Mention, noun: str) -> Resolution | None:
        """Find the person who holds the office that a phrase names, in the same phrase or before."""
        text = self.scene.text
        if self.place and self.named[self.place - 1].kind is Kind.PERSON:
            before = self.named[self.place - 1]
            if text[before.end : phrase.start] == ", ":
                return Resolution((before.target,), How.APPOSITION)
        for a in self.named[self.place : self.place + 2]:
            if a.kind is Kind.PERSON and _APPOSED.fullmatch(text, phrase.end, a.start):
                return Resolution((a.target,), How.APPOSITION)
        of, state = _OF.match(text, phrase.end), None
        if of is not None:
            following = self.named[self.place] if self.place < len(self.named) else None
            if following is None or following.start != of.end() or following.kind not in _STATES:
                return None
            state = following.target
        return _one(self._titled(frozenset([noun]), state, phrase.end), How.TITLE)

    def _titled(self, titles: frozenset[str], state: Target | None, end: int) -> Target | None:
        """Find the one person named with a title, in the text first, else after the offices in the table."""
        for known in (self.cast.titles, self.cast.offices):
            bearers = dict(pair for title in titles for pair in list(reversed(known.get(title, {}).items()))[:_CROWD])
            fits = {t: n for t, n in bearers.items() if state is None or self.cast.state_of(t) == state}
            recent = [t for t, n in fits.items() if n >= self.number - WINDOW] or list(fits)
            if recent:
                return recent[0] if len(recent) == 1 and self.last.get(recent[0], -1) < end else None
        return None


def _one(actor: Target | None, how: How) -> Resolution | None:
    return None if actor is None else Resolution((actor,), how)


def _bodies(scene: _Scene, kind: Kind | None) -> Mapping[Target, Appearance]:
    return scene.bodies if kind is None else {t: a for t, a in scene.bodies.items() if a.kind in _STATES}


def _is_plural(name: str) -> bool:
    return name == "Taliban" or (name.endswith("s") and not name.isupper())
