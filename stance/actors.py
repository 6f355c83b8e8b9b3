"""The actor table: who is who, under which names, and who held which office when.

The shipped table (``data/actors.json``, made by ``training/build_actors.py``) knows states and territories, leaders
since 1990, international organisations, armed groups, parties, agreements and institutions. A user's own table is JSON
or CSV with the same fields. Facts only: how names are found in a text is the matter of ``names.py`` and ``targets.py``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from stance.errors import DataError, StanceError, TargetError
from stance.offices import Office, as_day
from stance.spelling import folded

_SHIPPED = Path(__file__).parent / "data" / "actors.json"
_LISTS = ("aliases", "adjectives", "capitals", "metonyms", "short_names")
_FIELDS = ("id", "name", "kind", *_LISTS, "state", "offices")


class Kind(StrEnum):
    """What an actor is.

    A territory is a place that acts or is acted upon without being a state; a people is a nation or faith; a region is
    too wide to act and is never found unless it is asked for.
    """

    STATE = "state"
    TERRITORY = "territory"
    PEOPLE = "people"
    REGION = "region"
    PERSON = "person"
    ORGANISATION = "organisation"
    ARMED_GROUP = "armed_group"
    PARTY = "party"
    AGREEMENT = "agreement"
    INSTITUTION = "institution"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor: canonical name, kind and every name it goes by.

    ``aliases`` name it anywhere; ``adjectives`` are adjectives and inhabitants ("Iranian", "Iranians"); ``capitals``
    and ``metonyms`` ("Tehran", "Kremlin") stand for a state as an actor; ``short_names`` ("Xi") name it only where the
    text has introduced it. ``state`` is the ISO 3166 alpha-3 code of the state that a person or body belongs to.

    Raises:
        TargetError: the id, the name or an alias is empty.
    """

    id: str
    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    capitals: tuple[str, ...] = ()
    metonyms: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()
    state: str | None = None
    offices: tuple[Office, ...] = ()

    def __post_init__(self) -> None:
        if not self.id.strip():
            raise TargetError(f"expected an actor with an id; got {self.id!r} for {self.name!r}; give it one")
        for name in (self.name, *self.spellings, *self.short_names):
            if not any(c.isalnum() for c in name):
                raise TargetError(
                    f"expected names with a letter or digit for {self.id!r}; got {name!r}; remove or fill it"
                )

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name that counts without introduction, the canonical one first."""
        return (self.name, *self.aliases, *self.adjectives, *self.capitals, *self.metonyms)

    def in_office(self, on: str | date) -> tuple[Office, ...]:
        """List the offices held on a day."""
        day = as_day(on)
        return tuple(office for office in self.offices if office.held_on(day))

    @classmethod
    def find(cls, name: str, on: str | date | None = None) -> Actor | None:
        """Look a name up in the shipped table; see ``ActorTable.find``.

        >>> Actor.find("Rouhani", on="2021-08-01").name
        'Hassan Rouhani'
        """
        return ActorTable.load().find(name, on)


class ActorTable:
    """Actors by id and by name.

    Args:
        actors: the records; where two share a name the earlier one bears it.
        shared: names that several actors bear, each with their ids in order of preference.
        not_names: spellings that contain an actor's name and do not mean him ("American Airlines").
        given_names: first names, which tell a person's name from other words with capitals.

    Raises:
        TargetError: two actors have the same id.
    """

    def __init__(
        self,
        actors: Iterable[Actor],
        *,
        shared: Mapping[str, Sequence[str]] | None = None,
        not_names: Iterable[str] = (),
        given_names: Iterable[str] = (),
    ) -> None:
        self._by_id: dict[str, Actor] = {}
        for actor in actors:
            if actor.id in self._by_id:
                raise TargetError(f"expected each id once; got {actor.id!r} twice; remove or rename one actor")
            self._by_id[actor.id] = actor
        self.shared = {name: tuple(ids) for name, ids in (shared or {}).items()}
        self.not_names = tuple(not_names)
        self.given_names = frozenset(given_names)

    @classmethod
    def load(cls) -> ActorTable:
        """Give the table shipped with the library; read once."""
        return _load_shipped()

    @classmethod
    def from_file(cls, path: str | Path) -> ActorTable:
        """Read a user's table: JSON (a list of records, or an object with ``actors``) or CSV with a header.

        Fields: id, name, kind, and any of aliases, adjectives, capitals, metonyms, short_names, state, offices. In CSV
        the entries of a list are separated by ``|``. An office is written ``title since..until``.

        Raises:
            DataError: the file cannot be read or a row breaks the format; the message names file and row.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"expected a readable UTF-8 actor table; got {error}; correct the path", path) from None
        if path.suffix.lower() == ".csv":
            return cls(_unique(_csv_records(text, path), path))
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(f"expected JSON; got {error.msg}; correct the file", path, error.lineno) from None
        header = content if isinstance(content, dict) else {"actors": content}
        records = header.get("actors")
        if not isinstance(records, list):
            raise DataError(f"expected a list of actors; got {type(records).__name__}; write a JSON list", path)
        actors = _unique(enumerate(records, start=1), path)
        return cls(actors, **_rules(header, path))

    def merged_with(self, other: ActorTable) -> ActorTable:
        """Join two tables; a record of ``other`` replaces one with the same id and its names come first."""
        mine = [actor for actor in self if actor.id not in other]
        shared = self.shared | other.shared
        for actor in reversed([*other]):
            for name in actor.spellings:
                if name in self.shared and name not in other.shared:  # a rule of ours for a name that is theirs now
                    shared[name] = (actor.id, *(i for i in shared[name] if i != actor.id))
        return ActorTable(
            [*other, *mine],
            shared=shared,
            not_names=dict.fromkeys((*self.not_names, *other.not_names)),
            given_names=self.given_names | other.given_names,
        )

    def find(self, name: str, on: str | date | None = None) -> Actor | None:
        """Find the actor a name belongs to, whatever its case and accents; None if nobody or several could be meant.

        Where several share a name ("Bush"), ``on`` (ISO date) picks the one in office that day. A name that a rule in
        ``shared`` gives to one of them is his ("Georgia" is the state); in a text the words around it may decide
        otherwise, as ``names.py`` says.

        >>> ActorTable.load().find("Georgia").id, ActorTable.load().find("Washington").id
        ('GEO', 'USA')

        Raises:
            TargetError: ``on`` is no ISO date.
        """
        day = None if on is None else as_day(on)
        key = folded(name)
        bearers = self._by_name.get(key) or self._by_short_name.get(key, ())
        if len(bearers) > 1 and day is not None:
            bearers = tuple(a for a in bearers if a.in_office(day)) or bearers
        if key in self._by_name and bearers:
            return bearers[0]
        return bearers[0] if len(bearers) == 1 else None

    def short_name_bearers(self, name: str) -> tuple[Actor, ...]:
        """List the persons whom a short name can mean once they are introduced."""
        return self._by_short_name.get(folded(name), ())

    def holders_of_office(self, state: str, on: str | date) -> list[Actor]:
        """List the persons of a state (ISO 3166 alpha-3) who held any office on a day."""
        return [actor for actor in self if actor.state == state and actor.in_office(on)]

    def __getitem__(self, actor_id: str) -> Actor:
        return self._by_id[actor_id]

    def __contains__(self, actor_id: object) -> bool:
        return actor_id in self._by_id

    def __iter__(self) -> Iterator[Actor]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    @cached_property
    def _by_name(self) -> dict[str, tuple[Actor, ...]]:
        preferred = [(name, self._by_id[i]) for name, ids in self.shared.items() for i in ids if i in self]
        return _index([*preferred, *((name, actor) for actor in self for name in actor.spellings)])

    @cached_property
    def _by_short_name(self) -> dict[str, tuple[Actor, ...]]:
        return _index((name, actor) for actor in self for name in actor.short_names)


@cache
def _load_shipped() -> ActorTable:
    return ActorTable.from_file(_SHIPPED)


def _index(names: Iterable[tuple[str, Actor]]) -> dict[str, tuple[Actor, ...]]:
    index: dict[str, list[Actor]] = {}
    for name, actor in names:
        bearers = index.setdefault(folded(name), [])
        if actor not in bearers:
            bearers.append(actor)
    return {name: tuple(bearers) for name, bearers in index.items()}


def _csv_records(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text.splitlines(keepends=True), restkey="", strict=True)
    while True:
        first = max(reader.line_num, 1) + 1  # the header is read with the first row
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(f"expected CSV; got {error}; quote the cell", path, first) from None
        if row is None:
            return
        if "" in row:
            message = f"expected as many cells as the header; got {row['']!r} beyond it; divide a list's entries by |"
            raise DataError(message, path, reader.line_num)
        record: dict[str, Any] = {key: value for key, value in row.items() if value}
        for key in (*_LISTS, "offices"):
            if key in record:
                record[key] = [entry.strip() for entry in record[key].split("|")]
        yield reader.line_num, record


def _rules(header: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Read the rules beside the actors of a JSON file."""
    shared = header.get("shared", {})
    if not isinstance(shared, dict):
        raise DataError(f"expected 'shared' as an object; got {shared!r}; give each name a list of ids", path)
    lists = {key: header.get(key, []) for key in ("not_names", "given_names")}
    try:
        rules = {key: _names(value, key) for key, value in lists.items()}
        return {"shared": {name: _names(ids, name) for name, ids in shared.items()}, **rules}
    except TargetError as error:
        raise DataError(str(error), path) from None


def _unique(records: Iterable[tuple[int, Any]], path: Path) -> Iterator[Actor]:
    """Build the actors of a file one by one, so that an error can name its row."""
    rows: dict[str, int] = {}
    for row, record in records:
        try:
            actor = _actor(record)
        except StanceError as error:
            raise DataError(str(error), path, row) from None
        first = rows.setdefault(actor.id, row)
        if first != row:
            raise DataError(f"expected each id once; got {actor.id!r} as in row {first}; rename one", path, row)
        yield actor


def _actor(record: Any) -> Actor:
    """Build an actor from one record."""
    if not isinstance(record, dict):
        raise TargetError(f"expected an actor as an object; got {record!r}; write its fields by name")
    unknown = [key for key in record if key not in _FIELDS]
    if unknown:
        raise TargetError(f"expected fields out of {', '.join(_FIELDS)}; got {unknown[0]!r}; rename or remove it")
    texts = {key: record.get(key) for key in ("id", "name", "kind")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise TargetError(f"expected the field {key!r} as text; got {value!r}; fill it in")
    try:
        kind = Kind(record["kind"])
    except ValueError:
        raise TargetError(f"expected a kind out of {', '.join(Kind)}; got {record['kind']!r}; choose one") from None
    if not isinstance(record.get("state", ""), str):
        raise TargetError(
            f"expected the field 'state' as text; got {record['state']!r}; write the state's id or nothing"
        )
    lists = {key: _names(record.get(key, ()), key) for key in _LISTS}
    offices = tuple(Office.parse(text) for text in _names(record.get("offices", ()), "offices"))
    return Actor(record["id"], record["name"], kind, **lists, state=record.get("state"), offices=offices)


def _names(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise TargetError(f"expected {key!r} as a list of names; got {value!r}; write a list")
    return tuple(value)
