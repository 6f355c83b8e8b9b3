from __future__ import annotations

import pytest

from stance.excerpts import Excerpt, GoldPair
from stance.labels import Stance
from stance.negation import negate
from stance.pairs import AUTHOR, Holder
from stance.rewriting import Counterfactual, NotSafe
from stance.targets import Mention, Target

SUPPORT, OPPOSE, COOPERATE = Stance


def excerpt(text: str, stance: Stance, *holders: str | None) -> Excerpt:
    """Annotate one stance of each holder, None being the author, toward Mali, which stands last."""
    start = text.rindex("Mali")
    target = Mention(start, start + 4, Target("Mali"))

    def holder(words: str | None) -> Holder:
        return AUTHOR if words is None else Mention(text.index(words), text.index(words) + len(words), Target(words))

    pairs = tuple(GoldPair(holder(words), target, frozenset({stance})) for words in holders)
    return Excerpt("x", text, mentions=(target,), pairs=pairs)


def negated(text: str, stance: Stance, *holders: str | None) -> Counterfactual:
    gold = excerpt(text, stance, *holders)
    return negate(gold, gold.pairs[0], stance)


@pytest.mark.parametrize(
    ("text", "stance", "holder", "expected"),
    [
        ("Iran thanked Mali.", SUPPORT, "Iran", "Iran did not thank Mali."),
        ("Iran condemns Mali.", OPPOSE, "Iran", "Iran does not condemn Mali."),
        ("Iran and Chad support Mali.", SUPPORT, "Chad", "Iran and Chad do not support Mali."),
        ("We stand with Mali.", SUPPORT, None, "We do not stand with Mali."),
        ("I fought Mali.", OPPOSE, None, "I did not fight Mali."),
        ("Iran will support Mali.", SUPPORT, "Iran", "Iran will not support Mali."),
        ("Iran can support Mali.", SUPPORT, "Iran", "Iran cannot support Mali."),
        ("Iran has met Mali.", COOPERATE, "Iran", "Iran has not met Mali."),
        ("Iran has been supporting Mali.", SUPPORT, "Iran", "Iran has not been supporting Mali."),
        ("Iran is fighting Mali.", OPPOSE, "Iran", "Iran is not fighting Mali."),
        ("Iran thanked Chad, Peru and Mali.", SUPPORT, "Iran", "Iran did not thank Chad, Peru and Mali."),
        ("Iran stood by Mali.", SUPPORT, "Iran", "Iran did not stand by Mali."),
    ],
)
def test_verb_groups(text: str, stance: Stance, holder: str | None, expected: str) -> None:
    made = negated(text, stance, holder)
    assert made.text == expected
    (check,) = made.checks
    assert check.stance is stance
    pair = check.after
    assert pair.sentence.text == expected
    assert expected[pair.target.start : pair.target.end] == "Mali"
    assert pair.holder is AUTHOR or expected[pair.holder.start : pair.holder.end] == holder  # type: ignore[union-attr]


def test_all_who_share_the_verb_are_checked() -> None:
    made = negated("Xi said China supports Mali.", SUPPORT, "China", "Xi")
    assert made.text == "Xi said China does not support Mali."
    assert [str(check.after.holder) for check in made.checks] == ["China", "Xi"]


@pytest.mark.parametrize(
    ("text", "stance", "holder", "reason"),
    [
        ("Iran did not thank Mali.", SUPPORT, "Iran", "already negated or open"),
        ("Iran refused to thank Mali.", SUPPORT, "Iran", "already negated or open"),
        ("Will Iran support Mali?", SUPPORT, "Iran", "already negated or open"),
        ("Iran lauds Mali.", SUPPORT, "Iran", "no listed verb of the stance between holder and target"),
        ("Iran welcomed and praised Mali.", SUPPORT, "Iran", "several verbs of the stance"),
        ("Iran thanked Chad, while it eyed Mali.", SUPPORT, "Iran", "the target is in another clause than the verb"),
        ("Iran, angry, condemned Mali.", OPPOSE, "Iran", "the holder is not right before the verb"),
        ("Iran strongly condemned Mali.", OPPOSE, "Iran", "the holder is not right before the verb"),
        ("Iran wants to support Mali.", SUPPORT, "Iran", "a verb group that the rule does not know"),
        ("Iran was thanked by Mali.", SUPPORT, "Iran", "the target is in another clause than the verb"),
        ("Iran gave support for Mali.", SUPPORT, "Iran", "a verb group that the rule does not know"),
        ("Iran met Mali and praised its team.", COOPERATE, "Iran", "the sentence goes on with another verb"),
        ("Iran met Mali, and it thanks Chad.", COOPERATE, "Iran", "the sentence goes on with another verb"),
    ],
)
def test_what_the_rule_does_not_cover_is_passed_over_with_its_reason(
    text: str, stance: Stance, holder: str, reason: str
) -> None:
    with pytest.raises(NotSafe, match=reason):
        negated(text, stance, holder)
