"""The mention tagger: tags and spans, readers of tagged words, training, and the same answers from torch and ONNX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from stance.classifier import StanceClassifier
from stance.drafts import TAG_MARGIN
from stance.errors import DataError, ModelError
from stance.excerpts import Excerpt, Origin
from stance.loading import load_scorer
from stance.model import TorchForward
from stance.packing import PackedBatch, collate, text_row
from stance.pairs import ANY, AUTHOR, Pair
from stance.scoring import FloatArray, TaggingForward
from stance.sentences import Sentence
from stance.tagging import BEGIN, INSIDE, OUTSIDE, TAGS, UNKNOWN_TAG, find_spans, tag_pieces
from stance.targets import Mention, Target, find_mentions
from tests.conftest import RECORD, tiny_model, tiny_settings, tiny_tokenizer
from training.build import save_model
from training.development import mention_f1
from training.finding import measure_finding
from training.mentions import read_crossner, read_tagged_file, read_uner


@pytest.fixture
def tokenizer(tiny_classifier: StanceClassifier) -> Tokenizer:
    return tiny_classifier.scorer.tokenizer


def test_first_pieces_carry_the_tags_of_words(tokenizer: Tokenizer) -> None:
    text = "the European Union thanked Iran , and Iran left"
    encoding = tokenizer.encode(text, add_special_tokens=False)
    tags = tag_pieces(encoding, text, [(4, 18), (27, 31)])
    words = [i for i, w in enumerate(encoding.word_ids) if i == 0 or encoding.word_ids[i - 1] != w]
    expected = [OUTSIDE, BEGIN, INSIDE, OUTSIDE, BEGIN, OUTSIDE, OUTSIDE, BEGIN, OUTSIDE]
    assert [tags[i] for i in words] == expected  # the second "Iran" is tagged though it is marked once
    assert all(tags[i] == UNKNOWN_TAG for i in range(len(tags)) if i not in words)


def test_spelling_inside_another_mention_is_not_tagged_anew(tokenizer: Tokenizer) -> None:
    text = "China met the Bank of China"
    encoding = tokenizer.encode(text, add_special_tokens=False)
    tags = tag_pieces(encoding, text, [(0, 5), (14, 27)])
    assert find_spans(encoding, np.eye(len(TAGS))[np.where(tags == UNKNOWN_TAG, OUTSIDE, tags)]) == [(0, 5), (14, 27)]


WORDS = st.lists(
    st.sampled_from(["iran", "china", "thanked", "deal", "un", "xqzv", "côte"]), min_size=1, max_size=7, unique=True
)


@given(WORDS, st.data())
def test_spans_of_whole_words_come_back(words: list[str], data: st.DataObject) -> None:
    tokenizer = Tokenizer.from_file(str(Path(__file__).parents[1] / "models" / "base" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    text = " ".join(words)
    ends = np.cumsum([len(w) + 1 for w in words]) - 1
    cuts = sorted(data.draw(st.sets(st.integers(0, len(words)), max_size=6)))
    spans = [(int(ends[a] - len(words[a])), int(ends[b - 1])) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    encoding = tokenizer.encode(text, add_special_tokens=False)
    tags = tag_pieces(encoding, text, spans)
    found = find_spans(encoding, np.eye(len(TAGS))[np.where(tags == UNKNOWN_TAG, OUTSIDE, tags)])
    assert found == spans


def test_mention_may_begin_with_an_inside_tag(tokenizer: Tokenizer) -> None:
    encoding = tokenizer.encode("iran met china", add_special_tokens=False)
    logits = np.eye(len(TAGS))[[INSIDE, OUTSIDE, INSIDE]]
    assert find_spans(encoding, logits) == [(0, 4), (9, 14)]


def test_margin_asks_every_word_of_a_mention_to_beat_outside(tokenizer: Tokenizer) -> None:
    encoding = tokenizer.encode("iran met china russia", add_special_tokens=False)
    logits = np.array([[0.0, 2.0, 0.0], [5.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
    assert find_spans(encoding, logits, margin=1.0) == [(0, 4), (9, 21)]
    assert find_spans(encoding, logits, margin=1.5) == [(0, 4)]
    assert find_spans(encoding, logits, margin=2.5) == []


ROWS = "At\tO\nthe\tO\nItalian\tB-party\nGreens\tI-party\n(\tO\nFdV\tB-party\n)\tO\n,\tO\nPrague\tB-place\n.\tO\n"


def test_crossner_rows_become_sentences_with_every_name_marked(tmp_path: Path) -> None:
    for part in ("train", "dev"):
        (tmp_path / f"{part}.txt").write_text(f"{ROWS}\nRome\tB-place\nfell\tO\n", encoding="utf-8")
    parts = read_crossner(tmp_path)
    assert set(parts) == {"train", "dev"}
    first, second = parts["train"]
    assert first.text == "At the Italian Greens (FdV), Prague."
    assert [first.text[m.start : m.end] for m in first.mentions] == ["Italian Greens", "FdV", "Prague"]
    assert (second.text, first.complete, first.pairs, first.origin.source) == ("Rome fell", False, (), "crossner")


def test_uner_rows_have_comments_and_numbers(tmp_path: Path) -> None:
    rows = "# text = Tampa Bay won\r\n1\tTampa\tB-LOC\t-\tx\r\n2\tBay\tI-LOC\t-\tx\r\n3\twon\tO\t-\tx\r\n"
    (tmp_path / "en_ewt-ud-dev.iob2").write_text(rows, encoding="utf-8", newline="")
    (excerpt,) = read_uner(tmp_path)["train"]
    assert excerpt.text == "Tampa Bay won"
    assert [(m.start, m.end) for m in excerpt.mentions] == [(0, 9)]


@pytest.mark.parametrize("row", ["Rome", "Rome\tX", "\tO", "Rome\tB"])
def test_faulty_row_of_tagged_words_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "train.txt"
    path.write_text(f"At\tO\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train\.txt.*2.*expected a word and its tag"):
        read_tagged_file(path, "crossner", word=0, tag=1)


@pytest.fixture(scope="module")
def tagging_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tagging"
    tokenizer = tiny_tokenizer()
    save_model(tiny_model(tokenizer, tagger=True), tokenizer, tiny_settings(), RECORD, folder)
    return folder


TEXTS = ["Iran thanked China .", "", "the deal", "Iran thanked China for its support of the deal . " * 6]


def test_tags_are_the_same_whatever_rides_along(tagging_folder: Path) -> None:
    scorer = load_scorer(tagging_folder, backend="torch", device="cpu")
    assert scorer.has_tagger
    together = scorer.tag(TEXTS * 2)
    assert together[: len(TEXTS)] == together[len(TEXTS) :]
    assert together[: len(TEXTS)] == [scorer.tag([text])[0] for text in TEXTS]
    assert any(together)
    for text, spans in zip(TEXTS, together, strict=False):
        assert all(text[a:b].strip() == text[a:b] != "" for a, b in spans)


def test_text_longer_than_the_encoder_is_tagged_to_its_end(tagging_folder: Path) -> None:
    scorer = load_scorer(tagging_folder, backend="torch", device="cpu")
    text = "Iran thanked China . " * 40
    (spans,) = scorer.tag([text])
    assert spans == sorted(spans)
    assert {a // 200 for a, _ in spans} == {0, 1, 2, 3, 4}


def test_pairs_do_not_change_tags(tagging_folder: Path) -> None:
    scorer = load_scorer(tagging_folder, backend="torch", device="cpu")
    pairs = [
        Pair(Sentence.of(TEXTS[0]), ANY, Mention(0, 4, Target("Iran"))),
        Pair(Sentence.of(TEXTS[0]), AUTHOR, Mention(13, 18, Target("China"))),
    ]
    assert isinstance(scorer.forward, TaggingForward)
    (row,) = scorer.pack(pairs)
    with_pairs = scorer.forward.read(collate([row], scorer.packing))[2][0, : len(row.tokens) + 2]
    without = scorer.forward.read(collate([text_row(row.tokens)], scorer.packing))[2][0, : len(row.tokens) + 2]
    np.testing.assert_allclose(with_pairs, without, atol=1e-5)


class Counting:
    """A network that counts the rows and pairs it is given."""

    def __init__(self, forward: TaggingForward) -> None:
        self.forward = forward
        self.has_tagger = forward.has_tagger
        self.rows: list[int] = []
        self.pairs: list[int] = []

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        self.rows.append(len(batch.input_ids))
        self.pairs.append(len(batch.index))
        return self.forward(batch)

    def read(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray, FloatArray]:
        self.rows.append(len(batch.input_ids))
        self.pairs.append(len(batch.index))
        return self.forward.read(batch)


def counting(folder: Path) -> tuple[StanceClassifier, Counting]:
    classifier = StanceClassifier.from_pretrained(folder, backend="torch", device="cpu")
    assert isinstance(classifier.scorer.forward, TaggingForward)
    counts = Counting(classifier.scorer.forward)
    classifier.scorer.forward = counts
    return classifier, counts


def pairs_of(text: str) -> list[Pair]:
    (named,) = find_mentions([Sentence.of(text)])
    return [Pair(Sentence.of(text), ANY, m) for m in named] + [Pair(Sentence.of(text), AUTHOR, m) for m in named]


@pytest.mark.parametrize("max_tokens", [1, 4096])
def test_one_reading_gives_the_tags_and_the_answers_of_two_passes(tagging_folder: Path, max_tokens: int) -> None:
    scorer = load_scorer(tagging_folder, backend="torch", device="cpu")
    asked = [p for text in TEXTS for p in pairs_of(text)]
    assert any(scorer.score(asked).truncated)
    reading = scorer.read(TEXTS, asked[::-1], max_tokens=max_tokens)
    assert reading.spans == scorer.tag(TEXTS)
    both, plain = scorer.score(asked, known=reading), scorer.score(asked)
    np.testing.assert_allclose(both.probabilities, plain.probabilities, atol=1e-5)
    np.testing.assert_allclose(both.relations, plain.relations, atol=1e-5)
    assert both.truncated.tolist() == plain.truncated.tolist()


def test_only_what_a_reading_does_not_know_is_judged(tagging_folder: Path) -> None:
    classifier, counts = counting(tagging_folder)
    scorer, asked = classifier.scorer, pairs_of(TEXTS[0])
    reading = scorer.read(TEXTS[:1], asked[:3])
    assert (counts.rows, counts.pairs) == ([1], [3])
    known = scorer.score(asked, known=reading)
    assert (counts.rows, counts.pairs) == ([1, 1], [3, 1])
    np.testing.assert_allclose(known.probabilities, scorer.score(asked).probabilities, atol=1e-5)


def test_a_text_whose_names_the_rules_know_is_read_once(tagging_folder: Path) -> None:
    classifier, counts = counting(tagging_folder)
    assert isinstance(counts.forward, TorchForward)
    tagger = counts.forward.model.tagger
    assert isinstance(tagger, torch.nn.Sequential)
    last = tagger[-1]
    assert isinstance(last, torch.nn.Linear)
    torch.nn.init.constant_(last.bias[OUTSIDE : OUTSIDE + 1], 100.0)  # it finds nothing
    assert [p.target.name for p in classifier.predict("Iran thanked China .")] == ["Iran", "China"]
    assert counts.rows == [1]
    assert not list(classifier.predict("the deal"))
    assert counts.rows == [1, 1]  # the tagger has looked, nobody is judged
    classifier.tagger = False
    assert not list(classifier.predict("the deal"))
    assert counts.rows == [1, 1]


def test_int8_graph_has_the_tagger_and_answers_nearly_alike(tagging_folder: Path) -> None:
    plain, int8 = (load_scorer(tagging_folder, backend=b) for b in ("torch", "onnx"))
    assert int8.has_tagger
    (row,) = plain.pack([Pair(Sentence.of(TEXTS[0]), ANY, Mention(0, 4, Target("Iran")))])
    batch = collate([row], plain.packing)
    assert isinstance(plain.forward, TaggingForward)
    assert isinstance(int8.forward, TaggingForward)
    text = slice(1, len(row.tokens) + 1)
    np.testing.assert_allclose(plain.forward.read(batch)[2][:, text], int8.forward.read(batch)[2][:, text], atol=0.2)


def test_model_without_a_tagger_has_none(tiny_folder: Path) -> None:
    assert not load_scorer(tiny_folder, backend="torch", device="cpu").has_tagger


def names_of(text: str, spans: list[tuple[int, int]]) -> list[tuple[str, str, str | None]]:
    """Find names with the shipped table and these tagged spans: words, canonical name, id."""
    (mentions,) = find_mentions([Sentence.of(text)], tagged=[spans])
    return [(text[m.start : m.end], m.name, m.target.id) for m in mentions]


def span_of(text: str, words: str) -> tuple[int, int]:
    return text.index(words), text.index(words) + len(words)


def test_tagger_finds_and_the_table_resolves() -> None:
    text = "Iran and the Zorbian Fishers League thanked Tehran."
    found = names_of(text, [span_of(text, "Iran"), span_of(text, "Zorbian Fishers League")])
    assert found == [
        ("Iran", "Iran", "IRN"),
        ("Zorbian Fishers League", "Zorbian Fishers League", None),
        ("Tehran", "Iran", "IRN"),  # of the table alone
    ]


def test_where_places_overlap_the_rules_hold() -> None:
    text = "The Iran nuclear deal holds."
    assert names_of(text, [span_of(text, "nuclear")]) == names_of(text, [])
    assert names_of(text, [])[0][2] == "jcpoa"


def test_longer_name_that_no_table_has_holds_names_that_are_parts_of_it() -> None:
    text = "The 2034 United States presidential primary and Iran matter."
    found = names_of(text, [span_of(text, "2034 United States presidential primary")])
    assert found == [
        ("2034 United States presidential primary", "2034 United States presidential primary", None),
        ("Iran", "Iran", "IRN"),
    ]


def test_full_name_of_a_known_actor_stays_his() -> None:
    text = "The United Republic of Tanzania agreed."
    assert names_of(text, [span_of(text, "United Republic of Tanzania")]) == names_of(text, [])
    assert names_of(text, [])[0][2] == "TZA"


def test_tagged_place_that_cuts_a_known_name_in_two_is_dropped() -> None:
    text = "Ministers of South Korea met."
    assert names_of(text, [span_of(text, "Ministers of South")]) == names_of(text, [])


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("Zorb of the", ["Zorb"]),
        ("the", []),
        (".", []),
        ("Zorb-", ["Zorb"]),
        ("“", []),
        ("北京", ["北京"]),
    ],
)
def test_loose_ends_and_small_words_are_no_names(words: str, left: list[str]) -> None:
    text = f"We met {words} here."
    assert [name for name, _, _ in names_of(text, [span_of(text, words)])] == left


def test_tagged_short_name_of_one_person_is_his_and_a_place_stays_a_place() -> None:
    text = "Rouhani spoke in Paris."
    found = names_of(text, [span_of(text, "Rouhani"), span_of(text, "Paris")])
    assert found == [("Rouhani", "Hassan Rouhani", "hassan-rouhani"), ("Paris", "Paris", None)]


def test_classifier_without_targets_judges_what_the_tagger_finds(tagging_folder: Path) -> None:
    classifier = StanceClassifier.from_pretrained(tagging_folder, backend="torch", device="cpu")
    text = "Iran thanked xqzv for its support of the deal ."
    (spans,) = classifier.scorer.tag([text], margin=TAG_MARGIN)
    assert spans
    (named,) = find_mentions([Sentence.of(text)], tagged=[spans])
    document = classifier.predict(text)
    assert {m for p in document for m in p.mentions} == set(named)
    assert [p.target.name for p in classifier.predict(text, ["deal"])] == ["deal"]
    classifier.tagger = False
    assert {m for p in classifier.predict(text) for m in p.mentions} == set(find_mentions([Sentence.of(text)])[0])
    classifier.tagger = True
    both = list(classifier.predict_many([text, "", text]))
    assert [len(d) for d in both] == [len(document), 0, len(document)]


def test_finding_is_scored_by_rules_by_tagger_and_by_both(tagging_folder: Path, tiny_folder: Path) -> None:
    sentence = Excerpt("x", "Iran thanked China .", mentions=(Mention(0, 4, Target("Iran")),), complete=True)
    partial = replace(sentence, complete=False)
    scorer = load_scorer(tagging_folder, backend="torch", device="cpu")
    table = measure_finding(scorer, {"a": [sentence, partial], "b": [partial]})
    ((name, number, rules, *_),) = table.rows
    assert (name, number, rules) == ("a", "1", "0.667")  # Iran and China found, Iran marked
    with pytest.raises(ModelError, match="expected a model with a tagger"):
        measure_finding(load_scorer(tiny_folder, backend="torch", device="cpu"), {"a": [sentence]})


def test_found_spans_are_scored_at_the_first_place_of_a_spelling() -> None:
    excerpt = Excerpt("x", "Iran met Iran", mentions=(Mention(0, 4, Target("Iran")),), origin=Origin("crossner"))
    assert mention_f1([excerpt], [[(0, 4), (9, 13)]]) == 1
    assert mention_f1([excerpt], [[]]) == 0
    assert mention_f1([excerpt], [[(0, 4), (5, 8)]]) == pytest.approx(2 / 3)
