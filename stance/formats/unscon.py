"""UNSCon: verbal conflict in speeches of the UN Security Council."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair
from stance.formats.rows import make_excerpt, read_table
from stance.formats.spans import detokenise, mention
from stance.labels import Stance
from stance.pairs import AUTHOR
from stance.targets import Mention

_COLUMNS = ("file_id", "sentence_text", "A0", "A2", "A4", "B1", "B2", "B3")
# Speaker of a Security Council speech, out of "UNSC_2014_SPV.7219_spch015_Russian_Federation_neg_03.txt".
_FILE_ID = re.compile(
    r"(?P<speech>UNSC_\d{4}_SPV\.\d+_spch\d+)_(?P<country>.+?)(?:_neg|_pos)?(?:_|%20)\d+(?:_GD)?\.txt"
)
_NAMES = MappingProxyType(
    {
        "russian_federation": "Russian Federation|Russia|Moscow|Kremlin|Russian",
        "ukraine": "Ukraine|Kyiv|Kiev|Ukrainian",
        "united_states_of_america": "United States|America|Washington|American",
        "united_kingdom_of_great_britain_and_northern_ireland": "United Kingdom|Great Britain|Britain|London|British",
        "egypt": "Egypt|Cairo|Egyptian",
        "UNSC": "Security Council|Council",
    }
)
_EVALUATIONS = ("_", "Direct_NegEval", "Indirect_NegEval")
_DISPUTES = ("_", "Challenge", "Correction")
# "pro-Russian", "ethnic Russian", "Russian-speaking" and "Russian speakers" do not mean the state.
_NOT_BEFORE = r"(?<!\bpro-)(?<!\banti-)(?<!ethnic )(?<!\w)"
_NOT_BEHIND = r"(?!\w|-speaking| speak| language)"
_PLACE_BEFORE = re.compile(r"\b(?:in|into|from|within|(?:north|south|east|west)\w*)\s(?:the\s)?$", re.IGNORECASE)


def read_unscon_file(path: Path) -> list[Excerpt]:
    """Read UNSCon's sentence file; keep the sentences in which the target of a conflict is named.

    A4 is the country that a negative evaluation (A0) aims at, directly or by way of a group, law or person (A3); B3 is
    the country that is challenged or corrected (B1). The speaker is taken from ``file_id``: the published columns
    ``country`` and ``filename`` belong to other rows.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    excerpts = (_unscon_excerpt(row, path, line) for line, row in read_table(path, _COLUMNS, ","))
    return [excerpt for excerpt in excerpts if excerpt.pairs]


def _unscon_excerpt(row: Mapping[str, str], path: Path, line: int) -> Excerpt:
    speech = _FILE_ID.fullmatch(row["file_id"])
    if speech is None:
        raise DataError(
            f"expected file_id as UNSC_<year>_SPV.<meeting>_spch<number>_<country>_<part>.txt; got {row['file_id']!r}; "
            "correct it",
            path,
            line,
        )
    if row["A0"] not in _EVALUATIONS or row["B1"] not in _DISPUTES:
        raise DataError(
            f"expected A0 out of {_EVALUATIONS} and B1 out of {_DISPUTES}; got {row['A0']!r} and {row['B1']!r}; "
            "correct them",
            path,
            line,
        )
    text = detokenise(row["sentence_text"])
    council = ["UNSC"] if "UNSC" in (row["A2"], row["B2"]) else []
    found = (_find_state(text, code) for code in (row["A4"], row["B3"], *council))
    targets = dict.fromkeys(target for target in found if target)
    pairs = [GoldPair(AUTHOR, target, frozenset({Stance.OPPOSE})) for target in targets]
    # Digits and a capital behind the country number the speaker's turns: "Ukraine2", "United_States_Of_AmericaA".
    country = re.sub(r"(?<=[a-z])A?\d*$", "", speech["country"]).replace("_", " ").title()
    author = country.replace(" Of", " of").replace(" And ", " and ")
    return make_excerpt("unscon", path, line, text, pairs, document=speech["speech"], author=author)


def _find_state(text: str, code: str) -> Mention | None:
    """Find a state's name, capital or adjective; one that only tells where something is comes last."""
    # A file id in place of a country tells where the challenged words are reported, not whose they are.
    if code in ("_", "-NONE-") or _FILE_ID.fullmatch(code):
        return None
    names = _NAMES.get(code, re.escape(code.replace("_", " ").title()))
    found = list(re.finditer(rf"{_NOT_BEFORE}(?:{names}){_NOT_BEHIND}", text))
    found.sort(key=lambda m: (_PLACE_BEFORE.search(text, 0, m.start()) is not None, m.start()))
    return mention(text, found[0].start(), found[0].end()) if found else None
