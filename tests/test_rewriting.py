from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.pairs import AUTHOR, Pair
from stance.rewriting import NotSafe, Replacement, Rewriting
from stance.sentences import Sentence
from stance.targets import Mention, Target

TEXT = "The Iranian president thanked China."


def span(words: str) -> Mention:
    start = TEXT.index(words)
    return Mention(start, start + len(words), Target(words))


def test_spans_before_inside_around_and_behind_an_edit_are_found() -> None:
    edited = Rewriting(TEXT, [Replacement(30, 35, "Mali"), Replacement(4, 11, "Peruvian"), Replacement(22, 22, "has ")])
    assert edited.text == "The Peruvian president has thanked Mali."
    for old, new in {
        "The": "The",
        "Iranian": "Peruvian",
        "The Iranian president": "The Peruvian president",
        "president": "president",
        "thanked": "thanked",
        "China": "Mali",
    }.items():
        moved = edited.move(span(old))
        assert edited.text[moved.start : moved.end] == moved.name == new


def test_pair_keeps_an_open_holder() -> None:
    edited = Rewriting(TEXT, [Replacement(0, 4, "")])
    moved = edited.move_pair(Pair(Sentence.of(TEXT), AUTHOR, span("China")))
    assert moved == Pair(Sentence.of(edited.text), AUTHOR, Mention(26, 31, Target("China")))


def test_span_that_an_edit_cuts_through_is_not_safe() -> None:
    with pytest.raises(NotSafe, match="a span that is only partly edited"):
        Rewriting(TEXT, [Replacement(0, 11, "A")]).move(span("Iranian president"))
    with pytest.raises(NotSafe, match="edits that overlap"):
        Rewriting(TEXT, [Replacement(0, 11, "A"), Replacement(4, 12, "B")])


@given(st.lists(st.tuples(st.integers(0, 5), st.text("xy", max_size=4)), max_size=6), st.integers(0, 5))
def test_words_that_are_not_edited_are_found_again(edits: list[tuple[int, str]], place: int) -> None:
    words = ["aa", "bbb", "c", "dddd", "ee", "f"]
    starts = [sum(len(w) + 1 for w in words[:i]) for i in range(len(words))]
    chosen = {i: text for i, text in edits if i != place}
    replacements = [Replacement(starts[i], starts[i] + len(words[i]), text) for i, text in chosen.items()]
    edited = Rewriting(" ".join(words), replacements)
    assert edited.text == " ".join(chosen.get(i, word) for i, word in enumerate(words))
    moved = edited.move(Mention(starts[place], starts[place] + len(words[place]), Target("old")))
    assert edited.text[moved.start : moved.end] == words[place]
