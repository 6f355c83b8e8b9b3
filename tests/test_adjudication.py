from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from stance.adjudication import Match, Unit, aligned_spans, compare
from stance.excerpts import Excerpt, GoldPair
from stance.labels import Label, Polarity, Stance
from stance.pairs import ANY, AUTHOR, OpenHolder
from stance.targets import Mention, Target

SUPPORT, OPPOSE, COOPERATE = (frozenset({s}) for s in Stance)
NONE: Label = frozenset()
TEXT = "The two leaders praised Iran and scolded Mali."


def span(words: str) -> Mention:
    start = TEXT.index(words)
    return Mention(start, start + len(words), Target(words))


def excerpt(
    pairs: dict[tuple[str | OpenHolder, str], Label], mentions: Sequence[str] = ("Iran", "Mali"), complete: bool = True
) -> Excerpt:
    gold = [GoldPair(h if isinstance(h, OpenHolder) else span(h), span(t), label) for (h, t), label in pairs.items()]
    return Excerpt("x", TEXT, mentions=tuple(span(m) for m in mentions), pairs=tuple(gold), complete=complete)


def labels(
    first: Excerpt, second: Excerpt, unit: Unit = "pairs", match: Match = "exact"
) -> dict[tuple[str, str], tuple[Label, Label]]:
    return {(str(x.holder), x.target.name): (x.first, x.second) for x in compare(first, second, unit, match).labels}


def test_complete_annotations_are_compared_on_every_directed_pair_of_both() -> None:
    first = excerpt({("The two leaders", "Iran"): SUPPORT})
    second = excerpt({(AUTHOR, "Mali"): OPPOSE}, mentions=["Mali"])
    assert labels(first, second) == {
        ("Iran", "Mali"): (NONE, NONE),
        ("Mali", "Iran"): (NONE, NONE),
        ("The two leaders", "Iran"): (SUPPORT, NONE),
        ("The two leaders", "Mali"): (NONE, NONE),
        ("@author", "Iran"): (NONE, NONE),
        ("@author", "Mali"): (NONE, OPPOSE),
    }
    assert compare(first, second, "pairs").one_sided == 0


def test_targets_hold_the_union_over_holders() -> None:
    first = excerpt({("The two leaders", "Iran"): SUPPORT, (AUTHOR, "Iran"): COOPERATE})
    second = excerpt({("The two leaders", "Iran"): SUPPORT}, mentions=["Iran"])
    assert labels(first, second, "targets") == {
        ("@any", "Iran"): (SUPPORT | COOPERATE, SUPPORT),
        ("@any", "Mali"): (NONE, NONE),
    }


def test_incomplete_annotations_are_compared_where_both_know() -> None:
    first = excerpt({(AUTHOR, "Iran"): SUPPORT, (AUTHOR, "Mali"): NONE, (ANY, "Mali"): NONE}, complete=False)
    second = excerpt({(AUTHOR, "Iran"): Polarity.POSITIVE, (ANY, "Mali"): OPPOSE, (ANY, "Iran"): NONE}, complete=False)
    assert labels(first, second) == {("@author", "Iran"): (SUPPORT, Polarity.POSITIVE)}
    assert labels(first, second, "targets") == {("@any", "Mali"): (NONE, OPPOSE)}
    assert compare(first, second, "pairs").one_sided == 1
    assert compare(first, second, "targets").one_sided == 1


def test_a_complete_annotation_knows_what_it_does_not_list() -> None:
    whole, part = excerpt({}), excerpt({(AUTHOR, "Iran"): SUPPORT}, complete=False)
    assert labels(part, whole) == {("@author", "Iran"): (SUPPORT, NONE)}
    assert labels(whole, part) == {("@author", "Iran"): (NONE, SUPPORT)}
    assert compare(whole, part, "pairs").one_sided == 3


def test_overlapping_spans_are_one_where_asked() -> None:
    first = excerpt({("The two leaders", "Iran"): SUPPORT})
    second = excerpt({("two leaders", "Iran"): SUPPORT})
    assert labels(first, second)["The two leaders", "Iran"] == (SUPPORT, NONE)
    assert labels(first, second)["two leaders", "Iran"] == (NONE, SUPPORT)
    assert labels(first, second, match="overlap")["The two leaders", "Iran"] == (SUPPORT, SUPPORT)
    assert ("two leaders", "Iran") not in labels(first, second, match="overlap")


def test_spans_are_aligned_one_to_one_the_largest_part_first() -> None:
    leaders, two, the = span("leaders"), span("two leaders"), span("The two leaders")
    assert aligned_spans([leaders, two], [the]) == {two: the}
    assert aligned_spans([the], [leaders, two]) == {the: two}
    assert aligned_spans([the, two], [two]) == {two: two}
    assert aligned_spans([span("Iran")], [span("Mali")]) == {}


@pytest.mark.parametrize("unit", ["pairs", "targets"])
def test_an_annotation_agrees_with_itself(unit: Unit) -> None:
    mine = excerpt({("The two leaders", "Iran"): SUPPORT, (AUTHOR, "Mali"): OPPOSE})
    assert all(x.first == x.second for x in compare(mine, mine, unit).labels)


def test_record_is_written_as_the_excerpt_format_has_it() -> None:
    first = excerpt({(ANY, "Mali"): Polarity.NEGATIVE}, complete=False)
    second = excerpt({(ANY, "Mali"): SUPPORT | COOPERATE}, complete=False)
    (label,) = compare(first, second, "targets").labels
    place = re.search("Mali", TEXT)
    assert place
    assert label.to_dict() == {
        "id": "x",
        "document": None,
        "text": TEXT,
        "unit": "targets",
        "holder": "any",
        "holder_text": "@any",
        "target": list(place.span()),
        "target_text": "Mali",
        "first": "negative",
        "second": ["support", "cooperate"],
    }
