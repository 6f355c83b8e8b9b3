"""Who a pronoun or noun phrase can mean: what the last sentences leave in memory, and the rules that search it.

Every rule gives the one answer that is clear, or none. Names further back than ``WINDOW`` sentences do not count, and
in a crowd nobody stands out, so that the cost is linear in the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from stance.actors import Kind
from stance.discourse import COLLECTIVE, TITLE_PARTS, Appearance, Cast, read_cast, verb_follows
from stance.spelling import folded
from stance.targets import Mention, Target

WINDOW = 4
"""Sentences before its own in which a pronoun or noun phrase looks for its antecedent."""
STATES = frozenset([Kind.STATE, Kind.TERRITORY])
"""Kinds of countries."""
_CROWD = 12  # different names in a sentence from which on nobody stands out
_NEARBY = 80  # characters
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
_AND = re.compile(r"\s*(?P<last>,? and|&)\s+|,\s+")


@dataclass(slots=True)
class Scene:
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


class Memory:
    """Remembers who appeared in this sentence, up to the word that is read, and in the last few.

    ``named`` are the names of this sentence and ``place`` counts those that have passed.
    """

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.past: deque[Scene] = deque(maxlen=WINDOW)
        self.people: dict[Target, None] = {}
        self.number = 0
        self.scene = Scene("")
        self.named: list[Appearance] = []
        self.place = 0
        self.last: dict[Target, int] = {}
        self._joined: dict[int, tuple[Target, ...]] = {}

    def open(self, text: str, names: Sequence[Mention]) -> None:
        """Begin the next sentence."""
        if self.number:
            self.past.append(self.scene)
        self.number += 1
        self.scene = Scene(text, together=_TOGETHER.search(text) is not None)
        self.named, self.place = read_cast(text, names, self.cast, self.number), 0
        self.last = {a.target: a.start for a in self.named}
        self._joined = {
            group[-1].end: tuple(dict.fromkeys(a.target for a in group))
            for kinds in (_PEOPLE, COLLECTIVE)
            for group in _groups(text, [a for a in self.named if a.kind in kinds])
        }

    def pass_name(self) -> None:
        """Go past the next name."""
        a = self.named[self.place]
        self.place += 1
        self.scene.add(a)
        if a.kind is Kind.PERSON:
            self.people[a.target] = None
        if a.end in self._joined:
            self.scene.groups[self._joined[a.end]] = None

    def recall(self, start: int, end: int, actors: tuple[Target, ...]) -> None:
        """Let those whom a phrase means appear where it stands."""
        subject = verb_follows(self.scene.text, end)
        for target in actors:
            actor = self.cast.actor(target)
            kind = actor.kind if actor else Kind.PERSON if target in self.people else Kind.STATE
            pronoun = self.cast.pronouns.get(target) or None
            self.scene.add(Appearance(start, end, target, kind, subject, pronoun))
        if len(actors) > 1:
            self.scene.groups[actors] = None

    @property
    def crowded(self) -> bool:
        """Whether this sentence or one of the last holds so many that no rule should choose."""
        return self.scene.crowded or any(scene.crowded for scene in self.past)

    def person(self, start: int, end: int, pronoun: str) -> Target | None:
        """Find the one person whom "he" or "she" can mean."""
        text = self.scene.text
        before = next((s for s in reversed(self.past) if s.somebody or self._fitting(s, pronoun)), None)
        earlier = self._fitting(before, pronoun) if before is not None and not before.somebody else {}
        reported = _REPORTED.search(text[max(0, start - 3) : start]) is not None
        if not reported or _REPORTS.fullmatch(text[end : end + _NEARBY]) is None:
            here = self._fitting(self.scene, pronoun)
            if here or self.scene.somebody:
                (person, a), *others = here.items() if here else [(None, None)]
                clear = a is not None and (a.subject or not earlier.keys() - here.keys())
                return person if clear and not others and not self.scene.somebody else None
        fits = {t: a for t, a in earlier.items() if self.last.get(t, -1) < start}
        subjects = [t for t, a in fits.items() if a.subject]
        if len(fits) == 1:
            return next(iter(fits))
        clear = len(subjects) == 1 and before is not None and not before.together
        return subjects[0] if clear else None

    @staticmethod
    def _fitting(scene: Scene, pronoun: str) -> dict[Target, Appearance]:
        return {t: a for t, a in scene.people.items() if a.pronoun in (None, pronoun)}

    def they(self) -> tuple[Target, ...] | None:
        """Find those whom "they" can mean: some joined by "and", two who met, or one body with a plural name."""
        for scene in (self.scene, *reversed(self.past)):
            if not scene.people and not scene.bodies:
                if scene.somebody:
                    return None
                continue
            joined = list(scene.groups)
            if len(joined) == 1:
                return joined[0]
            those = scene.people or scene.bodies
            if not joined and len(those) == 2 and scene.together:
                return tuple(those)
            plural = [t for t, a in scene.bodies.items() if a.subject and _is_plural(scene.text[a.start : a.end])]
            return tuple(plural) if len(plural) == 1 and not joined else None
        return None

    def it(self, end: int) -> Target | None:
        """Find the body that was the subject of the sentence before."""
        if not self.past or _IDLE.match(self.scene.text, end):
            return None
        before = self.past[-1]
        subjects = [t for t, a in before.bodies.items() if a.subject]
        if len(subjects) != 1 or before.groups or subjects[0] in self.last:
            return None
        return subjects[0]

    def several(self, number: int | None, kind: Kind | None) -> tuple[Target, ...] | None:
        """Find as many actors as "the two leaders" or "both countries" counts, named together or shortly one by one."""
        bodies = None if kind is Kind.PERSON else self._last(number, [_bodies(s, kind) for s in self._scenes()])
        if bodies is not None:
            return bodies
        people = self._last(number, [s.people for s in self._scenes()])
        if people is None:
            return None
        states = dict.fromkeys(state for p in people if (state := self.cast.state_of(p)) is not None)
        if kind is Kind.PERSON:
            return people
        return tuple(states) if len(states) == len(people) else None

    def _scenes(self) -> list[Scene]:
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

    def body(self, kinds: frozenset[Kind]) -> Target | None:
        """Find the one body of some kinds that was named here or shortly before."""
        scenes = [self.scene, *list(reversed(self.past))[:2]]
        found = dict.fromkeys(t for s in scenes for t, a in s.bodies.items() if a.kind in kinds)
        return next(iter(found)) if len(found) == 1 else None

    def titled(self, titles: frozenset[str], state: Target | None, end: int) -> Target | None:
        """Find the one person named with a title, in the text first, else after the offices in the table."""
        for known in (self.cast.titles, self.cast.offices):
            bearers = dict(pair for title in titles for pair in islice(reversed(known.get(title, {}).items()), _CROWD))
            fits = {t: n for t, n in bearers.items() if state is None or self.cast.state_of(t) == state}
            recent = [t for t, n in fits.items() if n >= self.number - WINDOW] or list(fits)
            if recent:
                return recent[0] if len(recent) == 1 and self.last.get(recent[0], -1) < end else None
        return None


def _bodies(scene: Scene, kind: Kind | None) -> Mapping[Target, Appearance]:
    return scene.bodies if kind is None else {t: a for t, a in scene.bodies.items() if a.kind in STATES}


def _is_plural(name: str) -> bool:
    return name == "Taliban" or (name.endswith("s") and not name.isupper())


def _groups(text: str, appearances: Sequence[Appearance]) -> list[tuple[Appearance, ...]]:
    """List runs of names joined by "and": "China and Iran", "Presidents Xi Jinping and Hassan Rouhani"."""
    found: list[tuple[Appearance, ...]] = []
    run: list[Appearance] = []
    last = False
    for a in appearances:
        joint = _joint(text, run[-1], a) if run else None
        if joint is None or last:
            if last and len(run) > 1:
                found.append(tuple(run))
            run = [a]
            last = False
        else:
            run.append(a)
            last = joint
    if last and len(run) > 1:
        found.append(tuple(run))
    return found


def _joint(text: str, left: Appearance, right: Appearance) -> bool | None:
    """Say how two names are joined: True by "and", False by a comma, None not at all."""
    match = _AND.match(text, left.end, right.start)
    if match is None:
        return None
    between = text[match.end() : right.start].split()
    if len(between) > 6 or any(w[0].islower() and folded(w) not in TITLE_PARTS | {"the"} for w in between):
        return None
    return match["last"] is not None
