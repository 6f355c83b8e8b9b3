from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from stance.actors import ActorTable
from stance.excerpts import Excerpt, GoldPair, load_excerpts
from stance.labels import Stance
from stance.pairs import AUTHOR, OpenHolder
from stance.rewriting import NotSafe
from stance.sentences import Sentence
from stance.swaps import swap_names, swap_roles
from stance.targets import Mention, Target, find_mentions

SEEDS = Path(__file__).parents[1] / "seeds"
SUPPORT = frozenset({Stance.SUPPORT})
TABLE = ActorTable.load()


def excerpt(text: str, holder: str, target: str, mentions: Sequence[str] = (), complete: bool = True) -> Excerpt:
    def span(words: str) -> Mention:
        return Mention(text.index(words), text.index(words) + len(words), Target(words))

    spans = dict.fromkeys([*mentions, *([] if holder == "@author" else [holder]), target])
    pair = GoldPair(AUTHOR if holder == "@author" else span(holder), span(target), SUPPORT)
    return Excerpt("x", text, mentions=tuple(span(w) for w in spans), pairs=(pair,), complete=complete)


def kinds(text: str) -> list[str]:
    found = find_mentions([Sentence.of(text)])[0]
    return [TABLE[m.target.id].kind for m in found if m.target.id is not None]


@pytest.mark.parametrize(
    "text",
    [
        "Iran thanked China and Iranian envoys praised Beijing.",
        "Iranian President Hassan Rouhani thanked China.",
        "An Iranian envoy thanked China.",
        "The United States thanked China.",
        "U.S. President Joe Biden thanked China.",
        "Hamas thanked China.",
    ],
)
@pytest.mark.parametrize("draw", range(4))
def test_names_are_replaced_by_names_of_the_same_kind(text: str, draw: int) -> None:
    first = text.split(" thanked", maxsplit=1)[0].rsplit(maxsplit=1)[-1]
    first = first if first != "envoy" else "Iranian"
    first = {"Rouhani": "Hassan Rouhani", "States": "United States", "Biden": "Joe Biden"}.get(first, first)
    made = swap_names(excerpt(text, first, "China"), draw)
    assert made.text != text
    assert "China" not in made.text
    assert not any(name in made.text for name in ("Iran", "Beijing", "Rouhani", "Biden", "United States", "Hamas"))
    assert kinds(made.text) == kinds(text)
    for check in made.checks:
        for side in (check.before, check.after):
            for actor in (side.holder, side.target):
                assert isinstance(actor, OpenHolder) or side.sentence.text[actor.start : actor.end] == actor.name


def test_one_actor_gets_one_name_and_his_state_goes_with_him() -> None:
    made = swap_names(excerpt("Iranian President Hassan Rouhani said Iran thanked China.", "Hassan Rouhani", "China"))
    adjective, _, *full = made.text.split(" said ")[0].split()
    state = TABLE.find(made.text.split(" said ")[1].split()[0])
    person = TABLE.find(" ".join(full))
    assert state is not None
    assert person is not None
    assert adjective in state.adjectives
    assert person.state == state.id


def test_one_seed_one_text_and_draws_differ() -> None:
    gold = excerpt("Iran thanked China.", "Iran", "China")
    assert swap_names(gold, 1).text == swap_names(gold, 1).text
    assert len({swap_names(gold, draw).text for draw in range(5)} | {swap_names(gold, 1, seed=9).text}) > 3


def test_every_pair_of_the_excerpt_is_checked_with_its_gold() -> None:
    gold = excerpt("Iran thanked China.", "Iran", "China")
    made = swap_names(gold)
    assert [c.before for c in made.checks] == gold.to_pairs()[0]
    assert [c.label for c in made.checks] == gold.to_pairs()[1]


@pytest.mark.parametrize(
    ("text", "holder", "target", "reason"),
    [
        ("The party thanked its voters.", "The party", "voters", "no name of the actor table"),
        ("The Kremlin thanked China.", "Kremlin", "China", "a form of a name that no other has"),
        ("The United States’ envoy thanked China.", "United States", "China", "a form of a name that no other has"),
        ("The Republic of Mali thanked China.", "Mali", "China", "a form of a name that no other has"),
        ("Hassan Rouhani said he thanked China.", "Hassan Rouhani", "China", "the sex of a renamed person"),
        ("Iran thanked China in Tehran.", "Iran", "China", "a name that would be left over"),
    ],
)
def test_names_that_cannot_be_replaced_safely(text: str, holder: str, target: str, reason: str) -> None:
    with pytest.raises(NotSafe, match=reason):
        swap_names(excerpt(text, holder, target))


@pytest.mark.parametrize(
    ("text", "holder", "target", "expected"),
    [
        ("Iran thanked China.", "Iran", "China", "China thanked Iran."),
        ("Tehran thanked Beijing.", "Tehran", "Beijing", "Beijing thanked Tehran."),
        ("Chinese envoys thanked Iranian ones.", "Chinese", "Iranian", "Iranian envoys thanked Chinese ones."),
        ("The United States thanked China.", "United States", "China", "China thanked the United States."),
        ("China thanked the United States.", "China", "United States", "The United States thanked China."),
        ("China’s envoy thanked Iran.", "China", "Iran", "Iran’s envoy thanked China."),
        ("Joe Biden thanked Xi Jinping.", "Joe Biden", "Xi Jinping", "Xi Jinping thanked Joe Biden."),
    ],
)
def test_holder_and_target_change_places(text: str, holder: str, target: str, expected: str) -> None:
    gold = excerpt(text, holder, target)
    made = swap_roles(gold, gold.pairs[0])
    assert made.text == expected
    forth, back = made.checks
    assert (str(forth.before.holder), str(forth.before.target)) == (holder, target)
    assert (str(forth.after.holder), str(forth.after.target)) == (target, holder)
    assert (str(back.after.holder), str(back.after.target)) == (holder, target)
    assert (forth.label, back.label) == (SUPPORT, frozenset())


def test_an_incomplete_excerpt_knows_one_direction() -> None:
    gold = excerpt("Iran thanked China.", "Iran", "China", complete=False)
    assert len(swap_roles(gold, gold.pairs[0]).checks) == 1


@pytest.mark.parametrize(
    ("text", "holder", "target", "reason"),
    [
        ("The party thanked China.", "The party", "China", "no name of the actor table"),
        ("We thanked China.", "@author", "China", "no name of the actor table"),
        ("Iran thanked Beijing.", "Iran", "Beijing", "forms that cannot change places"),
        ("Iran thanked NATO.", "Iran", "NATO", "forms that cannot change places"),
        ("Iran thanked China in Tehran.", "Iran", "China", "a name that would be left over"),
        ("Iran thanked China for Iranian gas.", "Iran", "China", "is named again"),
        ("Xi Jinping said Iran thanked China.", "Iran", "China", "is named again"),
        ("Chinese envoys thanked Chinese aides.", "Chinese", "Chinese aides", "no name of the actor table"),
        ("An Iranian envoy thanked Chinese staff.", "Iranian", "Chinese", "an indefinite article"),
        ("Joe Biden thanked Xi Jinping for his call.", "Joe Biden", "Xi Jinping", "the sex of a renamed person"),
    ],
)
def test_roles_that_cannot_be_swapped_safely(text: str, holder: str, target: str, reason: str) -> None:
    gold = excerpt(text, holder, target)
    with pytest.raises(NotSafe, match=reason):
        swap_roles(gold, gold.pairs[0])


def test_every_span_of_the_seeds_is_whole_after_every_edit() -> None:
    edited = 0
    for gold in load_excerpts(SEEDS / "train.jsonl")[:80]:
        try:
            made = swap_names(gold)
        except NotSafe:
            continue
        edited += 1
        for check in made.checks:
            for actor in (check.after.target, check.after.holder):
                if isinstance(actor, Mention):
                    words = made.text[actor.start : actor.end]
                    assert words == actor.name
                    around = f" {made.text} "[actor.start : actor.end + 2]
                    assert not around[:2].isalnum()
                    assert not around[-2:].isalnum()
    assert edited > 30
