"""Whom pronouns and noun phrases mean, on invented sentences."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from stance.actors import Actor, ActorTable, Kind
from stance.resolution import How, Resolution, Resolved, resolve_holders
from stance.sentences import split_sentences
from stance.targets import find_holders, find_mentions
from tests.conftest import quickest

MARKED = Path(__file__).parent / "data" / "resolution.jsonl"
ARTICLE = Path(__file__).parents[1] / "seeds" / "seed_article.txt"


def resolve(text: str, table: ActorTable | None = None) -> Resolved:
    sentences = split_sentences(text)
    mentions = find_mentions(sentences, table=table)
    phrases = [find_holders(s, found) for s, found in zip(sentences, mentions, strict=True)]
    return resolve_holders(sentences, mentions, phrases, table)


def meant(text: str, words: str, nth: int = 0) -> tuple[list[str], str | None]:
    """Give names and way for the n-th place where the words stand."""
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    found = resolve(text).holders.get((start, start + len(words)))
    return ([], None) if found is None else ([t.name for t in found.actors], str(found.how))


@pytest.mark.parametrize(
    ("text", "words", "names", "how"),
    [
        ("Iran thanked China.", "Iran", ["Iran"], "name"),
        ("Tehran thanked Beijing.", "Tehran", ["Iran"], "metonym"),
        ("The Kremlin denied it.", "Kremlin", ["Russia"], "metonym"),
        ("The Iranian side left.", "Iranian", ["Iran"], "alias"),
        ("Iranian President Hassan Rouhani left.", "Iranian", ["Iran"], "apposition"),
        ("Hassan Rouhani, the president of Iran, left.", "the president", ["Hassan Rouhani"], "apposition"),
        ("The president, Hassan Rouhani, left.", "The president", ["Hassan Rouhani"], "apposition"),
        ("The president of Iran, Hassan Rouhani, left.", "The president", ["Hassan Rouhani"], "apposition"),
        (
            "Iranian President Hassan Rouhani left. The Iranian president also thanked China.",
            "Iranian president",
            [],
            None,
        ),
        ("Joe Biden spoke. The President thanked Kenya.", "The President", ["Joe Biden"], "title"),
        ("Xi Jinping spoke. He thanked Iran.", "He", ["Xi Jinping"], "pronoun"),
        ("Angela Merkel wrote to Xi Jinping. She thanked China.", "She", ["Angela Merkel"], "pronoun"),
        ("Xi Jinping met Vladimir Putin. He thanked Iran.", "He", [], None),
        ("Xi Jinping praised Vladimir Putin. He thanked Iran.", "He", ["Xi Jinping"], "pronoun"),
        ("Xi Jinping met Vladimir Putin. He thanked Putin.", "He", ["Xi Jinping"], "pronoun"),
        ("Xi Jinping spoke. “He lied,” Putin said.", "He", [], None),
        ("He thanked Iran.", "He", [], None),
        ("China and Iran signed. They thanked Oman.", "They", ["China", "Iran"], "pair"),
        ("China accused Iran. They thanked Oman.", "They", [], None),
        ("The Houthis fired. They blamed Israel.", "They", ["Houthis"], "pronoun"),
        ("Britain backs Kyiv. It sent tanks.", "It", ["United Kingdom"], "pronoun"),
        ("Britain backs Kyiv. It is clear that Poland does too.", "It", [], None),
        ("Xi Jinping met Joe Biden. The two leaders agreed.", "The two leaders", ["Xi Jinping", "Joe Biden"], "pair"),
        ("Xi Jinping met Vladimir Putin. Both sides agreed.", "Both sides", ["China", "Russia"], "pair"),
        ("Kenya, Uganda and Tanzania met. The two countries agreed.", "The two countries", [], None),
        ("Fiji, Chile and Peru met. The three nations left.", "The three nations", ["Fiji", "Chile", "Peru"], "pair"),
        ("Malaysia froze the accounts. The government blamed Oman.", "The government", ["Malaysia"], "phrase"),
        ("The government blamed Oman.", "The government", [], None),
    ],
)  # fmt: skip
def test_rules(text: str, words: str, names: list[str], how: str | None) -> None:
    assert meant(text, words) == (names, how)


def test_a_title_after_a_state_means_the_one_named_with_it() -> None:
    text = "Iranian President Hassan Rouhani left. The Iranian president also thanked China."
    assert meant(text, "Iranian", 1) == (["Iran", "Hassan Rouhani"], "title")


@pytest.mark.parametrize(
    ("text", "person", "state"),
    [
        ("Iranian Foreign Minister Jane Doe left.", "Jane Doe", "Iran"),
        ("Jane Doe, the Iranian foreign minister, left.", "Jane Doe", "Iran"),
        ("Foreign Minister Jane Doe of Iran left.", "Jane Doe", "Iran"),
        ("UN Secretary-General António Guterres left.", "António Guterres", "United Nations"),
        ("Emmanuel Macron left.", "Emmanuel Macron", "France"),
        ("António Guterres left.", "António Guterres", None),
        ("Former Iranian President Jane Doe left.", "Jane Doe", None),
        ("Iranian activist Jane Doe left.", "Jane Doe", None),
        ("Alexei Navalny left.", "Alexei Navalny", None),
    ],
)
def test_for_whom_a_person_speaks(text: str, person: str, state: str | None) -> None:
    states = {p.name: s.name for p, s in resolve(text).states.items()}
    assert states.get(person) == state


def test_seed_article() -> None:
    text = ARTICLE.read_text(encoding="utf-8")
    for words, names in (
        ("He made", ["Xi Jinping"]),
        ("he mentioned", ["Xi Jinping"]),
        ("he said.", ["Xi Jinping"]),
        ("He welcomed", ["Hassan Rouhani"]),
        ("The two countries", ["China", "Iran"]),
        ("Iranian president", ["Iran", "Hassan Rouhani"]),
    ):
        start = text.index(words)
        length = len(words) if words[:3] == "The" else len(words.split()[0])
        found = resolve(text).holders[start, start + length]
        assert [t.name for t in found.actors] == names, words


def test_windows_line_ends_change_offsets_only() -> None:
    text = ARTICLE.read_text(encoding="utf-8")
    unix, windows = resolve(text), resolve(text.replace("\n", "\r\n"))
    assert list(unix.holders.values()) == list(windows.holders.values())


def test_own_table_and_names_in_other_scripts() -> None:
    table = ActorTable([Actor("x", "Ксанаду", Kind.STATE, aliases=("仙那度",)), Actor("y", "Iran", Kind.STATE)])
    text = "Ксанаду thanked Iran. It sent aid. 仙那度 left."
    found = resolve(text, table)
    assert [(text[a:b], t.id) for (a, b), r in found.holders.items() for t in r.actors] == [
        ("Ксанаду", "x"),
        ("Iran", "y"),
        ("It", "x"),
        ("仙那度", "x"),
    ]


@pytest.mark.slow
def test_two_megabytes_with_a_target_that_never_occurs() -> None:
    text = (ARTICLE.read_text(encoding="utf-8") + "\r\nوقالت إيران إنها ترحب. 中国は歓迎した。\r\n") * 700
    assert len(text) > 2e6
    sentences = split_sentences(text)
    assert not any(find_mentions(sentences, ["Atlantis"]))
    found = resolve(text)
    assert all(0 <= start < end <= len(text) for start, end in found.holders)
    assert sum(r.how is How.PRONOUN for r in found.holders.values()) >= 4 * 700


def test_nothing_to_resolve() -> None:
    assert resolve("") == Resolved({}, {})
    assert resolve("They left.").holders == {}
    assert Resolution((), How.NAME).how == "name"


def test_three_hundred_marked_mentions() -> None:
    """Countries right in 97 of 100; each row of the file is a text with ``[start, end, ids or null]`` per mention."""
    table = ActorTable.load()
    right = wrong = missed = exact = total = 0
    for line in MARKED.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found = resolve(row["text"]).holders
        for start, end, expected in row["mentions"]:
            given = {t.id for t in found[start, end].actors if t.id} if (start, end) in found else set()
            total += 1
            exact += given == set(expected or [])
            states = {i for i in given if table[i].kind is Kind.STATE}
            wanted = {i for i in expected or [] if table[i].kind is Kind.STATE}
            right, wrong, missed = (
                right + len(states & wanted),
                wrong + len(states - wanted),
                missed + len(wanted - states),
            )
    print(f"{total} mentions, {exact} exact; countries: {right} right, {wrong} wrong, {missed} missed")
    assert total >= 300
    assert right / (right + wrong) >= 0.97
    assert right / (right + missed) >= 0.95
    assert exact / total >= 0.95


@pytest.mark.parametrize(
    "passage",
    [
        "Xi Jinping met Iranian President Jane Doe. The two leaders thanked the President, and he and they left. ",
        "President Jane Doe said he and they and it and the two leaders and the President of Iran met Xi Jinping, ",
    ],
)
def test_cost_is_linear(passage: str) -> None:
    short, long = (quickest(partial(resolve, passage * n)) for n in (100, 800))
    assert long < 24 * short
