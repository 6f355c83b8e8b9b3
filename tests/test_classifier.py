from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance import ANY, AUTHOR, Document, Mention, Pair, Sentence, Stance, StanceClassifier, Target
from stance.actors import Actor, ActorTable, Kind
from stance.errors import StanceError, TargetError
from stance.predictions import Prediction

ARTICLE = (Path(__file__).parents[1] / "seeds" / "seed_article.txt").read_text(encoding="utf-8")


def test_document_follows_the_text_and_its_offsets_slice_back(tiny_classifier: StanceClassifier) -> None:
    document = tiny_classifier.predict(ARTICLE)
    assert len(document) > 20
    starts = [p.sentence.start for p in document]
    assert starts == sorted(starts)
    for record in document.to_records():
        sentence, target = record["sentence"], record["target"]
        assert ARTICLE[sentence["start"] : sentence["end"]] == sentence["text"]
        assert sentence["start"] <= target["start"] < target["end"] <= sentence["end"]
        for start, end in record["mentions"]:
            assert ARTICLE[start:end].strip() == ARTICLE[start:end] != ""


def test_one_prediction_per_sentence_and_target_with_all_mentions(tiny_classifier: StanceClassifier) -> None:
    text = "Iran thanks China, and the Iranian president said Iran will work with China."
    document = tiny_classifier.predict(text, ["Iran", "China"])
    assert [p.target.name for p in document] == ["Iran", "China"]
    iran, china = document
    assert [text[m.start : m.end] for m in iran.mentions] == ["Iran", "Iranian", "Iran"]
    assert [text[m.start : m.end] for m in china.mentions] == ["China", "China"]


def test_holders_gives_one_prediction_per_directed_pair_of_actors(tiny_classifier: StanceClassifier) -> None:
    text = "Iran thanks China, and Iran will work with China."
    document = tiny_classifier.predict(text, ["Iran", "China"], holders=True)
    found = {(str(p.pair.holder), p.target.name) for p in document}
    assert found == {("China", "Iran"), ("@author", "Iran"), ("Iran", "China"), ("@author", "China")}
    assert len(document) == len(found)


def test_a_pair_of_actors_takes_the_clearest_of_its_mentions(tiny_classifier: StanceClassifier) -> None:
    text = "Iran thanks China, and Iran condemned China."
    (prediction,) = tiny_classifier.predict(text, ["China"])
    sentence = prediction.sentence
    single = tiny_classifier.predict_pairs([Pair(sentence, ANY, m) for m in prediction.mentions])
    for stance in Stance:
        expected = max(p.probabilities[stance] for p in single)
        assert prediction.probabilities[stance] == pytest.approx(expected, abs=1e-6)


def test_likely_holder_is_the_one_the_directed_judgements_favour(tiny_classifier: StanceClassifier) -> None:
    text = "Iran thanks China and Russia met with the UN."
    for p in tiny_classifier.predict(text, ["China"]):
        directed = tiny_classifier.predict(text, ["China"], holders=True)
        if p.stances:
            best = max(directed, key=lambda d: sum(d.probabilities[s] for s in p.stances))
            assert p.holder == best.pair.holder


def test_stances_are_those_at_or_over_the_threshold(tiny_classifier: StanceClassifier) -> None:
    for prediction in tiny_classifier.predict(ARTICLE, holders=True):
        assert all(0 <= v <= 1 for v in prediction.probabilities.values())
        assert prediction.stances == {s for s, v in prediction.probabilities.items() if v >= 0.5}
        assert (prediction.relation is None) == (not prediction.stances)


def test_target_that_never_occurs_is_reported_not_dropped(tiny_classifier: StanceClassifier) -> None:
    document = tiny_classifier.predict("Iran met China.", ["Iran", "Atlantis"])
    assert [t.name for t in document.unmatched] == ["Atlantis"]


def test_aliases_and_curly_quotes(tiny_classifier: StanceClassifier) -> None:
    text = "Côte d’Ivoire’s president met Iran on the nuclear deal."
    targets: list[str | Target] = ["Côte d'Ivoire", Target("JCPOA", aliases=("nuclear deal",))]
    document = tiny_classifier.predict(text, targets)
    found = {p.target.name: text[p.target.start : p.target.end] for p in document}
    assert found == {"Côte d'Ivoire": "Côte d’Ivoire", "JCPOA": "nuclear deal"}


@pytest.mark.parametrize("text", ["", "   \n\n ", "No name in here.", "\ufeff", "12345 !!! …"])
def test_text_without_targets_gives_an_empty_document(tiny_classifier: StanceClassifier, text: str) -> None:
    document = tiny_classifier.predict(text)
    assert list(document) == []
    assert document.text == text
    assert document.to_records() == []
    assert document.to_frame().empty


def test_windows_line_ends_change_offsets_only(tiny_classifier: StanceClassifier) -> None:
    unix = tiny_classifier.predict(ARTICLE).to_records()
    windows_text = ARTICLE.replace("\n", "\r\n")
    windows = tiny_classifier.predict(windows_text).to_records()
    assert [r["probabilities"] for r in unix] == [r["probabilities"] for r in windows]
    assert all(windows_text[r["target"]["start"] : r["target"]["end"]].strip() for r in windows)


def test_long_sentence_is_flagged_and_keeps_its_offsets(tiny_classifier: StanceClassifier) -> None:
    text = "Iran thanks China " + "and works on " * 200 + "with Russia."
    document = tiny_classifier.predict(text, ["China", "Russia"])
    assert [text[p.target.start : p.target.end] for p in document] == ["China", "Russia"]
    assert all(p.truncated for p in document)


def test_frame_has_flat_columns_and_nullable_offsets(tiny_classifier: StanceClassifier) -> None:
    frame = tiny_classifier.predict(ARTICLE, holders=True).to_frame()
    assert set(frame["holder"]) > {"@author", "China", "Iran"}
    authors = frame[frame["holder"] == "@author"]
    assert authors["holder_start"].isna().all()
    assert str(frame["holder_start"].dtype) == "Int64"
    first = frame.iloc[0]
    assert first["sentence"] == ARTICLE[int(first["sentence_start"]) : int(first["sentence_end"])]


TEXTS = ["Iran met China.", "", "Russia condemned Iran. China thanks Russia.", "No names.", ARTICLE]


@given(order=st.permutations(TEXTS), batch_size=st.integers(1, 7))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stream_keeps_order_and_answers_whatever_the_batch(
    tiny_classifier: StanceClassifier, order: list[str], batch_size: int
) -> None:
    alone = {text: tiny_classifier.predict(text) for text in TEXTS}
    together = list(tiny_classifier.predict_many(order, batch_size=batch_size))
    assert [d.text for d in together] == order
    for document in together:
        assert_same(document, alone[document.text])


def assert_same(one: Document, other: Document) -> None:
    assert [(p.target, p.mentions) for p in one] == [(p.target, p.mentions) for p in other]
    for p, q in zip(one, other, strict=True):
        assert list(p.probabilities.values()) == pytest.approx(list(q.probabilities.values()), abs=1e-5)


def test_stream_is_lazy_and_endless_input_is_fine(tiny_classifier: StanceClassifier) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"Iran met China on day {taken}."

    stream = tiny_classifier.predict_many(endless(), batch_size=4)
    assert taken == 0
    first = list(itertools.islice(stream, 6))
    assert [d.text for d in first] == [f"Iran met China on day {i}." for i in range(1, 7)]
    assert taken == 8


def test_pairs_are_judged_in_the_order_given(tiny_classifier: StanceClassifier) -> None:
    sentence = Sentence.of("Iran thanks China.")
    iran, china = Mention(0, 4, Target("Iran")), Mention(12, 17, Target("China"))
    pairs = [Pair(sentence, iran, china), Pair(sentence, AUTHOR, iran), Pair(sentence, china, iran)]
    predictions = tiny_classifier.predict_pairs(pairs)
    assert [p.pair for p in predictions] == pairs
    backwards = tiny_classifier.predict_pairs(pairs[::-1])
    assert [p.stances for p in backwards[::-1]] == [p.stances for p in predictions]
    assert tiny_classifier.predict_pairs([]) == []


def test_mistakes_of_the_caller_are_named(tiny_classifier: StanceClassifier) -> None:
    with pytest.raises(StanceError, match="call predict"):
        list(tiny_classifier.predict_many("one text"))
    with pytest.raises(StanceError, match="bytes"):
        list(tiny_classifier.predict_many([b"bytes"]))  # type: ignore[list-item]
    with pytest.raises(TargetError):
        tiny_classifier.predict("Iran met China.", [""])
    with pytest.raises(StanceError, match="batch_size"):
        tiny_classifier.predict_many(["x"], batch_size=0)
    with pytest.raises(StanceError, match="backend"):
        StanceClassifier.from_pretrained(backend="tensorflow")  # type: ignore[arg-type]


def test_resolution_is_named_beside_the_words_and_can_be_switched_off(tiny_classifier: StanceClassifier) -> None:
    text = "Xi Jinping met Vladimir Putin. The two leaders thanked Iran. He condemned Iran."
    document = tiny_classifier.predict(text, ["Iran"], holders=True)
    leaders = next(p for p in document if str(p.holder) == "The two leaders")
    assert [t.name for t in leaders.resolved] == ["Xi Jinping", "Vladimir Putin"]
    assert leaders.resolution == "pair"
    record = next(r for r in document.to_records() if r["holder"]["name"] == "The two leaders")
    assert [actor["id"] for actor in record["resolved"]] == ["xi-jinping", "vladimir-putin"]
    assert text[record["holder"]["start"] : record["holder"]["end"]] == "The two leaders"
    plain = tiny_classifier.predict(text, ["Iran"], holders=True, resolve=False)
    assert all(p.resolved == () and p.resolution is None for p in plain)
    assert_same(document, plain)


def test_document_view_is_the_same_with_holders_or_without(tiny_classifier: StanceClassifier) -> None:
    once, pairs = tiny_classifier.predict(ARTICLE), tiny_classifier.predict(ARTICLE, holders=True)
    for by in ("actor", "state"):
        assert once.stances(by).to_records() == pairs.stances(by).to_records()
    assert len(once.stances()) > 0
    assert all(str(row.holder) != str(row.target) for row in once.stances("state"))


def test_own_actor_table(tiny_classifier: StanceClassifier) -> None:
    own = ActorTable([Actor("x", "Xanadu", Kind.STATE, capitals=("Kubla",))])
    classifier = StanceClassifier(tiny_classifier.scorer, ActorTable.load().merged_with(own))
    (prediction,) = classifier.predict("Kubla said nothing.")
    assert (prediction.target.name, prediction.target.target.id) == ("Xanadu", "x")


def test_abstains_below_the_confidence_asked_for_and_keeps_what_it_held_back(
    tiny_classifier: StanceClassifier,
) -> None:
    every = tiny_classifier.predict(ARTICLE)
    bar = sorted(p.confidence for p in every)[len(every) // 2]
    held = tiny_classifier.predict(ARTICLE, min_confidence=bar)
    assert len(held) == len(every)
    for before, after in zip(every, held, strict=True):
        assert after.confidence == before.confidence
        assert after.abstained is (before.confidence < bar)
        verdict = (frozenset(), before.stances) if after.abstained else (before.stances, frozenset())
        assert (after.stances, after.withheld) == verdict
    assert {p.abstained for p in held} == {True, False}
    assert [r["abstained"] for r in held.to_records()] == [p.abstained for p in held]
    assert all(p.confidence >= bar for p in held.directed)


def test_confidence_is_the_chance_of_exactly_the_verdict() -> None:
    sentence = Sentence.of("Iran met China.")
    pair = Pair(sentence, AUTHOR, Mention(9, 14, Target("China")))
    chances = {Stance.SUPPORT: 0.25, Stance.OPPOSE: 0.1, Stance.COOPERATE: 0.8}
    prediction = Prediction(pair, chances, frozenset({Stance.COOPERATE}))
    assert prediction.confidence == pytest.approx(0.75 * 0.9 * 0.8)
    assert prediction.held_to(0.54) is prediction
    assert prediction.held_to(0.55).withheld == {Stance.COOPERATE}


@pytest.mark.parametrize("value", [-0.1, 1.01, float("nan")])
def test_confidence_outside_0_to_1_is_refused(tiny_classifier: StanceClassifier, value: float) -> None:
    with pytest.raises(StanceError, match="expected min_confidence from 0 to 1"):
        tiny_classifier.predict("Iran met China.", min_confidence=value)


def test_what_was_read_before_a_source_failed_is_given_out(tiny_classifier: StanceClassifier) -> None:
    def source() -> Iterator[str]:
        yield from ("Iran thanked China.", "Iran left.")
        raise OSError("gone")

    documents = tiny_classifier.predict_many(source())
    assert [d.text for d in itertools.islice(documents, 2)] == ["Iran thanked China.", "Iran left."]
    with pytest.raises(OSError, match="gone"):
        next(documents)
    texts: list[Any] = ["Iran thanked China.", None]
    documents = tiny_classifier.predict_many(texts)
    assert next(documents).text == texts[0]
    with pytest.raises(StanceError, match="got NoneType as text 1"):
        next(documents)


@pytest.mark.parametrize(
    ("holder", "start", "end"),
    [(AUTHOR, 50, 60), (AUTHOR, -3, -1), (AUTHOR, 4, 4), (AUTHOR, 8, 4), (AUTHOR, 13, 20), ("Iran", 13, 18)],
)
def test_pair_that_lies_outside_its_sentence_is_refused(
    tiny_classifier: StanceClassifier, holder: Any, start: int, end: int
) -> None:
    sentence = Sentence.of("Iran thanked China.")
    with pytest.raises(StanceError, match=r"^expected (offsets into the sentence, 0 to 19|a Mention, AUTHOR or ANY)"):
        tiny_classifier.predict_pairs([Pair(sentence, holder, Mention(start, end, Target("China")))])
    with pytest.raises(StanceError, match=r"^expected a Pair; got str"):
        tiny_classifier.predict_pairs(["x"])  # type: ignore[list-item]
    good = Pair(sentence, AUTHOR, Mention(13, 18, Target("China")))
    assert len(tiny_classifier.predict_pairs(pair for pair in [good])) == 1


@pytest.mark.parametrize(
    "arguments", [{"min_confidence": "0.5"}, {"min_confidence": None}, {"batch_size": "3"}, {"batch_size": 1.5}]
)
def test_arguments_of_another_type_are_refused(tiny_classifier: StanceClassifier, arguments: dict[str, Any]) -> None:
    with pytest.raises(StanceError, match=r"^expected "):
        next(tiny_classifier.predict_many(["Iran left."], **arguments))


def test_texts_that_are_no_texts_are_refused(tiny_classifier: StanceClassifier) -> None:
    with pytest.raises(StanceError, match="expected several texts; got int"):
        next(tiny_classifier.predict_many(5))  # type: ignore[arg-type]
