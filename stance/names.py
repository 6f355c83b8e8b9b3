"""Named actors in a document, found without being told whom to look for. Precision first.

Known names come from the actor table. Rules settle the ambiguous ones:

* The longest name wins: "South Korea", "Paris Agreement", "New Jersey" are not Korea, Paris, Jersey. "State of Kuwait"
  counts as "Kuwait", the shortest full name.
* Spellings in the table's ``not_names`` ("American Airlines", "Lake Chad") name nobody known.
* A name that several actors bear ("Congolese", "Assad") belongs to the first of them, unless the document names only a
  later one elsewhere. Georgia is the US state beside US cues, Washington beside other US states.
* A country that is also a given name ("Jordan", "Chad") is none after a given name or before a further name.
* A capital after "in", "at", "to", "from", "near" and the like is a place under its own name, in an address
  ("Embassy in Paris", "in Paris, France") nobody; else it is its state. Nor is the White House anybody after "at the".
* "West", "Fed", "House", "Guardian" and "Commons" need "the" before them. An adjective among languages spoken is none.
* A short name ("Xi", "May") counts after a title, or once the document has the full name or title and short name.

Unknown names (``unlisted.py``) count under their own name, an acronym in brackets after a name from there on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from stance.actors import Actor, ActorTable, Kind
from stance.spelling import Found, Lexicon, Passage, folded, one_line
from stance.unlisted import HEADS, ORDINARY, TITLES, find_bodies, find_persons, is_headline

_LOCATIVES = frozenset(
    ["in", "at", "to", "from", "near", "outside", "inside", "around", "into", "across", "via", "through"]
)
_NEED_ARTICLE = frozenset({"west", "fed", "guardian", "commons", "house"})
_ALSO_PERSONS = frozenset(
    {"jordan", "chad", "israel", "georgia", "paris", "sofia", "china", "cuba", "america", "ireland"}
)
_GIVEN_NAMES = frozenset({"jordan", "chad", "paris", "sofia", "israel"})  # a capital after them begins a surname
_ALSO_WORDS = frozenset({"us", "who"})  # in capitals only by headline style
_GEORGIA_CUES = re.compile(
    r"\b(Atlanta|Savannah|Ga\.|Gov\.|Sen\.|Rep\.|[Gg]overnor|[Ss]enators?|Republicans?|Democrat\w*|GOP|Kemp|Ossoff"
    r"|Warnock|Raffensperger|Stacey Abrams|Fulton County|Alabama|Arizona|Pennsylvania|Wisconsin|Michigan|Nevada|Florida"
    r"|Tennessee|(North|South) Carolina|Ohio|Iowa|Texas|Peach State|Marjorie Taylor Greene|Confederate)\b"
)
_US_STATES = re.compile(r"\b(Oregon|Idaho|Virginia|Wisconsin|Nevada|Montana|Utah|Vermont|Wyoming|Minnesota|Michigan)\b")
_LISTED_STATES = 2  # other states from which on "Washington" in their list is the state
_ADDRESS = re.compile(r"\b(?:Embassy|Embassies|Consulate|Mission) in $")
_LANGUAGES = re.compile(r"\b(speaks|fluent in|languages? (are|include|is))\b")
_ACRONYM = re.compile(r"\(\s*[“\"]?([A-Z][A-Za-z&+-]*[A-Z][A-Za-z0-9&+-]*|[A-Z]{2,}\d*)[”\"]?\s*\)")
_OFFICIAL = re.compile(r".*\b(?:Republic|Kingdom|State|Emirate|Sultanate|Commonwealth|Principality|Union) of (?:the )?")
_TITLE_IN_NAME = re.compile(
    r"(?:King|Queen|Prince|Pope|Sheikh|Emperor|Sultan|Ayatollah|Imam|Captain|Cardinal|Grand|Sir)\s+"
)
_FULL_TITLES = {"sen": "senator", "rep": "representative", "gov": "governor", "adviser": "advisor"}
_NEVER_ENCLOSED = (Kind.AGREEMENT, Kind.PERSON, Kind.INSTITUTION, Kind.COMPANY)  # by the name of an unlisted body
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
_NEAR, _AROUND = 80, 400  # characters
_BEFORE_MONTH = _LOCATIVES | frozenset(["last", "this", "since", "until", "by", "of", "early", "late", "mid", "next"])


class Name(NamedTuple):
    """One place that names an actor: his canonical name, and his id if the table knows him."""

    start: int
    end: int
    name: str
    id: str | None


class _Use(NamedTuple):
    """How a spelling names an actor: as "name", "adjective", "capital" or "metonym"."""

    actor_id: str
    role: str


def find_names(texts: Sequence[str], table: ActorTable | None = None) -> list[list[Name]]:
    """List the names in every sentence of one document, in order and without overlaps."""
    table = ActorTable.load() if table is None else table
    return _Document([Passage(text) for text in texts], table).names()


def names_place_only(text: str, start: int) -> bool:
    """Say whether the words before a capital make it a place rather than its state's government.

    >>> names_place_only("They met in Tehran", 12), names_place_only("Talks between Tehran and Paris", 14)
    (True, False)
    """
    before = text[max(0, start - _NEAR) : start].lower().split()[-2:]
    if before[-1:] == ["the"]:
        before.pop()
    return before[-1:] != [] and before[-1].lstrip('(“"') in _LOCATIVES


class _Document:
    """One document on its way from sentences to names."""

    def __init__(self, passages: list[Passage], table: ActorTable) -> None:
        self.passages = passages
        self.table = table
        self.found = [_lexicon(table).find(p.text, p.words) for p in passages]
        # Actors whom a name of their own names somewhere: they settle names that several bear.
        self.known = {
            f.payloads[0].actor_id for row in self.found for f in row if f.payloads[0] and len(f.payloads) == 1
        }

    def names(self) -> list[list[Name]]:
        rows = []
        for passage, found in zip(self.passages, self.found, strict=True):
            known = [name for place in found if (name := self._known_name(passage, place)) is not None]
            rows.append(known if is_headline(passage) else self._with_unlisted(passage, known))
        shorts = Lexicon(dict.fromkeys(self._short_names(rows)))
        return [_with_short_names(p, row, shorts) for p, row in zip(self.passages, rows, strict=True)]

    def _known_name(self, passage: Passage, place: Found[_Use | None]) -> Name | None:
        uses = [use for use in place.payloads if use is not None]
        if not uses:
            return None
        use = next((u for u in uses if len(uses) > 1 and u.actor_id in self.known), uses[0])
        actor = self.table[use.actor_id]
        spelt = passage.text[place.start : place.end]
        if use.role in ("capital", "metonym") and names_place_only(passage.text, place.start):
            address = (
                use.role == "metonym"
                or _ADDRESS.search(passage.text, max(0, place.start - _NEAR), place.start)
                or self._before_state(passage, place)
            )
            return None if address else Name(place.start, place.end, one_line(spelt), None)
        if actor.kind is Kind.REGION or self._means_another(passage, place, use, spelt):
            return None
        actor = self._us_state(_around(passage.text, place.start), folded(spelt)) or actor
        excess = _excess(spelt, actor, self.table)
        return Name(place.start + excess, place.end, actor.name, actor.id)

    def _us_state(self, text: str, key: str) -> Actor | None:
        """Give the US state that shares its name with another actor, where cues speak for it."""
        if key == "georgia" and "US-GA" in self.table and _GEORGIA_CUES.search(text):
            return self.table["US-GA"]
        if key == "washington" and "US-WA" in self.table and len(_US_STATES.findall(text)) >= _LISTED_STATES:
            return self.table["US-WA"]
        return None

    def _before_state(self, passage: Passage, place: Found[_Use | None]) -> bool:
        """Say whether a comma and a state's name follow, as in an address."""
        i = passage.span(place.start, place.end).stop
        name = self.table.find(passage.raw(i + 1)) if passage.raw(i) == "," and passage.has_capital(i + 1) else None
        return name is not None and name.kind is Kind.STATE

    def _means_another(self, passage: Passage, place: Found[_Use | None], use: _Use, spelt: str) -> bool:
        """Say whether a table's name stands here for something else; the rules are in the module's docstring."""
        key, text = folded(spelt), _around(passage.text, place.start)
        words = passage.span(place.start, place.end)
        if key in _NEED_ARTICLE:
            return passage.raw(words.start - 1).lower() != "the" or _word_after(passage, words) == "of"
        if key in _ALSO_WORDS and spelt.isupper() and "." not in spelt:
            return text == text.upper()
        if use.role == "adjective":
            return _LANGUAGES.search(text) is not None
        if key == "democratic":
            return words.start == 0
        return key in _ALSO_PERSONS and _is_part_of_person(passage, words, key, self.table)

    def _with_unlisted(self, passage: Passage, known: list[Name]) -> list[Name]:
        """Add names that the table does not list; a body may enclose known names, but not cut one in two."""
        owner = {i: name for name in known for i in passage.span(name.start, name.end)}
        fixed = {i for i, name in owner.items() if name.id and self.table[name.id].kind in _NEVER_ENCLOSED}
        last_words = {i for i, name in owner.items() if owner.get(i + 1) is not name}
        kept = set(known)
        for run in find_bodies(passage, fixed, last_words):
            body = self._unlisted(passage, run)
            inside = {owner[i] for i in range(*run) if i in owner}
            same = any((n.start, n.end) == (body.start, body.end) for n in inside)
            if not same and all(body.start <= n.start and n.end <= body.end for n in inside):
                kept = kept - inside | {body}
                owner |= dict.fromkeys(range(*run), body)
        kept |= {self._person(passage, run) for run in find_persons(passage, owner, self.table.given_names)}
        return sorted([*kept, *_acronyms(passage.text, kept)], key=_place)

    def _unlisted(self, passage: Passage, run: tuple[int, int]) -> Name:
        start, end = passage.words[run[0]].start, passage.words[run[1] - 1].end
        if passage.words[run[1] - 1].form in ("jr", "sr") and passage.text[end : end + 1] == ".":
            end += 1
        return Name(start, end, one_line(passage.text[start:end]), None)

    def _person(self, passage: Passage, run: tuple[int, int]) -> Name:
        """Name a person; a short name is that of its one bearer who is known to the document or fits the title."""
        name = self._unlisted(passage, run)
        bearers = self.table.short_name_bearers(name.name)
        fitting = [a for a in bearers if a.id in self.known]
        if not fitting and run[0] > 0:
            fitting = [a for a in bearers if _fits(a, passage.words[run[0] - 1].form)]
        return name._replace(name=fitting[0].name, id=fitting[0].id) if len(fitting) == 1 else name

    def _short_names(self, rows: list[list[Name]]) -> Iterator[tuple[str, Name]]:
        """List the short names and acronyms that the document has introduced."""
        for row, passage in zip(rows, self.passages, strict=True):
            for name in row:
                key = name._replace(start=0, end=0)
                if name.id is not None:
                    yield from ((short, key) for short in self.table[name.id].short_names)
                    continue
                words = [word for word in name.name.split() if folded(word) not in _SUFFIXES]
                if len(words) > 1 and words[0] in self.table.given_names:
                    yield words[-1], key
                spelt = passage.text[name.start : name.end]
                if spelt != name.name or (len(words) == 1 and name.name.isupper()):
                    yield spelt, key


@lru_cache(maxsize=4)
def _lexicon(table: ActorTable) -> Lexicon[_Use | None]:
    entries: list[tuple[str, _Use | None]] = [(name, None) for name in table.not_names]
    entries += [(name, _Use(i, "name")) for name, ids in table.shared.items() for i in ids if i in table]
    for actor in table:
        entries += [(name, _Use(actor.id, role)) for name, role in _roles(actor) if name not in table.shared]
    return Lexicon(entries)


def _roles(actor: Actor) -> Iterator[tuple[str, str]]:
    for role, names in (
        ("name", (actor.name, *actor.aliases)),
        ("adjective", actor.adjectives),
        ("capital", actor.capitals),
        ("metonym", actor.metonyms),
    ):
        for name in names:
            yield name, role


def _excess(spelt: str, actor: Actor, table: ActorTable) -> int:
    """Count the characters before the shortest full name: "State of" before "Kuwait", "King" before "Abdullah"."""
    if actor.kind is Kind.STATE:
        official = _OFFICIAL.match(spelt)
        short = spelt[official.end() :] if official else ""
        return len(spelt) - len(short) if short in actor.spellings and short not in table.shared else 0
    title = _TITLE_IN_NAME.match(spelt) if actor.kind is Kind.PERSON else None
    return title.end() if title else 0


def _fits(actor: Actor, title: str) -> bool:
    """Say whether a title is that of an office the actor held; the table gives members of Congress none."""
    title = _FULL_TITLES.get(title, title)
    if title in ("senator", "representative", "congressman", "congresswoman"):
        return actor.state == "USA" and not actor.offices
    return any(title in folded(office.title).split() for office in actor.offices)


def names_person(text: str, start: int, end: int, table: ActorTable) -> bool:
    """Say whether a country's name is part of a person's: "Michael Jordan", "Jordan Peele"."""
    key = folded(text[start:end])
    if key not in _ALSO_PERSONS:
        return False
    passage, shift = Passage(_around(text, start)), max(0, start - _AROUND)
    return _is_part_of_person(passage, passage.span(start - shift, end - shift), key, table)


def _is_part_of_person(passage: Passage, words: range, key: str, table: ActorTable) -> bool:
    i = words.start
    if i > 0 and passage.adjacent(i - 1) and passage.raw(i - 1) in table.given_names:
        return True
    after = _word_after(passage, words)
    surname = after[:1].isupper() and after[1:].islower() and after.lower() not in TITLES | HEADS | ORDINARY
    return surname and key in _GIVEN_NAMES


def _around(text: str, start: int) -> str:
    """Give the text near a place, so that the cost stays in proportion to the length of the text."""
    return text[max(0, start - _AROUND) : start + _AROUND]


def _word_after(passage: Passage, words: range) -> str:
    """Give the word right after a name, empty if a sign stands between."""
    i = words.stop
    return (
        passage.raw(i)
        if i < len(passage) and passage.text[passage.words[i - 1].end : passage.words[i].start] == " "
        else ""
    )


def _with_short_names(passage: Passage, names: list[Name], shorts: Lexicon[Name]) -> list[Name]:
    new = []
    covered = {k for name in names for k in range(name.start, name.end)}
    for place in shorts.find(passage.text, passage.words):
        if covered.isdisjoint(range(place.start, place.end)) and not _is_month(passage.text, place.start, place.end):
            new.append(place.payloads[0]._replace(start=place.start, end=place.end))
    return sorted([*names, *new], key=_place)


def _place(name: Name) -> tuple[int, int]:
    return name.start, name.end


def _acronyms(text: str, names: Iterable[Name]) -> Iterator[Name]:
    """Find acronyms in brackets right after a name; they name the same actor."""
    ends = {name.end: name for name in names}
    covered = {k for name in names for k in range(name.start, name.end)}
    for match in _ACRONYM.finditer(text):
        start, end = match.span(1)
        owner = ends.get(match.start()) or ends.get(match.start() - 1)
        if owner is not None and covered.isdisjoint(range(start, end)):
            yield Name(start, end, owner.name, owner.id)


def _is_month(text: str, start: int, end: int) -> bool:
    if text[start:end] != "May":
        return False
    before = text[max(0, start - _NEAR) : start].rstrip().rpartition(" ")[2].lower()
    return before in _BEFORE_MONTH or text[end : end + 2].lstrip()[:1].isdigit()
