from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stance.pairs import ANY, AUTHOR, Holder, Pair, make_pairs
from stance.sentences import Sentence
from stance.targets import Mention, Target

SENTENCE = Sentence.of("Iran thanked China and Russia.")
IRAN, CHINA, RUSSIA = (Mention(a, b, Target(SENTENCE.text[a:b])) for a, b in ((0, 4), (13, 18), (23, 29)))


def directions(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(str(p.holder), str(p.target)) for p in pairs]


def test_pairs_come_by_target_then_mentions_then_further_holders() -> None:
    assert directions(make_pairs(SENTENCE, [CHINA, IRAN], [RUSSIA, AUTHOR, ANY])) == [
        ("Iran", "China"),
        ("Russia", "China"),
        ("@author", "China"),
        ("@any", "China"),
        ("China", "Iran"),
        ("Russia", "Iran"),
        ("@author", "Iran"),
        ("@any", "Iran"),
    ]


def test_author_is_a_holder_unless_told_otherwise() -> None:
    assert directions(make_pairs(SENTENCE, [IRAN])) == [("@author", "Iran")]
    assert make_pairs(SENTENCE, [IRAN], holders=()) == []


def test_holder_given_twice_is_judged_once() -> None:
    assert directions(make_pairs(SENTENCE, [IRAN, CHINA], [IRAN, AUTHOR, AUTHOR])) == [
        ("China", "Iran"),
        ("@author", "Iran"),
        ("Iran", "China"),
        ("@author", "China"),
    ]


def test_two_targets_of_one_spelling_are_no_pair() -> None:
    other = Mention(IRAN.start, IRAN.end, Target("Islamic Republic"))
    assert directions(make_pairs(SENTENCE, [IRAN, other], [AUTHOR])) == [
        ("@author", "Iran"),
        ("@author", "Islamic Republic"),
    ]


SPANS = st.tuples(st.integers(0, 28), st.integers(1, 6)).map(lambda s: (s[0], min(s[0] + s[1], 30)))


@given(st.lists(SPANS, unique=True, max_size=6), st.lists(SPANS, max_size=3))
def test_every_direction_is_there_once_and_no_span_toward_itself(
    spans: list[tuple[int, int]], further: list[tuple[int, int]]
) -> None:
    mentions = [Mention(a, b, Target("x")) for a, b in spans]
    holders: list[Holder] = [AUTHOR, *(Mention(a, b, Target("x")) for a, b in further)]
    pairs = make_pairs(SENTENCE, iter(mentions), iter(holders))
    expected = {(h, t) for t in mentions for h in [*mentions, *holders] if h != t}
    assert len(pairs) == len(expected)
    assert {(p.holder, p.target) for p in pairs} == expected
    assert all(p.sentence is SENTENCE for p in pairs)
