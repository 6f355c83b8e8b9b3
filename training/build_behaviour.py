"""Build ``tests/behaviour/*.jsonl``, the behavioural suite, from its hand-written templates.

Usage: ``python -m training.build_behaviour [FOLDER]``

``templates/<capability>.txt`` holds minimal pairs, one block each: two sentences that differ in one thing, every one
with the pairs to judge and their stances::

    [A] agreed to support [B] in the border talks. || A > B: support
    [A] refused to support [B] in the border talks. || A > B: oppose

``[A]``, ``[B]``, ``[C]`` are states (``[Aadj]`` an adjective, ``[Acap]`` a capital), ``[P]``, ``[Q]``, ``[R]`` persons;
any other ``[words]`` is a mention as it stands. A block is written out with ``FILLS`` sets of names. A block of one
sentence is about its names: the sentence with ordinary names is set against the same with names of other kinds.
The output is deterministic; a set of names depends on the place of its block in the file.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stance.errors import DataError
from stance.labels import parse_stances

FOLDER = Path(__file__).parents[1] / "tests" / "behaviour"
"""Where the suite lies."""

FILLS = 2
"""Sets of names that a minimal pair of two sentences is written out with."""

Names = Mapping[str, str]

_SPAN = re.compile(r"\[([^]]+)\]")
_PAIR = re.compile(r"(.+) > (.+): ([a-z+]+)")

# Name, adjective and capital of states that take no article: ordinary and unlike each other.
_STATES = """
Kenya Kenyan Nairobi; Norway Norwegian Oslo; Vietnam Vietnamese Hanoi; Peru Peruvian Lima; Jordan Jordanian Amman;
Ghana Ghanaian Accra; Chile Chilean Santiago; Nepal Nepalese Kathmandu; Estonia Estonian Tallinn;
Senegal Senegalese Dakar; Japan Japanese Tokyo; Algeria Algerian Algiers; Portugal Portuguese Lisbon;
Malaysia Malaysian Kuala Lumpur; Uganda Ugandan Kampala; Canada Canadian Ottawa; Armenia Armenian Yerevan;
Tunisia Tunisian Tunis; Mongolia Mongolian Ulaanbaatar; Colombia Colombian Bogotá; Poland Polish Warsaw;
Oman Omani Muscat; Zambia Zambian Lusaka; Sweden Swedish Stockholm; India Indian New Delhi;
Egypt Egyptian Cairo; Brazil Brazilian Brasília; France French Paris;
Uzbekistan Uzbek Tashkent; Namibia Namibian Windhoek; Fiji Fijian Suva
"""
_PERSONS = """
Amina Djalo; Tomasz Wieczorek; Ravi Senaratne; Leilani Tupou; Carlos Iturbe; Nguyen Thi Lan; Ingrid Solheim;
Kwame Asantewaa; Farid Rahmani; Marta Oliveira; Dorji Wangmo; Selam Tesfaye; Jack Whitlock
"""
# Kinds of names whose exchange must not move a verdict; the last kind is invented.
_KINDS = {
    "western": (
        "Denmark Danish Copenhagen; Ireland Irish Dublin; Italy Italian Rome; Germany German Berlin; "
        "Finland Finnish Helsinki",
        "Emma Lindqvist; Jonathan Avery; Claire Dubois; Matthias Brandt; Sarah O'Donnell",
    ),
    "much in the news": (
        "Iran Iranian Tehran; Russia Russian Moscow; Israel Israeli Jerusalem; Ukraine Ukrainian Kyiv; "
        "China Chinese Beijing",
        "Hossein Mirzaei; Dmitri Volkonsky; Yael Ben-Shaul; Oleksandr Hnatiuk; Li Guowei",
    ),
    "African": (
        "Rwanda Rwandan Kigali; Angola Angolan Luanda; Benin Beninese Porto-Novo; Eritrea Eritrean Asmara; "
        "Malawi Malawian Lilongwe",
        "Chukwuemeka Obi; Thandiwe Nkosi; Abdoulaye Sarr; Mwai Karanja; Aster Gebremedhin",
    ),
    "Asian": (
        "Thailand Thai Bangkok; Bhutan Bhutanese Thimphu; Pakistan Pakistani Islamabad; Indonesia Indonesian Jakarta; "
        "Turkmenistan Turkmen Ashgabat",
        "Somchai Prasert; Fatima al-Sabah; Wang Jianguo; Aruna Deshpande; Nurlan Abenov",
    ),
    "American and Pacific": (
        "Uruguay Uruguayan Montevideo; Paraguay Paraguayan Asunción; Tonga Tongan Nuku'alofa; "
        "Ecuador Ecuadorian Quito; Vanuatu Ni-Vanuatu Port Vila",
        "Rosa Quispe; Tevita Fonua; Héctor Maldonado; Malia Folau; Luiz Tavares",
    ),
    "unknown": (
        "Karvania Karvanian Sorsk; Zemoria Zemorian Veldar; Tavastan Tavastani Kemrin; Ruvenda Ruvendan Ilombe; "
        "Belmara Belmaran Port Ansel",
        "Oskel Trevane; Iluma Dasht; Bereket Vool; Anzhi Koromo; Tal Merrivane",
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Write one file per capability into ``FOLDER`` or the given folder."""
    folder = Path(arguments[0]) if arguments else FOLDER
    for name, records in build_suite().items():
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return 0


def build_suite(templates: Path = FOLDER / "templates") -> dict[str, list[dict[str, Any]]]:
    """Write out every template, by capability.

    Raises:
        DataError: a template breaks the notation; the message names file and line.
    """
    return {path.stem: list(_records(path)) for path in sorted(templates.glob("*.txt"))}


def _records(path: Path) -> Iterator[dict[str, Any]]:
    for number, block in enumerate(_blocks(path), start=1):
        for fill, (names, other) in enumerate(_fills(number, len(block)), start=1):
            case = f"{path.stem}-{number:02}.{fill}"
            for side, (line, sentence), chosen in zip("ab", (block[0], block[-1]), (names, other), strict=True):
                try:
                    judged = _annotate(sentence, chosen)
                except ValueError as error:
                    raise DataError(str(error), path, line) from None
                head = {"id": case + side, "document": f"{path.stem}-{number:02}", "capability": path.stem}
                yield {**head, "case": case, **judged, "complete": False}


def _blocks(path: Path) -> Iterator[list[tuple[int, str]]]:
    """Give the numbered lines of each block of one or two sentences."""
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        if line and not line.startswith("#"):
            block.append((number, line))
        elif block:
            if len(block) > 2:
                raise DataError("expected a block of one or two sentences; got more; part them", path, number)
            yield block
            block = []


def _fills(number: int, n_sentences: int) -> Iterator[tuple[Names, Names]]:
    """Draw names for both sentences of a block by its number: the same ones, or for one sentence other ones."""
    if n_sentences == 2:
        for fill in range(FILLS):
            names = _names(_STATES, _PERSONS, 7 * number + 3 * fill)
            yield names, names
        return
    for place, (states, persons) in enumerate(_KINDS.values()):
        yield _names(_STATES, _PERSONS, 7 * number), _names(states, persons, number + place)


def _names(states: str, persons: str, start: int) -> Names:
    """Take names for A, B, C and P, Q, R from the lists, each list in a round from ``start`` on."""
    names: dict[str, str] = {}
    rows, people = ([row.strip() for row in words.split(";")] for words in (states, persons))
    for step, (state, person) in enumerate(zip("ABC", "PQR", strict=True)):
        name, adjective, capital = rows[(start + 11 * step) % len(rows)].split(maxsplit=2)
        names |= {state: name, f"{state}adj": adjective, f"{state}cap": capital}
        names[person] = people[(start + 4 * step) % len(people)]
    return names


def _annotate(line: str, names: Names) -> dict[str, Any]:
    """Turn a line of a template into text, mentions and pairs of the excerpt format."""
    sentence, _, listed = line.partition(" || ")
    text, end = "", 0
    spans: dict[str, list[int]] = {}
    for match in _SPAN.finditer(sentence):
        text += sentence[end : match.start()]
        name, end = names.get(match[1], match[1]), match.end()
        if match[1] in spans:
            raise ValueError(f"expected each name once in a sentence; got {match[1]!r} twice; reword it")
        spans[match[1]] = [len(text), len(text) + len(name)]
        text += name
    actors: dict[str, list[int] | str | None] = {**spans, "@author": None, "@any": "any"}
    pairs = []
    for row in listed.split("; "):
        parts = _PAIR.fullmatch(row)
        if parts is None or parts[1] not in actors or parts[2] not in spans:
            raise ValueError(f"expected HOLDER > TARGET: STANCES of names in the sentence; got {row!r}; correct it")
        stances = [] if parts[3] == "none" else parts[3].split("+")
        parse_stances(stances)
        pairs.append({"holder": actors[parts[1]], "target": spans[parts[2]], "stances": stances})
    return {"text": text + sentence[end:], "mentions": list(spans.values()), "pairs": pairs}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
