from __future__ import annotations

import pytest

from stance.labels import Stance
from stance.verbs import Form, find_verbs, spell


@pytest.mark.parametrize(
    ("base", "spellings"),
    [
        ("support", "support supports supported supported supporting"),
        ("praise", "praise praises praised praised praising"),
        ("agree", "agree agrees agreed agreed agreeing"),
        ("supply", "supply supplies supplied supplied supplying"),
        ("destroy", "destroy destroys destroyed destroyed destroying"),
        ("ban", "ban bans banned banned banning"),
        ("bless", "bless blesses blessed blessed blessing"),
        ("meet", "meet meets met met meeting"),
        ("strike", "strike strikes struck struck striking"),
        ("hit", "hit hits hit hit hitting"),
        ("stand", "stand stands stood stood standing"),
        ("punish", "punish punishes punished punished punishing"),
    ],
)
def test_forms(base: str, spellings: str) -> None:
    assert " ".join(spell(base, form) for form in Form) == spellings


def test_a_verb_that_needs_a_particle_has_it_behind() -> None:
    assert find_verbs("Iran stands firm.") == []
    (use,) = find_verbs("Iran stands\nbehind Mali.")
    assert (use.verb.base, use.verb.stance, set(use.forms)) == ("stand", Stance.SUPPORT, {Form.THIRD})


def test_places_are_those_of_the_text_and_capitals_do_not_matter() -> None:
    text = "CONDEMNING it, Iran met China."
    uses = find_verbs(text)
    assert [text[u.start : u.end] for u in uses] == ["CONDEMNING", "met"]
    assert [u.verb.stance for u in uses] == [Stance.OPPOSE, Stance.COOPERATE]


def test_parts_of_words_are_no_verbs() -> None:
    assert find_verbs("The backyard of an unsupported hitman.") == []
