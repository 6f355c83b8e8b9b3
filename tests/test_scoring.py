from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.classifier import StanceClassifier
from stance.folder import Calibration
from stance.labels import PLOVER_ROOTS
from stance.packing import PackedBatch
from stance.pairs import ANY, AUTHOR, Pair
from stance.scoring import FloatArray, PairScorer, calibrate, packing_settings, softmax
from stance.sentences import Sentence
from stance.targets import Mention, Target
from tests.conftest import tiny_settings, tiny_tokenizer

N_RELATIONS = len(PLOVER_ROOTS)


class CountingForward:
    """Stands for the network: the logits of a pair are the places of its markers and spans, so that order shows."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.pairs: list[int] = []

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        n_rows, length = batch.input_ids.shape
        self.rows.append(n_rows)
        self.columns.append(n_rows * length)
        self.pairs.append(len(batch.index))
        first_word = batch.input_ids[batch.pair_rows, 1]
        logits = np.stack([first_word, batch.spans[:, 0], batch.spans[:, 2]], axis=1) / 10
        return logits.astype(np.float32), np.zeros((len(logits), N_RELATIONS), dtype=np.float32)


@pytest.fixture
def forward() -> CountingForward:
    return CountingForward()


@pytest.fixture
def scorer(forward: CountingForward) -> PairScorer:
    return PairScorer(tiny_tokenizer(), tiny_settings(), forward)


def pair(text: str, target: str, holder: str | None = None) -> Pair:
    """Pair the first places of two words; without a holder it is the author's."""

    def mention(word: str) -> Mention:
        return Mention(text.index(word), text.index(word) + len(word), Target(word))

    return Pair(Sentence.of(text), AUTHOR if holder is None else mention(holder), mention(target))


PAIRS = [
    pair("iran met china", "china", "iran"),
    pair("russia condemned the un and xi", "xi"),
    pair("iran met china", "iran", "china"),
    pair("xi met xi ’s leaders on the deal", "deal", "leaders"),
    pair("iran met china", "china"),
]


def test_scores_come_in_the_order_asked(scorer: PairScorer) -> None:
    together = scorer.score(PAIRS).probabilities
    assert len(np.unique(together, axis=0)) == len(PAIRS)
    for one, row in zip(PAIRS, together, strict=True):
        assert scorer.score([one]).probabilities[0] == pytest.approx(row)


def test_spans_fall_on_the_word_pieces_of_their_words(scorer: PairScorer) -> None:
    text = "iran and xi ’s negotiators condemned the un"
    (row,) = scorer.pack([pair(text, "the un", "xi ’s negotiators")])
    words = [scorer.tokenizer.id_to_token(int(row.tokens[place])) for place in row.spans[0]]
    assert words == ["xi", "##s", "the", "un"]


def test_identical_sentences_are_encoded_once(scorer: PairScorer, forward: CountingForward) -> None:
    scorer.score(PAIRS)
    assert sum(forward.rows) == 3


def test_identical_judgements_are_made_once_and_answer_every_asker(
    scorer: PairScorer, forward: CountingForward
) -> None:
    again = [replace(p, sentence=replace(p.sentence, start=900, end=900 + p.sentence.end)) for p in PAIRS[:3]]
    other_name = replace(PAIRS[0], target=replace(PAIRS[0].target, target=Target("PRC")))
    scores = scorer.score([*PAIRS, *again, other_name]).probabilities
    assert sum(forward.pairs) == len(PAIRS)
    assert scores[5:8].tolist() == scores[:3].tolist()
    assert scores[8].tolist() == scores[0].tolist()


def test_batches_keep_the_token_budget(scorer: PairScorer, forward: CountingForward) -> None:
    scorer.score(PAIRS, max_tokens=24)
    assert len(forward.rows) > 1
    assert max(forward.columns) <= 24


@pytest.mark.parametrize("max_tokens", [1, 7, 10_000])
def test_batch_size_changes_nothing(scorer: PairScorer, max_tokens: int) -> None:
    assert scorer.score(PAIRS, max_tokens).probabilities == pytest.approx(scorer.score(PAIRS).probabilities)


def test_no_pairs_give_empty_scores_without_a_forward_pass(scorer: PairScorer, forward: CountingForward) -> None:
    scores = scorer.score([])
    assert scores.probabilities.shape == (0, 3)
    assert scores.relations.shape == (0, N_RELATIONS)
    assert scores.truncated.shape == (0,)
    assert forward.rows == []


def test_only_pairs_of_a_sentence_that_does_not_fit_are_flagged(scorer: PairScorer) -> None:
    fits, too_long = ("iran met china" + " and russia" * n for n in (21, 22))
    assert len(fits.split()) == scorer.packing.max_text - 1
    scores = scorer.score([pair(fits, "china"), pair(too_long, "china", "iran"), pair(fits, "iran")])
    assert scores.truncated.tolist() == [False, True, False]


def test_lone_surrogate_is_scored_like_any_unknown_letter(scorer: PairScorer) -> None:
    broken, whole = scorer.score([pair("\ud800 iran met", "iran"), pair("\ufffd iran met", "iran")]).probabilities
    assert broken.tolist() == whole.tolist()


def test_relations_sum_to_one_and_probabilities_stay_in_range(tiny_classifier: StanceClassifier) -> None:
    scores = tiny_classifier.scorer.score([*PAIRS, Pair(PAIRS[0].sentence, ANY, PAIRS[0].target)])
    assert scores.relations.shape == (6, N_RELATIONS)
    assert scores.relations.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert scores.relations.std() > 0
    assert bool(((scores.probabilities > 0) & (scores.probabilities < 1)).all())


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 4), max_size=6))
def test_softmax_rows_sum_to_one_and_keep_the_order(rows: list[tuple[float, ...]]) -> None:
    logits = np.array(rows, dtype=np.float32).reshape(-1, 4)
    probabilities = softmax(logits)
    assert probabilities.shape == logits.shape
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    order = np.argsort(logits, axis=1)
    assert bool((np.diff(np.take_along_axis(probabilities, order, axis=1)) >= 0).all())


def test_calibration_is_a_logistic_map_per_stance() -> None:
    logits = np.array([[0, 0, 0], [2, 2, 2]], dtype=np.float32)
    calibration = Calibration(slope=(1.0, 0.5, -1.0), intercept=(0.0, 0.0, 1.0))
    expected = 1 / (1 + np.exp(-np.array([[0, 0, 1], [2, 1, -1]])))
    assert calibrate(logits, calibration) == pytest.approx(expected, abs=1e-6)


def test_calibration_of_extreme_logits_is_finite_and_silent() -> None:
    extreme = np.array([[1e30, -1e30, 0]], dtype=np.float32)
    assert calibrate(extreme, Calibration())[0] == pytest.approx([1, 0, 0.5])


def test_packing_looks_its_tokens_up() -> None:
    tokenizer = tiny_tokenizer()
    settings = packing_settings(tokenizer, tiny_settings())
    assert [tokenizer.id_to_token(i) for i in (settings.cls_id, settings.sep_id, settings.pad_id)] == [
        "[CLS]",
        "[SEP]",
        "[PAD]",
    ]
    assert [tokenizer.id_to_token(i) for i in settings.marker_ids] == ["[H]", "[AUTHOR]", "[ANY]", "[T]"]
    assert (settings.max_length, settings.max_text, settings.position_offset) == (48, 46, 0)
