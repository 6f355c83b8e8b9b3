"""Whom we look for, and where they are named.

With targets given, ``find_mentions`` finds every place that names one of them. Without, the actor table's names count
and so do unknown names that show what they are; ``names.py`` says how.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from stance.actors import Actor, ActorTable
from stance.errors import TargetError
from stance.names import Name, find_names, names_person, names_place_only
from stance.sentences import Sentence, Span
from stance.spelling import Lexicon, folded, one_line
from stance.tagged import join_tagged

_ROLES = (
    "(?:[Vv]ice |[Pp]rime |[Ff]oreign |[Dd]efen[cs]e )?(?:[Pp]resident|[Mm]inister|[Cc]hancellor|[Ss]ecretary"
    "|[Ss]ecretary-[Gg]eneral|[Kk]ing|[Aa]mbassador|[Gg]overnor|[Ss]enator|[Ll]eader|[Oo]fficial|[Ss]econd [Gg]entleman"
    "|[Nn]ational [Ss]ecurity [Aa]dvis[oe]r|[Ff]irst [Ll]ady|[Dd]elegation|[Gg]overnment|[Aa]dministration|[Cc]ompany"
    "|[Gg]roup|[Pp]arty)"
)
_SIDES = "(?:[Ll]eaders|[Ss]ides|[Cc]ountries|[Nn]ations|[Pp]arties|[Gg]overnments|[Dd]elegations|[Pp]articipants)"
_CROWDS = (
    "(?:[Ss]upporters|[Cc]ritics|[Oo]pponents|[Pp]rotesters|[Aa]ctivists|[Pp]rosecutors|[Aa]uthorities|[Mm]ilitants)"
)
# Whoever holds a stance without being named: pronouns, then noun phrases of a closed class. "I", "we": the author.
_HOLDERS = re.compile(
    rf"\b(?:(?:[Hh]e|[Ss]he|[Tt]hey)(?![’'])|^It|(?:[Tt]he|[Bb]oth|[Tt]he (?:two|three|four)) (?:{_ROLES}s?|{_SIDES})"
    rf"|(?:[Tt]his|[Hh]is|[Hh]er|[Oo]ur|[Ii]ts|[Tt]heir) (?:[Aa]dministration|[Gg]overnment)"
    rf"|^Both(?= [a-z]+)|[Tt]he two(?= [a-z]+ed\b| also\b)"
    rf"|(?:[Oo]ur |[Ii]ts )?[Aa]llies(?: and [Pp]artners)?|{_CROWDS})\b(?! [A-Z][a-z]|-)".replace(" ", r"\s")
)


@dataclass(frozen=True, slots=True)
class Target:
    """Name an actor, agreement, policy or institution toward which a stance is judged.

    ``aliases`` are further spellings under which the text may name it, kept as a tuple; they take no part in equality.
    ``id`` is the actor table's identifier (ISO 3166 alpha-3 for states) where the target is in it.
    ``expand`` says whether the table's names for it count too.

    Raises:
        TargetError: the name or an alias is empty.
    """

    name: str
    aliases: Sequence[str] = field(default=(), compare=False)
    id: str | None = None
    expand: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        aliases: object = self.aliases
        if isinstance(aliases, str):
            raise TargetError(
                f"expected aliases as a list of names; got the string {aliases!r}; write aliases=[{aliases!r}]"
            )
        if not isinstance(aliases, Iterable):
            raise TargetError(f"expected aliases as a list of names; got {aliases!r}; leave them out or write a list")
        object.__setattr__(self, "aliases", tuple(self.aliases))
        for name in (self.name, *self.aliases):
            if not isinstance(name, str) or not any(c.isalnum() for c in name):
                raise TargetError(f"expected a target's name to hold a letter or digit; got {name!r}; give it a name")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a sentence names an actor: half-open character offsets into the sentence.

    ``target`` is the actor named there. A noun phrase or pronoun stands under its own words.
    """

    start: int
    end: int
    target: Target

    @property
    def name(self) -> str:
        """The canonical name of whom the mention names."""
        return self.target.name

    def __str__(self) -> str:
        return self.target.name


class MentionFinder:
    """Finds every place that names one of many targets, whole words only, in time linear in the text.

    Matching is that of ``spelling.py``. Where names overlap the longest wins: with a target "Iran" and a target with
    the alias "Iran nuclear deal", these three words name the second only. A spelling of two targets names both.

    Args:
        targets: whom to find, under their names and aliases as they stand; see ``expand_targets`` for the table's.
        case_aware: whether a capital in a name asks for one in the text.
        not_names: longer spellings inside which no target is named.
    """

    def __init__(self, targets: Iterable[Target], *, case_aware: bool = True, not_names: Iterable[str] = ()) -> None:
        self.targets = tuple(targets)
        entries = [(name, target) for target in self.targets for name in (target.name, *target.aliases)]
        if not case_aware:
            entries = [(name.lower(), target) for name, target in entries]
        blocked: list[tuple[str, Target | None]] = [(name, None) for name in not_names]
        self._lexicon: Lexicon[Target | None] = Lexicon([*entries, *blocked])

    def find(self, text: str) -> list[Mention]:
        """List every mention in text, in order.

        >>> finder = MentionFinder([Target("Iran"), Target("JCPOA", aliases=["Iran nuclear deal"])])
        >>> [(m.start, m.end, m.name) for m in finder.find("Iran left the Iran nuclear deal; Iran's aim is clear.")]
        [(0, 4, 'Iran'), (14, 31, 'JCPOA'), (33, 37, 'Iran')]
        """
        found = []
        for place in self._lexicon.find(text):
            named = {target for target in place.payloads if target is not None}
            found += [Mention(place.start, place.end, t) for t in sorted(named, key=lambda t: (t.name, t.id or ""))]
        return found


def expand_targets(targets: Iterable[str | Target], table: ActorTable | None = None) -> list[Target]:
    """Give every target the names that the actor table knows for it: aliases, adjectives, capital, metonyms.

    A target keeps its own name and aliases; its leaders are not among them. One with ``expand=False`` stays as it is.

    >>> iran = expand_targets(["Iran"])[0]
    >>> iran.id, [name for name in iran.aliases if name in ("Iranian", "Tehran", "Rouhani")]
    ('IRN', ['Iranian', 'Tehran'])

    Raises:
        TargetError: a target is empty, or two name the same actor.
    """
    table = ActorTable.load() if table is None else table
    if isinstance(targets, str):
        raise TargetError(f"expected a list of targets; got the string {targets!r}; write [{targets!r}]")
    if not isinstance(targets, Iterable):
        raise TargetError(f"expected a list of targets; got {type(targets).__name__}; write [...]")
    expanded: dict[str, Target] = {}
    for given in targets:
        if not isinstance(given, str | Target):
            raise TargetError(f"expected every target as a name or Target; got {type(given).__name__}; correct it")
        target = _expanded(Target(given) if isinstance(given, str) else given, table)
        key = target.id or folded(target.name)
        other = expanded.setdefault(key, target)
        if other is not target:
            raise TargetError(
                f"expected each target once; got {other.name!r} and {target.name!r}, which are the same; remove one"
            )
    return list(expanded.values())


def as_target(actor: Actor) -> Target:
    """Make a target of an actor, with every name that counts without introduction."""
    return Target(actor.name, actor.spellings[1:], actor.id)


def find_mentions(
    sentences: Sequence[Sentence],
    targets: Sequence[str | Target] | MentionFinder | None = None,
    *,
    table: ActorTable | None = None,
    tagged: Sequence[Sequence[Span]] | None = None,
) -> list[list[Mention]]:
    """List the mentions in every sentence of one document.

    Targets given as names are expanded from the table; a ``MentionFinder`` (see ``target_finder``) saves doing so for
    every document. With None the finder looks for named actors on its own, joined with those at ``tagged``, where a
    model's tagger found names in every sentence (``PairScorer.tag``). In both cases a person's short name ("Xi") counts
    only if the document introduces him, and a capital after "in", "at", "to", "from", "near" is a place, not its state.

    Raises:
        TargetError: a target is empty, or two are the same.
    """
    table = ActorTable.load() if table is None else table
    texts = [sentence.text for sentence in sentences]
    if targets is None:
        named = [[_mention(name, table) for name in names] for names in find_names(texts, table)]
        return named if tagged is None else add_tagged(sentences, named, tagged, table=table)
    finder = targets if isinstance(targets, MentionFinder) else target_finder(targets, table)
    found = [[m for m in finder.find(text) if not _means_another(m, text, table)] for text in texts]
    return _with_short_names(found, texts, table)


def add_tagged(
    sentences: Sequence[Sentence],
    mentions: Sequence[Sequence[Mention]],
    tagged: Sequence[Sequence[Span]],
    *,
    table: ActorTable | None = None,
) -> list[list[Mention]]:
    """Join the named actors that ``find_mentions`` found in sentences with the names at ``tagged``."""
    table = ActorTable.load() if table is None else table
    joined = []
    for sentence, known, spans in zip(sentences, mentions, tagged, strict=True):
        names = [Name(m.start, m.end, m.name, m.target.id) for m in known]
        joined.append([_mention(name, table) for name in join_tagged(sentence.text, names, spans, table)])
    return joined


def find_holders(sentence: Sentence, mentions: Iterable[Mention] = ()) -> list[Mention]:
    """List whoever could hold a stance without a name: pronouns and noun phrases outside ``mentions``.

    >>> [m.name for m in find_holders(Sentence.of("They met, and both leaders thanked the President."))]
    ['They', 'both leaders', 'the President']
    """
    covered = {k for m in mentions for k in range(m.start, m.end)}
    return [
        Mention(match.start(), match.end(), Target(one_line(match.group()), expand=False))
        for match in _HOLDERS.finditer(sentence.text)
        if covered.isdisjoint(range(match.start(), match.end()))
    ]


def target_finder(targets: Iterable[str | Target], table: ActorTable | None = None) -> MentionFinder:
    """Expand targets and compile their finder; names of other actors that contain a target's name do not count.

    "Guinea" is not found in "Papua New Guinea", nor "Iran" in "Iran nuclear deal".

    Raises:
        TargetError: a target is empty, or two are the same.
    """
    table = ActorTable.load() if table is None else table
    expanded = expand_targets(targets, table)
    pieces = {piece for t in expanded if t.expand for name in (t.name, *t.aliases) for piece in name.split()}
    words = {word for piece in pieces for word in folded(piece).split()}
    others = [name for name, forms in _spellings(table) if len(forms) > 1 and not words.isdisjoint(forms)]
    return MentionFinder(expanded, not_names=others)


def _expanded(target: Target, table: ActorTable) -> Target:
    if not target.expand:
        return target
    actor = table[target.id] if target.id and target.id in table else table.find(target.name)
    if actor is None:
        return target
    known = [target.name, *target.aliases]
    names = dict.fromkeys([*target.aliases, *(n for n in actor.spellings if n not in known)])
    return Target(target.name, tuple(names), actor.id)


@lru_cache(maxsize=4)
def _spellings(table: ActorTable) -> tuple[tuple[str, frozenset[str]], ...]:
    names = [*table.not_names, *(name for actor in table for name in actor.spellings)]
    return tuple((name, frozenset(folded(name).split())) for name in names)


@lru_cache(maxsize=4)
def _table_targets(table: ActorTable) -> dict[str, Target]:
    return {actor.id: as_target(actor) for actor in table}


def _mention(name: Name, table: ActorTable) -> Mention:
    target = Target(name.name) if name.id is None else _table_targets(table)[name.id]
    return Mention(name.start, name.end, target)


def _means_another(mention: Mention, text: str, table: ActorTable) -> bool:
    """Say whether a name that the table added stands here for a place or is part of a person's name."""
    target = mention.target
    if target.id is None or target.id not in table or not target.expand:
        return False
    spelt, actor = text[mention.start : mention.end], table[target.id]
    if spelt != target.name and spelt in (*actor.capitals, *actor.metonyms):
        return names_place_only(text, mention.start)
    return names_person(text, mention.start, mention.end, table)


def _with_short_names(found: list[list[Mention]], texts: Sequence[str], table: ActorTable) -> list[list[Mention]]:
    """Add short names of the actors whom the document names in full."""
    named = {m.target for mentions in found for m in mentions if m.target.expand and m.target.id in table}
    short = [Target(t.name, table[t.id].short_names, t.id) for t in named if t.id and table[t.id].short_names]
    if not short:
        return found
    finder = MentionFinder(short)
    return [_joined(mentions, finder.find(text)) for mentions, text in zip(found, texts, strict=True)]


def _joined(mentions: list[Mention], further: list[Mention]) -> list[Mention]:
    covered = {k for m in mentions for k in range(m.start, m.end)}
    new = [m for m in further if covered.isdisjoint(range(m.start, m.end))]
    return sorted([*mentions, *new], key=lambda m: (m.start, m.end, m.name))
