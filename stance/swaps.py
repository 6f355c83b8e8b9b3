"""Swapped names by rule: other actors in the same roles, and the same actors in each other's roles.

Only names of the actor table are moved, and only forms that can stand in each other's place: a state's name, adjective,
inhabitants or capital; a person's full or last name; the name of an armed group, a party or a company. Whatever could
make the sentence contradict itself (a name left over, "his" beside a renamed person, a leader beside his swapped state)
is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from stance.actors import Actor, ActorTable, Kind
from stance.excerpts import Excerpt, GoldPair
from stance.pairs import Holder
from stance.rewriting import Check, Counterfactual, Edit, NotSafe, Replacement, Rewriting
from stance.sentences import Sentence
from stance.targets import Mention, find_mentions

_PLACES = {Kind.STATE, Kind.TERRITORY}
_RENAMED = {Kind.STATE, Kind.PERSON, Kind.ARMED_GROUP, Kind.PARTY, Kind.COMPANY}
_WITH_ARTICLE = re.compile(
    r"(?:United |Netherlands|Philippines|Bahamas|Maldives|Gambia|Holy See|.*(?:Republic|Islands|Union))"
)
_AFTER_ARTICLE = re.compile(r"\bthe $", re.IGNORECASE)
_AFTER_A = re.compile(r"\ban? $", re.IGNORECASE)
_GENDERED = re.compile(
    r"\b(?:he|him|his|himself|she|hers?|herself|Mr|Mrs|Ms|Sir|Madam|King|Queen|Prince|Princess|Emir|First Lady)\b"
)
_ABBREVIATED = frozenset({"U.S.", "US", "UK", "U.K."})
_PART_OF_NAME = re.compile(r"\b(?:Republic|State|Kingdom) of (?:the )?$")
_ONE_WORD = re.compile(r"[A-Z][a-z]+")
_ADJECTIVE = re.compile(r"[A-Z][a-z]+(?:n|i|sh|ese|ch)")  # not "Icelander", which is no adjective before a noun
_TRIES = 20


@dataclass(frozen=True, slots=True)
class _Naming:
    """A place where the sentence names an actor of the table; ``form`` is None where nothing can stand in its place."""

    mention: Mention
    actor: Actor
    form: str | None


def swap_names(excerpt: Excerpt, draw: int = 0, *, seed: int = 0, table: ActorTable | None = None) -> Counterfactual:
    """Give the named actors other names of the same kind, the same one wherever an actor is named.

    A person becomes one who held the same office, of the state that stands for his. ``draw`` and ``seed`` choose the
    names. Every pair of the excerpt is checked.

    Raises:
        NotSafe: the rule does not cover the sentence.
    """
    table = ActorTable.load() if table is None else table
    text = excerpt.text
    namings = [n for n in _namings(excerpt, table) if n.actor.kind in _RENAMED]
    if not any(_covers(span, n.mention) for span in excerpt.holders for n in namings):
        raise NotSafe("no name of the actor table")
    if any(n.form is None for n in namings):
        raise NotSafe("a form of a name that no other has")
    if any(n.actor.kind is Kind.PERSON for n in namings) and _GENDERED.search(text):
        raise NotSafe("a word that tells the sex of a renamed person")
    _check_left_over(text, namings)
    others = _stand_ins(namings, text, Random(f"{seed}/{excerpt.id}/{draw}"), table)
    replacements: list[Replacement] = []
    for n in namings:
        words = _spelling(others[n.actor.id], n.form)
        replacements.append(Replacement(n.mention.start, n.mention.end, words or ""))
        if _has_article(text, n):
            replacements.append(Replacement(n.mention.start - len("the "), n.mention.start, ""))
    edited = Rewriting(text, replacements)
    pairs, labels = excerpt.to_pairs()
    checks = [Check(pair, edited.move_pair(pair), label) for pair, label in zip(pairs, labels, strict=True)]
    return Counterfactual(Edit.NAMES, excerpt, edited.text, tuple(checks))


def swap_roles(excerpt: Excerpt, pair: GoldPair, *, table: ActorTable | None = None) -> Counterfactual:
    """Let holder and target change places: "Iran thanked China" -> "China thanked Iran".

    The checks compare the pair that stands in the holder's and the target's place before and after, and then, where its
    gold is known, the pair in the opposite direction.

    Raises:
        NotSafe: the rule does not cover the pair.
    """
    table = ActorTable.load() if table is None else table
    text, namings = excerpt.text, _namings(excerpt, table)
    first, second = (_named_by(actor, namings) for actor in (pair.holder, pair.target))
    if first.form is None or first.form != second.form or not _alike(first.actor, second.actor):
        raise NotSafe("holder and target are named in forms that cannot change places")
    ends = {name for n in (first, second) for name in (n.actor.id, n.actor.state) if name}
    rest = [n.actor for n in namings if n not in (first, second)]
    if first.actor == second.actor or any({a.id, a.state} & ends for a in rest):
        raise NotSafe("holder or target, or who belongs to them, is named again")
    if first.actor.kind is Kind.PERSON and _GENDERED.search(text):
        raise NotSafe("a word that tells the sex of a renamed person")
    if any(_AFTER_A.search(text[: n.mention.start]) for n in (first, second)):
        raise NotSafe("an indefinite article")
    _check_left_over(text, [first, second])
    edited = Rewriting(text, [*_put(text, first, second), *_put(text, second, first)])
    ways = [
        (p, x) for p, x in zip(*excerpt.to_pairs(), strict=True) if {p.holder, p.target} == {pair.holder, pair.target}
    ]
    checks = [
        Check(p, edited.move_pair(p), label) for p, label in sorted(ways, key=lambda w: w[0].target != pair.target)
    ]
    return Counterfactual(Edit.ROLES, excerpt, edited.text, tuple(checks))


def _namings(excerpt: Excerpt, table: ActorTable) -> list[_Naming]:
    """List every place of the sentence that names an actor of the table; the context introduces short names."""
    sentences = [Sentence.of(excerpt.context), excerpt.sentence]
    found = [(m, m.target.id) for m in find_mentions(sentences, table=table)[1]]
    named = [(m, table[i]) for m, i in found if i is not None and i in table]
    return [_Naming(m, actor, _form(excerpt.text, m, actor)) for m, actor in named]


def _form(text: str, mention: Mention, actor: Actor) -> str | None:
    words = text[mention.start : mention.end]
    if _PART_OF_NAME.search(text[: mention.start]) or re.match(
        r"['’](?!s\b)", text[mention.end :]
    ):  # "the Philippines’ claim": few names have this genitive
        return None
    if actor.kind in _PLACES and words in _ABBREVIATED and re.match(r" [A-Z]", text[mention.end :]):
        return None if _AFTER_ARTICLE.search(text[: mention.start]) else "adjective"  # "U.S. President"
    for form in ("adjective", "inhabitants", "capital", "full", "last"):
        if words == _spelling(actor, form):
            return form
    bears_any_name = actor.kind not in {*_PLACES, Kind.PERSON}
    return "name" if bears_any_name or words == actor.name else None


def _spelling(actor: Actor, form: str | None) -> str | None:
    """Spell an actor in a form; None where it has no such name."""
    if actor.kind is Kind.PERSON:
        last = [n for n in (*actor.short_names, *actor.aliases) if n in actor.name.split()]
        return {"full": actor.name, "last": next(iter(last), None)}.get(form or "")
    if actor.kind not in _PLACES:
        return actor.name
    if form == "name":
        return actor.name
    if form == "inhabitants":
        return next((w for w in actor.adjectives if w.endswith("s") and w[:-1] in actor.adjectives), None)
    return next(iter({"adjective": actor.adjectives, "capital": actor.capitals}.get(form or "", ())), None)


def _stand_ins(namings: Iterable[_Naming], text: str, random: Random, table: ActorTable) -> dict[str, Actor]:
    """Draw another actor for every named one: states first, then the persons of these states.

    Raises:
        NotSafe: nobody fits after several draws.
    """
    forms: dict[str, set[str | None]] = {}
    for n in namings:
        forms.setdefault(n.actor.id, set()).add(n.form)
    for _ in range(_TRIES):
        drawn: dict[str, Actor] = {}
        for actor_id in sorted(forms, key=lambda i: (table[i].kind is Kind.PERSON, i)):
            actor = table[actor_id]
            taken = {*forms, *(a.id for a in drawn.values())}
            pool = [
                a for a in table if a.kind is actor.kind and a.id not in taken and _fits(a, actor, drawn, forms, text)
            ]
            if not pool:
                break
            drawn[actor_id] = random.choice(pool)
        else:
            return drawn
    raise NotSafe("no other name that fits")


def _fits(
    other: Actor, actor: Actor, drawn: Mapping[str, Actor], forms: Mapping[str, set[str | None]], text: str
) -> bool:
    if not all(_spelling(other, form) for form in forms[actor.id]) or other.name in text:
        return False
    if actor.kind is Kind.STATE:
        plain = _ONE_WORD.fullmatch(other.name) and _ADJECTIVE.fullmatch(_spelling(other, "adjective") or "")
        if not plain or _WITH_ARTICLE.match(other.name):
            return False
        own, new = (_spelling(a, "adjective") or "?" for a in (actor, other))
        alike = (own[0] in "AEIO") is (new[0] in "AEIO")
        return alike or not re.search(rf"\b[Aa]n? {re.escape(own)}", text)
    if actor.kind is not Kind.PERSON:
        return _ONE_WORD.fullmatch(other.name) is not None
    titles = {office.title for office in actor.offices}
    same_office = not titles or any(office.title in titles for office in other.offices)
    state = drawn.get(actor.state or "")
    belongs = other.state == state.id if state else other.state != actor.state and other.state not in forms
    return same_office and belongs


def _check_left_over(text: str, namings: Iterable[_Naming]) -> None:
    """Refuse a text that names a moved actor elsewhere too ("one-China policy", "pro-Russian")."""
    rest = list(text)
    names: set[str] = set()
    for n in namings:
        rest[n.mention.start : n.mention.end] = " " * (n.mention.end - n.mention.start)
        names |= {name for name in (*n.actor.spellings, *n.actor.short_names) if len(name) > 3}
    left = "".join(rest)
    if any(name in left for name in names):
        raise NotSafe("a name that would be left over")


def _covers(span: Mention, other: Mention) -> bool:
    return span.start <= other.start and other.end <= span.end


def _named_by(holder: Holder, namings: Iterable[_Naming]) -> _Naming:
    for n in namings:
        if isinstance(holder, Mention) and (n.mention.start, n.mention.end) == (holder.start, holder.end):
            return n
    raise NotSafe("holder or target is no name of the actor table")


def _alike(one: Actor, two: Actor) -> bool:
    return one.kind is two.kind or {one.kind, two.kind} <= _PLACES


def _has_article(text: str, naming: _Naming) -> bool:
    """Whether the article before a name is the name's own: "the United States", but not "the Iran deal"."""
    own = naming.actor.kind not in {*_PLACES, Kind.PERSON} or (
        naming.form == "name" and _WITH_ARTICLE.match(naming.actor.name)
    )
    return bool(own and _AFTER_ARTICLE.search(text[: naming.mention.start]))


def _put(text: str, place: _Naming, other: _Naming) -> Iterator[Replacement]:
    """Put another name, with its article, in a place."""
    start, end = place.mention.start, place.mention.end
    yield Replacement(start, end, text[other.mention.start : other.mention.end])
    if _has_article(text, place) and not _has_article(text, other):
        yield Replacement(start - len("the "), start, "")
    elif _has_article(text, other) and not _has_article(text, place):
        yield Replacement(start, start, "the " if start else "The ")
