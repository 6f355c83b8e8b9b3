"""Build ``stance/data/actors.json``: the actor table shipped with the library.

Usage: ``python -m training.build_actors FACTS_FOLDER``

Sources, all of them used for facts only (names, capitals, dates):

* ``countries_factbook.json``: CIA World Factbook, public domain; adjectives, capitals, who governs now and since when.
* ``countries_iso.json``: names of ISO 3166 countries, Open Database Licence 1.0 (attribution is kept in the output).
* ``leaders_reign_1945_2021.csv``: REIGN, Rulers, Elections and Irregular Governance (Bell 2016), MIT; dates of leaders.
* ``training/actors_extra.json``: written by hand for this project; full names, organisations, agreements, rules.

The output is deterministic and has one actor a line, so that a change reads well as a diff.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stance.actors import Kind
from stance.errors import DataError
from stance.offices import Office
from stance.spelling import folded

_EXTRA = Path(__file__).parent / "actors_extra.json"
_OUTPUT = Path(__file__).parents[1] / "stance" / "data" / "actors.json"
_KNOWN_ON = "2026-01-31"
_FIRST_YEAR = 1990
_ABOUT = {
    "what": "Actor table of the library stance; made by training/build_actors.py, do not edit by hand",
    "known_on": _KNOWN_ON,
    "sources": [
        "CIA World Factbook, public domain: adjectives, capitals, present leaders",
        "names of ISO 3166 countries, Open Database Licence 1.0, https://opendatacommons.org/licenses/odbl/1-0/",
        "REIGN (Rulers, Elections and Irregular Governance), One Earth Future Foundation, MIT licence: leaders' dates",
        "written by hand for this project: full names, organisations, parties, armed groups, agreements",
    ],
}
# The fact files' own codes where they are not ISO 3166 alpha-3.
_ISO_FIXES = {"UNK": "XKX"}
_FACTBOOK_NAMES = {
    "none": None, "DRC": "COD", "Congo (Brazzaville)": "COG", "The Dominican": "DOM", "The Bahamas": "BHS",
    "The Gambia": "GMB", "Burma": "MMR", "Holy See (Vatican City)": "VAT", "Falkland Islands (Islas Malvinas)": "FLK",
}  # fmt: skip
_FAMILY_NAME_FIRST = frozenset({"CHN", "KOR", "PRK", "TWN"})
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SINCE = re.compile(r"\(since (?:(?P<day>\d{1,2}) )?(?:(?P<month>[A-Z][a-z]+) )?(?P<year>\d{4})")

Record = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Write the table; the folder of the fact files is the one argument."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    table = build(Path(arguments[0]))
    _OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    _OUTPUT.write_text(to_text(table), encoding="utf-8", newline="\n")
    return 0


def build(facts: Path) -> Record:
    """Join the sources into one table.

    Raises:
        DataError: two actors share an id, or a name without a rule in ``shared``.
    """
    extra = json.loads(_EXTRA.read_text(encoding="utf-8"))
    iso = {
        _ISO_FIXES.get(r["iso3"], r["iso3"]): r for r in json.loads((facts / "countries_iso.json").read_text("utf-8"))
    }
    factbook = _factbook_by_id(json.loads((facts / "countries_factbook.json").read_text("utf-8")), iso)
    actors = [_state(row, iso, factbook, extra["shared"]) for row in extra["states"]]
    missing = sorted(set(iso) - {actor["id"] for actor in actors})
    if missing:
        raise DataError(f"expected a row for every ISO country; got none for {missing}; add them to states", _EXTRA)
    actors += [_us_state(row) for row in extra["us_states"]]
    actors += [_other(row) for row in extra["others"]]
    reign = _reign(facts / "leaders_reign_1945_2021.csv", extra["reign"])
    bare = {folded(name) for name in extra["bare"]}
    actors += [_person(row, reign, factbook, bare) for row in extra["people"]]
    _check(actors, extra["shared"])
    names = {folded(name) for actor in actors for name in _names(actor)}
    not_names = [name for name in extra["not_names"] if folded(name) not in names]
    given = sorted(set(extra["given_names"]) | _given_names(actors))
    header = {"about": _ABOUT, "shared": extra["shared"], "not_names": not_names, "given_names": given}
    return header | {"actors": actors}


def to_text(table: Record) -> str:
    """Write the table as JSON with one actor a line."""
    head = [f"{json.dumps(k)}: {json.dumps(table[k], ensure_ascii=False)}," for k in table if k != "actors"]
    actors = ",\n".join(json.dumps(actor, ensure_ascii=False) for actor in table["actors"])
    return "\n".join(["{", *head, '"actors": [', actors, "]", "}"]) + "\n"


def _fields(row: str, width: int) -> list[str]:
    fields = [field.strip() for field in row.split("|")]
    return fields + [""] * (width - len(fields))


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.lstrip("=").split(";") if entry.strip()]


def _distinct(names: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    """Drop articles, empty names and repeated ones, keeping the order."""
    seen = set(without)
    kept = []
    for name in (re.sub(r"^[Tt]he ", "", name) for name in names):
        if name and name not in seen:
            seen.add(name)
            kept.append(name)
    return kept


def _factbook_by_id(records: list[Record], iso: dict[str, Record]) -> dict[str, Record]:
    by_name = {folded(name): code for code, r in iso.items() for name in (r["name"], r["official"], *r["alt"])}
    found: dict[str, Record] = {}
    for record in records:
        for key in ("short", "long"):
            name = record.get(key) or "none"
            code = _FACTBOOK_NAMES.get(name) or by_name.get(folded(name))
            if code and code not in found:
                found[code] = record
    return found


def _state(row: str, iso: dict[str, Record], factbook: dict[str, Record], shared: dict[str, list[str]]) -> Record:
    code, name, names, adjectives, capitals, metonyms = _fields(row, 6)
    official, book = iso.get(code, {}), factbook.get(code, {})
    aliases = _listed(names)
    if not names.startswith("="):
        aliases += [official.get("name", ""), official.get("official", ""), _plain(book.get("long"))]
    people = _listed(adjectives)
    if not adjectives.startswith("="):
        people += [*_inhabitants(book.get("noun") or ""), *re.split(r", | or ", official.get("demonym", ""))]
    seats = _listed(capitals)
    if not capitals.startswith("="):
        seats += official.get("capital", [])
    elsewhere = {n for n, ids in shared.items() if ids[0] != code}
    aliases = _distinct(aliases, {name} | elsewhere)
    people = _distinct(people, {name, *aliases} | elsewhere)
    seats = _distinct(seats, {name, *aliases, *people})
    metonym_list = _distinct(_listed(metonyms))
    return _record(code, name, Kind.STATE, aliases=aliases, adjectives=people, capitals=seats, metonyms=metonym_list)


def _plain(name: str | None) -> str:
    return "" if not name or name == "none" or "(" in name or ";" in name else name


def _inhabitants(noun: str) -> list[str]:
    """Read the Factbook's "Iranian(s)" as both numbers; other forms are written by hand."""
    match = re.fullmatch(r"([A-Z][\w' -]+)\(s\)", noun)
    return [match[1], match[1] + "s"] if match else []


def _us_state(row: str) -> Record:
    code, name = row.split(" ", 1)
    return _record(f"US-{code}", name, Kind.TERRITORY, state="USA")


def _other(row: str) -> Record:
    actor_id, name, kind, names = _fields(row, 4)
    aliases = [n for n in _listed(names) if not n.startswith("~")]
    short = [n[1:] for n in _listed(names) if n.startswith("~")]
    return _record(actor_id, name, Kind(kind), aliases=_distinct(aliases, {name}), short_names=_distinct(short))


def _person(row: str, reign: list[Record], factbook: dict[str, Record], bare: set[str]) -> Record:
    name, state, offices, names = _fields(row, 4)
    aliases = [n for n in _listed(names) if not n.startswith("~")]
    short = [n[1:].strip() for n in _listed(names) if n.startswith("~")]
    if not any(n.startswith("~") for n in _listed(names)):
        words = name.replace(" Jr.", "").replace(" III", "").split()
        short = [words[0] if state in _FAMILY_NAME_FIRST else words[-1]] if len(words) > 1 else []
    short = _distinct(n for n in short if n)
    aliases = _distinct([*aliases, *(n for n in short if folded(n) in bare)], {name})
    short = [n for n in short if n not in aliases]
    written = [Office.parse(text) for text in _listed(offices) if text != "-"]
    held = written if offices else _reign_offices(name, state, reign, factbook)
    actor_id = re.sub(r"[^a-z0-9]+", "-", folded(name)).strip("-")
    held_texts = [str(office) for office in held]
    return _record(actor_id, name, Kind.PERSON, aliases=aliases, short_names=short, state=state, offices=held_texts)


def _given_names(actors: list[Record]) -> set[str]:
    """Take the first names of the persons who carry theirs in front."""
    names = {a["name"] for a in actors if a["kind"] == Kind.PERSON and a.get("state") not in _FAMILY_NAME_FIRST}
    first = {name.split()[0] for name in names if len(name.split()) == 2}
    places = {word for a in actors if a["kind"] != Kind.PERSON for name in _names(a) for word in name.split()}
    return {name for name in first - places if len(name) > 2 and name.isalpha()}


def _reign(path: Path, codes: dict[str, str]) -> list[Record]:
    """Read the spells in office that end in or after the first year, with ISO codes and dates."""
    spells = []
    with path.open(encoding="latin-1", newline="") as file:  # the file mixes encodings; names are matched folded
        for row in csv.DictReader(file):
            if row["stateabb"] not in codes or (row["eyear"] and int(row["eyear"]) < _FIRST_YEAR):
                continue
            until = f"{row['eyear']}-{int(row['emonth']):02}" if row["eyear"] and row["emonth"] else None
            since = f"{int(row['syear'])}-{int(row['smonth']):02}"
            spells.append({"state": codes[row["stateabb"]], "leader": row["leader"], "since": since, "until": until})
    return spells


def _reign_offices(name: str, state: str, reign: list[Record], factbook: dict[str, Record]) -> list[Office]:
    """Give a person the dates of REIGN, and of the Factbook where he governs now."""
    words = set(folded(name).split())
    found = []
    for key, role in (("chief_of_state", "head of state"), ("head_of_government", "head of government")):
        text = (factbook.get(state, {}).get(key) or "").split(";")[0]
        since = _SINCE.search(text)
        if since and len(words & set(folded(text[: since.start()]).split())) >= 2:
            found.append(Office(role, _iso_date(since)))
    for spell in reign:
        surname = folded(spell["leader"]).split()
        if spell["state"] == state and spell["until"] and surname[-1] in words and _initial_fits(surname, words):
            found.append(Office("leader", spell["since"], spell["until"]))
    return sorted(set(found), key=str)


def _initial_fits(surname: list[str], words: set[str]) -> bool:
    """Say whether the other words of REIGN's name are the person's, whole or as initials."""
    return all(w in words or (len(w) == 1 and any(x.startswith(w) for x in words)) for w in surname)


def _iso_date(since: re.Match[str]) -> str:
    parts = [since["year"]]
    if since["month"] in _MONTHS:
        parts.append(f"{_MONTHS.index(since['month']) + 1:02}")
        if since["day"]:
            parts.append(f"{int(since['day']):02}")
    return "-".join(parts)


def _record(actor_id: str, name: str, kind: Kind, **fields: Any) -> Record:
    return {"id": actor_id, "name": name, "kind": str(kind)} | {key: value for key, value in fields.items() if value}


def _names(actor: Record) -> list[str]:
    lists = (actor.get(key, []) for key in ("aliases", "adjectives", "capitals", "metonyms"))
    return [actor["name"], *(name for names in lists for name in names)]


def _check(actors: list[Record], shared: dict[str, list[str]]) -> None:
    """Refuse two actors with one id, or with one name that no rule settles."""
    ids: set[str] = set()
    bearers: dict[str, str] = {}
    for actor in actors:
        if actor["id"] in ids:
            raise DataError(f"expected each id once; got {actor['id']!r} twice; rename one", _EXTRA)
        ids.add(actor["id"])
        for name in _names(actor):
            other = bearers.setdefault(name, actor["id"])
            if other != actor["id"] and name not in shared:
                raise DataError(f"expected one bearer of {name!r}; got {other} and {actor['id']}; add a rule", _EXTRA)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
