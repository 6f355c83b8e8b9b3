"""Verbs that tend to carry a stance toward their object, in every form: a small closed list after the annotation rules.

It serves rules that need to know a verb's forms, not judgement: many stances are expressed without any of these verbs,
and some uses of them express none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from stance.labels import Stance


class Form(StrEnum):
    """A form of a verb; the past of a regular verb is its participle too."""

    BASE = "base"
    THIRD = "third"
    PAST = "past"
    PARTICIPLE = "participle"
    GERUND = "gerund"


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb with the stance that it tends to carry; ``particles`` are words of which one has to follow it."""

    base: str
    stance: Stance
    particles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerbUse:
    """A place where a text has a form of a listed verb; ``forms`` are those that the spelling can be."""

    start: int
    end: int
    verb: Verb
    forms: frozenset[Form]


# Base forms; what has to follow stands after a colon.
_LISTED = {
    Stance.SUPPORT: """support back endorse praise thank congratulate commend applaud welcome defend salute appreciate
        honour honor admire hail champion uphold stand:with|by|behind|alongside side:with""",
    Stance.OPPOSE: """oppose condemn criticise criticize denounce reject accuse blame warn threaten sanction attack bomb
        invade veto sue expel arrest deplore rebuke slam blast decry fight punish deter censure scold mock violate ban
        boycott detain assail reprimand shell strike hit raid besiege protest""",
    Stance.COOPERATE: """meet sign join consult host assist aid help fund train supply arm implement ratify receive
        visit meet:with agree:with cooperate:with negotiate:with coordinate:with trade:with partner:with engage:with
        work:with talk:to|with collaborate:with consult:with""",
}
_IRREGULAR = {
    "stand": ("stood", "stood"),
    "fight": ("fought", "fought"),
    "strike": ("struck", "struck"),
    "hit": ("hit", "hit"),
    "meet": ("met", "met"),
}
_DOUBLED = frozenset({"expel", "deter", "slam", "ban", "hit"})


def find_verbs(text: str) -> list[VerbUse]:
    """List the listed verbs of a text in order, in whatever form; a noun spelt as a verb is among them.

    >>> [(use.verb.base, "|".join(sorted(use.forms))) for use in find_verbs("Iran stood by Mali and meets an envoy.")]
    [('stand', 'participle|past'), ('meet', 'third')]
    """
    return list(_uses(text))


def _uses(text: str) -> Iterator[VerbUse]:
    spellings = _spellings()
    words = list(re.finditer(r"[^\W\d_]+", text))
    for i, word in enumerate(words):
        following = words[i + 1].group().lower() if i + 1 < len(words) else ""
        readings = [
            r for r in spellings.get(word.group().lower(), ()) if not r[0].particles or following in r[0].particles
        ]
        if readings:
            verb = readings[0][0]
            forms = frozenset(form for reading, form in readings if reading == verb)
            yield VerbUse(word.start(), word.end(), verb, forms)


@cache
def _spellings() -> dict[str, list[tuple[Verb, Form]]]:
    """Every spelling with what it can be; verbs with a particle come first, as they say more."""
    found: dict[str, list[tuple[Verb, Form]]] = {}
    verbs = [_verb(entry, stance) for stance, entries in _LISTED.items() for entry in entries.split()]
    for verb in sorted(verbs, key=lambda v: not v.particles):
        for form in Form:
            found.setdefault(spell(verb.base, form), []).append((verb, form))
    return found


def _verb(entry: str, stance: Stance) -> Verb:
    base, _, particles = entry.partition(":")
    return Verb(base, stance, tuple(particles.split("|")) if particles else ())


def spell(base: str, form: Form) -> str:
    """Spell a form of a listed verb.

    >>> [spell("deny", form) for form in Form]
    ['deny', 'denies', 'denied', 'denied', 'denying']
    >>> [spell("expel", form) for form in Form], spell("fight", Form.PAST), spell("condemn", Form.THIRD)
    (['expel', 'expels', 'expelled', 'expelled', 'expelling'], 'fought', 'condemns')
    """
    if form is Form.BASE:
        return base
    ends_in_y = base.endswith("y") and base[-2] not in "aeiou"
    if form is Form.THIRD:
        if ends_in_y:
            return base[:-1] + "ies"
        return base + ("es" if base.endswith(("s", "sh", "ch", "x", "z")) else "s")
    if form is not Form.GERUND and base in _IRREGULAR:
        return _IRREGULAR[base][form is Form.PARTICIPLE]
    if base in _DOUBLED:
        base += base[-1]
    if form is Form.GERUND:
        return (base.removesuffix("e") if not base.endswith("ee") else base) + "ing"
    return base[:-1] + "ied" if ends_in_y else base + ("d" if base.endswith("e") else "ed")
