from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from stance.highlights import COLOURS, Highlight, chip, highlight
from stance.labels import Stance
from stance.pairs import ANY, AUTHOR, Pair
from stance.predictions import SHOWN_SENTENCES, Document, Prediction
from stance.sentences import Sentence, split_sentences
from stance.targets import Mention, Target

SUPPORT, OPPOSE, COOPERATE = Stance


class Reader(HTMLParser):
    """Collects the words of a page, and fails on a tag that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


SPANS = st.lists(
    st.builds(
        lambda start, length, stances: Highlight(start, start + length, frozenset(stances)),
        st.integers(0, 20),
        st.integers(1, 20),
        st.sets(st.sampled_from(list(Stance))),
    ),
    max_size=5,
)


@given(st.text("ab <>&\"'’\n", min_size=1, max_size=40), SPANS)
def test_words_stay_whatever_is_marked(text: str, spans: list[Highlight]) -> None:
    inside = [s for s in spans if s.end <= len(text)]
    reader = read(highlight(text, inside))
    assert reader.words == text
    assert reader.tags <= {"mark", "u"}


def test_lone_surrogate_is_written_as_utf8_can_hold_it() -> None:
    assert highlight("a\ud800b", [Highlight(0, 1)]).encode() == "<u>a</u>\ufffdb".encode()


def test_several_stances_stand_side_by_side_in_their_order() -> None:
    page = highlight("Iran", [Highlight(0, 4, frozenset({COOPERATE})), Highlight(0, 4, frozenset({SUPPORT}))])
    assert f"linear-gradient(90deg, {COLOURS[SUPPORT]} 0% 50%, {COLOURS[COOPERATE]} 50% 100%)" in page
    assert page.count("<mark") == 1


def test_holder_inside_a_target_is_both() -> None:
    page = highlight("the Iranian side", [Highlight(0, 16, frozenset({OPPOSE})), Highlight(4, 11)])
    assert [bool(re.search(f"<u>{word}", page)) for word in ("the", "Iranian", " side")] == [False, True, False]
    assert page.count(COLOURS[OPPOSE]) == 3


def test_chip_escapes_its_words() -> None:
    assert "&lt;b&gt;" in chip(OPPOSE, "<b>")


def prediction(sentence: Sentence, holder: str | None, target: str, *stances: Stance) -> Prediction:
    start = sentence.text.index(target)
    to = Mention(start, start + len(target), Target(target))
    by = None if holder is None else Mention(sentence.text.index(holder), len(holder), Target(holder))
    chances = {s: 0.9 if s in stances else 0.1 for s in Stance}
    return Prediction(Pair(sentence, by or ANY, to), chances, frozenset(stances), (to,), likely_holder=by or AUTHOR)


def document(text: str, *wanted: tuple[int, str | None, str, tuple[Stance, ...]]) -> Document:
    sentences = tuple(split_sentences(text))
    return Document(text, sentences, tuple(prediction(sentences[i], h, t, *s) for i, h, t, s in wanted))


def test_document_shows_every_sentence_and_its_verdicts_in_words() -> None:
    text = "Iran thanked China. Nothing happened. Peru left."
    page = document(text, (0, "Iran", "China", (SUPPORT, COOPERATE)), (2, None, "Peru", ())).to_html()
    words = read(page).words
    for sentence in split_sentences(text):
        assert sentence.text in words
    assert "Iran → China: support 0.90 cooperate 0.90" in words
    assert "→ Peru" not in words
    assert page.count("<tr>") == 4
    assert "<u>Iran</u>" in page


def test_whom_the_words_of_a_holder_mean_stands_beside_them() -> None:
    told = document("He met Peru.", (0, "He", "Peru", (COOPERATE,)))
    met = replace(told.predictions[0], resolved=(Target("Iran"), Target("China")))
    assert "He (Iran, China) → Peru: cooperate" in read(replace(told, predictions=(met,)).to_html()).words
    named = replace(met, resolved=(Target("He"),))
    assert "He → Peru: cooperate" in read(replace(told, predictions=(named,)).to_html()).words


def test_author_holds_a_stance_without_a_span() -> None:
    assert "@author → Peru: oppose 0.90" in read(document("Peru lied.", (0, None, "Peru", (OPPOSE,))).to_html()).words


def test_markup_in_a_text_is_shown_and_not_obeyed() -> None:
    text = "<script>alert(1)</script> Iran & <b>Peru</b> met."
    page = document(text, (0, "Iran", "Peru", (COOPERATE,))).to_html()
    assert read(page).tags.isdisjoint({"script", "b"})
    assert html.escape("<script>") in page


def test_notebook_shows_the_first_sentences_of_a_long_document_and_says_so() -> None:
    long = document("Peru left. " * (SHOWN_SENTENCES + 3))
    assert long._repr_html_().count("<tr>") == SHOWN_SENTENCES + 1
    assert "3 further sentences" in long._repr_html_()
    assert long.to_html().count("<tr>") == SHOWN_SENTENCES + 4
    assert repr(long) == f"<Document of {SHOWN_SENTENCES + 3} sentences with 0 predictions>"
    assert "further" not in document("Peru left.")._repr_html_()
