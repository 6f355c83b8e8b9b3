from __future__ import annotations

from stance.excerpts import Excerpt
from stance.pairs import ANY, AUTHOR, Holder
from stance.slices import slice_rows
from stance.targets import Mention, Target
from tests.gold import BORDURIA, ISTOW, KLOW, excerpt


def rows_of(*rows: tuple[Excerpt, Holder, Mention]) -> dict[tuple[str, str], list[int]]:
    excerpts, holders, targets = zip(*rows, strict=True)
    return {key: places.tolist() for key, places in slice_rows(excerpts, holders, targets).items()}


def test_slices_by_source_holder_and_sentence() -> None:
    full, listed = excerpt("a"), excerpt("b", complete=False, source="w")
    they = Mention(0, 4, Target("They"))
    found = rows_of(
        (full, KLOW, ISTOW), (full, AUTHOR, ISTOW), (listed, ANY, KLOW), (full, they, KLOW), (listed, they, KLOW)
    )
    assert found == {
        ("source", "w"): [2, 4],
        ("source", "x"): [0, 1, 3],
        ("holder", "name"): [0],
        ("holder", "phrase"): [3],
        ("holder", "span"): [4],
        ("holder", "author"): [1],
        ("holder", "any"): [2],
        ("words", "up to 10"): [0, 1, 2, 3, 4],
        ("targets", "3 to 4"): [0, 1, 2, 3, 4],
    }


def test_targets_of_ten_rows_have_a_slice_and_the_frequent_come_first() -> None:
    e = excerpt("a")
    found = rows_of(*[(e, ANY, KLOW)] * 9, *[(e, ANY, ISTOW)] * 10, *[(e, ANY, BORDURIA)] * 11)
    assert [(key, len(rows)) for key, rows in found.items() if key[0] == "target"] == [
        (("target", "Borduria"), 11),
        (("target", "Istow"), 10),
    ]


def test_ranges_of_words_count_both_ends() -> None:
    texts = {n: Excerpt(str(n), " ".join(["w"] * n)) for n in (10, 11, 20, 40, 41)}
    found = rows_of(*((e, ANY, KLOW) for e in texts.values()))
    assert {value: rows for (kind, value), rows in found.items() if kind == "words"} == {
        "up to 10": [0],
        "11 to 20": [1, 2],
        "31 to 40": [3],
        "over 40": [4],
    }
