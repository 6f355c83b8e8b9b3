from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.errors import StanceError
from stance.labels import PLOVER_ROOTS, Polarity, Stance, as_polarity, parse_stances

SUPPORT, OPPOSE, COOPERATE = Stance


def test_order_of_stances_is_that_of_the_columns() -> None:
    assert [s.value for s in Stance] == ["support", "oppose", "cooperate"]


@given(st.lists(st.sampled_from(list(Stance))))
def test_names_come_back_as_the_set_they_name(stances: list[Stance]) -> None:
    assert parse_stances([s.value for s in stances]) == frozenset(stances)


@pytest.mark.parametrize("name", ["Support", "none", "neutral", "", " oppose"])
def test_a_name_that_is_no_stance_is_refused_by_name(name: str) -> None:
    with pytest.raises(StanceError, match=f"^expected stances out of support, oppose, cooperate; got {name!r}; "):
        parse_stances(["support", name])


@pytest.mark.parametrize(
    ("label", "polarity"),
    [
        (frozenset(), Polarity.NEUTRAL),
        (frozenset({SUPPORT}), Polarity.POSITIVE),
        (frozenset({COOPERATE}), Polarity.POSITIVE),
        (frozenset({OPPOSE}), Polarity.NEGATIVE),
        (frozenset({OPPOSE, SUPPORT, COOPERATE}), Polarity.NEGATIVE),
        *((p, p) for p in Polarity),
    ],
)
def test_label_reduces_to_its_polarity(label: frozenset[Stance] | Polarity, polarity: Polarity) -> None:
    assert as_polarity(label) is polarity


def test_plover_roots_map_as_the_corpora_readme_has_it() -> None:
    by_stance = {s: {root for root, stance in PLOVER_ROOTS.items() if stance is s} for s in Stance}
    assert by_stance == {
        SUPPORT: {"SUPPORT"},
        COOPERATE: {"AGREE", "CONSULT", "COOPERATE", "AID", "YIELD"},
        OPPOSE: {"ACCUSE", "REQUEST", "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"},
    }


def test_plover_roots_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PLOVER_ROOTS["AID"] = SUPPORT  # type: ignore[index]
