from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stance.sentences import Sentence, split_sentences

ARTICLE = Path(__file__).parents[1] / "seeds" / "seed_article.txt"
LINE = "Iran and China, united in their resolve, met Mr. Rouhani on Monday to talk about trade. They agreed to go on. "

# Pieces that splitters stumble over: every kind of line break, white space that is no space, marks without a letter.
PIECES = [
    "Iran",
    "U.S.",
    "Mr.",
    "No. 5",
    "met",
    "e.g.",
    "3.14",
    "…",
    "...",
    "?!",
    ".”",
    "’s",
    "“We",
    ")",
    "(",
    ".",
    "!",
    ":",
    ";",
    ",",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\r\n\r\n",
    "\t",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\xa0",
    "\u2028",
    "\u2029",
    "\u3000",
    "\u200b",
    "\ufeff",
    "é",
    "́",
    "ﬁ",
    "İ",
    "ß",
    "中国。",
    "؟",
    "।",
    "🇮🇷",
    "👩\u200d🚀",
    "😀",
    "\x00",
    "�",
]
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.text(st.characters(), max_size=80))


def texts(text: str) -> list[str]:
    return [s.text for s in split_sentences(text)]


@given(TEXTS)
@example("a\x0b\x0b b.\x0c\r\n\r\x85C")
@settings(max_examples=400)
def test_offsets_slice_back_and_only_white_space_is_left_out(text: str) -> None:
    position, between = 0, ""
    for sentence in split_sentences(text):
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.text == sentence.text.strip() != ""
        assert sentence.start >= position
        between += text[position : sentence.start]
        position = sentence.end
    assert (between + text[position:]).strip() == ""


@pytest.mark.parametrize("text", ["", " ", "\n", "\r\n \t\u00a0\u2028"])
def test_text_without_a_word_has_no_sentence(text: str) -> None:
    assert split_sentences(text) == []


def test_seed_article_has_sixteen_sentences() -> None:
    sentences = texts(ARTICLE.read_text(encoding="utf-8"))
    assert len(sentences) == 16
    assert sentences[0] == "Politics"
    assert sentences[-1] == "(With contribution from Xinhua)"


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\u2028", "\x85"])
def test_every_kind_of_line_end_ends_a_headline(end: str) -> None:
    assert texts(f"Talks open{end}Iran met China{end}{end}Oil rises") == ["Talks open", "Iran met China", "Oil rises"]


def test_one_paragraph_per_line_never_joins_lines() -> None:
    assert texts("Iran met China. They agreed.\nOil prices rise\nRussia objects.") == [
        "Iran met China.",
        "They agreed.",
        "Oil prices rise",
        "Russia objects.",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_hard_wrapped_text_goes_on_over_its_line_ends(end: str) -> None:
    wrapped = f"Iran said on Monday that it{end}would meet China and the{end}other parties. They{end}agreed."
    first, second = texts(f"{wrapped}{end}{end}Russia objects.")[:2]
    assert " ".join(first.split()) == "Iran said on Monday that it would meet China and the other parties."
    assert " ".join(second.split()) == "They agreed."


def test_empty_line_ends_a_sentence_of_hard_wrapped_text_too() -> None:
    assert texts("Iran said it\nwould meet\nChina\n\nthe talks go on") == [
        "Iran said it\nwould meet\nChina",
        "the talks go on",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Mr. Rouhani met Dr. Zarif and Gen. Hajizadeh.",
        "The U.S. Senate met.",
        "He cited Article No. 5 and rose 3.5 percent.",
        "Prices, e.g. of oil, rose.",
    ],
)
def test_abbreviation_does_not_end_a_sentence(sentence: str) -> None:
    assert texts(f"{sentence} Iran objected.") == [sentence, "Iran objected."]


def test_lower_case_after_a_full_stop_is_the_same_sentence() -> None:
    assert texts("They move on. forward into the future. China agrees.") == [
        "They move on. forward into the future.",
        "China agrees.",
    ]


def test_sentence_of_a_text_is_the_whole_text() -> None:
    assert Sentence.of(" Iran ") == Sentence(" Iran ", 0, 6)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 40_000,
        "a" * 200_000,
        "word\n" * 40_000,
        "\n" * 200_000,
        "\x0b\x0c " * 66_000,
        "Mr. " * 50_000,
        "I. " * 66_000,
        "… " * 100_000,
        LINE * 1800,
    ],
    ids=["words", "letters", "lines", "breaks", "odd breaks", "abbreviations", "initials", "dots", "prose"],
)
def test_two_hundred_kilobytes_take_seconds_at_most(text: str) -> None:
    started = time.process_time()
    sentences = split_sentences(text)
    assert time.process_time() - started < 5
    assert "".join("".join(s.text for s in sentences).split()) == "".join(text.split())


WIDE = (
    "President Vladimir Putin of Russia met President Xi Jinping of China in Moscow on Monday. The European Union "
    "condemned Iran and the United States backed Israel, the Foreign Ministry of France said on Tuesday in Paris."
)


@pytest.mark.parametrize("width", range(36, 100, 4))
def test_wrapped_text_full_of_names_is_cut_as_the_same_text_on_one_line(width: int) -> None:
    wrapped = textwrap.fill(WIDE, width)
    assert [" ".join(t.split()) for t in texts(wrapped)] == texts(WIDE)


@pytest.mark.parametrize(
    "lines",
    [
        ["Iran thanks China for its support", "Xi meets Putin", "EU condemns raid"],
        ["Talks open", "Iran thanks China for its support", "Xi meets Putin in Moscow"],
        [
            "US, China sign trade deal in Geneva",
            "Iran rejects IAEA resolution today",
            "Hungary leaves the court at once",
        ],
        [
            "The Prime Minister met President Xi of China in",
            "Beijing.",
            "Talks went well.",
            "They will meet again soon.",
        ],
    ],
)
def test_headlines_of_like_length_are_not_taken_for_wrapped_text(lines: list[str]) -> None:
    assert texts("\n".join(lines)) == lines
