"""Alpha on the worked examples of Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), A to C."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import StanceError
from stance.krippendorff import alpha, coincidences, krippendorff_alpha

BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
NOMINAL = ["aabbdcccedda", "babbbccceddd"]
MISSING = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
VALUES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2, max_size=30)


def test_example_a_binary_data_of_two_observers() -> None:
    assert round(krippendorff_alpha(BINARY), 3) == 0.095


def test_example_b_nominal_data_of_two_observers() -> None:
    assert round(krippendorff_alpha(NOMINAL), 3) == 0.692


def test_example_c_nominal_data_of_four_observers_with_missing_values() -> None:
    assert round(krippendorff_alpha(MISSING), 3) == 0.743


def test_coincidences_of_example_c() -> None:
    values = [1, 2, 3, 4, 5]
    counts = np.array([[[row[u] for row in MISSING].count(v) for v in values] for u in range(12)], dtype=float)
    expected = [[7, 4 / 3, 1 / 3, 1 / 3, 0], [4 / 3, 10, 4 / 3, 1 / 3, 0], [1 / 3, 4 / 3, 8, 1 / 3, 0]]
    expected += [[1 / 3, 1 / 3, 1 / 3, 4, 0], [0, 0, 0, 0, 3]]
    assert coincidences(counts) == pytest.approx(np.array(expected))


@given(VALUES)
def test_two_annotators_need_only_their_contingency_table(rows: list[tuple[str, str]]) -> None:
    table = np.zeros((3, 3))
    for a, b in rows:
        table["abc".index(a), "abc".index(b)] += 1
    expected = krippendorff_alpha(list(zip(*rows, strict=True)))
    assert float(alpha(table + table.T)) == pytest.approx(expected, nan_ok=True)


@given(VALUES)
def test_alpha_does_not_depend_on_who_is_first_and_never_exceeds_one(rows: list[tuple[str, str]]) -> None:
    first, second = zip(*rows, strict=True)
    value = krippendorff_alpha([first, second])
    assert value == pytest.approx(krippendorff_alpha([second, first]), nan_ok=True)
    assert math.isnan(value) or value <= 1
    with_itself = krippendorff_alpha([first, first])
    assert with_itself == pytest.approx(1) or len(set(first)) == 1


@pytest.mark.parametrize("ratings", [[], ["", ""], ["aaa", "aaa"], [[1, None], [None, 2]]])
def test_without_two_values_to_compare_alpha_is_not_defined(ratings: list[list[int | None]]) -> None:
    assert math.isnan(krippendorff_alpha(ratings))


def test_annotators_of_different_samples_are_refused() -> None:
    with pytest.raises(StanceError, match=r"expected one value per unit of every annotator; got \[2, 3\] units"):
        krippendorff_alpha(["abc", "ab"])
