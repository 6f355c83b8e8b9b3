"""The baselines on invented rows: each learns or knows what its docstring says, and all come into one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from benchmarks.accuracy import as_table, load_split, main, measure
from benchmarks.baselines import Majority, TfidfRegression, VerbRule, mark
from benchmarks.encoded import FrozenEncoder
from benchmarks.nli import ZeroShotNli, hypothesis
from benchmarks.systems import Examples, ShippedModel, System, as_predictions, tuned
from stance import (
    ANY,
    AUTHOR,
    ConfigError,
    Excerpt,
    Holder,
    Mention,
    Pair,
    Sentence,
    Stance,
    StanceClassifier,
    Target,
    save_excerpts,
)
from stance.excerpts import parse_excerpt
from stance.report import Report
from tests.conftest import tiny_encoder, tiny_tokenizer

SUPPORT, OPPOSE, COOPERATE = Stance
VERBS = {"thanked": "support", "condemned": "oppose", "met": "cooperate"}
STATES = ["Iran", "China", "Mali", "Chad", "Peru", "Cuba"]


def row(name: str, document: str, holder: str, verb: str, target: str) -> Excerpt:
    text = f"{holder} {verb} {target}."
    spans = [[0, len(holder)], [len(text) - len(target) - 1, len(text) - 1]]
    stances = [VERBS[verb]] if verb in VERBS else []
    pairs = [{"holder": spans[0], "target": spans[1], "stances": stances}] if stances else []
    record = {"id": name, "document": document, "text": text, "mentions": spans, "pairs": pairs, "complete": True}
    return parse_excerpt(record)


def rows(verbs: list[str]) -> list[Excerpt]:
    return [
        row(f"{verb}-{holder}-{target}", holder, holder, verb, target)
        for holder in STATES
        for verb in verbs
        for target in STATES
        if holder != target
    ]


ROWS = rows([*VERBS, "left"])
EXAMPLES = Examples.from_excerpts(ROWS)


def pair(text: str, holder: str | None, target: str = "Mali", open_holder: Holder = AUTHOR) -> Pair:
    def span(words: str) -> Mention:
        return Mention(text.index(words), text.index(words) + len(words), Target(words))

    return Pair(Sentence.of(text), open_holder if holder is None else span(holder), span(target))


def judged(system: System, *pairs: Pair) -> list[set[Stance]]:
    return [set(p.stances) for p in system.predict_pairs(pairs)]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("encoder"), BertModel)


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("nli"), BertForSequenceClassification)


def save_checkpoint(folder: Path, kind: Callable[[BertConfig], BertModel | BertForSequenceClassification]) -> Path:
    tokenizer = tiny_tokenizer()
    torch.manual_seed(3)
    labels = ["contradiction", "neutral", "entailment"]
    numbered = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
    config = tiny_encoder(tokenizer, **numbered)
    kind(config).save_pretrained(folder)
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return folder


def test_examples_hold_directed_pairs_and_targets_with_their_documents() -> None:
    examples = Examples.from_excerpts(ROWS[:1])
    assert [(str(p.holder), str(p.target)) for p in examples.pairs] == [
        ("China", "Iran"),
        ("@author", "Iran"),
        ("Iran", "China"),
        ("@author", "China"),
        ("@any", "Iran"),
        ("@any", "China"),
    ]
    assert examples.y_true[:, 0].tolist() == [False, False, True, False, False, True]
    assert set(examples.documents) == {"Iran"}


def test_thresholds_of_targets_are_their_own() -> None:
    pairs = [pair("Iran met Mali.", "Iran"), pair("Iran met Mali.", None, open_holder=ANY)]
    low, high = (0.2,) * 3, (0.9,) * 3
    chances = np.full((2, 3), 0.5, dtype=np.float32)
    assert [bool(p.stances) for p in as_predictions(pairs, chances, low, high)] == [True, False]
    examples = Examples(pairs * 2, np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=np.bool_), list("abcd"))
    scores = np.array([[0.3] * 3, [0.8] * 3, [0.2] * 3, [0.65] * 3], dtype=np.float32)
    directed, targets = tuned(examples, scores)
    assert 0.2 < directed[0] <= 0.3
    assert 0.65 <= targets[0] <= 0.8


def test_majority_has_no_stance() -> None:
    system = Majority()
    system.fit(EXAMPLES)
    (prediction,) = system.predict_pairs([pair("Iran thanked Mali.", "Iran")])
    assert prediction.stances == frozenset()
    assert prediction.probabilities[SUPPORT] == pytest.approx(EXAMPLES.y_true[:, 0].mean())


@pytest.mark.parametrize(
    ("asked", "stances"),
    [
        (pair("Iran thanked Mali.", "Iran"), {SUPPORT}),
        (pair("Mali thanked Iran.", "Iran"), set()),
        (pair("Iran did not thank Mali.", "Iran"), set()),
        (pair("Iran has never openly condemned Mali.", "Iran"), set()),
        (pair("Iran met and thanked Mali.", "Iran"), {COOPERATE, SUPPORT}),
        (pair("Mali was condemned by Iran.", "Iran"), {OPPOSE}),
        (pair("We condemn Mali.", None), {OPPOSE}),
        (pair("They condemn Mali.", None), set()),
        (pair("They condemn Mali.", None, open_holder=ANY), {OPPOSE}),
    ],
)
def test_verb_rule(asked: Pair, stances: set[Stance]) -> None:
    assert judged(VerbRule(), asked) == [stances]


def test_tfidf_learns_the_verbs_and_is_told_the_direction() -> None:
    system = TfidfRegression()
    system.fit(EXAMPLES)
    asked = [pair(f"Togo {verb} Mali.", "Togo") for verb in (*VERBS, "left")]
    assert judged(system, *asked) == [{SUPPORT}, {OPPOSE}, {COOPERATE}, set()]
    assert judged(system, pair("Mali condemned Togo.", "Togo")) == [set()]
    assert judged(system, pair("Togo condemned Mali.", None, open_holder=ANY)) == [{OPPOSE}]


def test_marks_of_spans_that_overlap_or_touch() -> None:
    text = "The Mali envoy met Mali."
    assert mark(pair(text, "The Mali envoy")) == "xholder The xtarget Mali endtarget envoy endholder met Mali."
    assert mark(pair("Mali Iran met.", "Iran")) == "xtarget Mali endtarget xholder Iran endholder met."


def test_stance_that_training_does_not_have_is_never_found() -> None:
    system = TfidfRegression()
    system.fit(Examples.from_excerpts(rows(["thanked", "left"])))
    (prediction,) = system.predict_pairs([pair("Iran condemned Mali.", "Iran")])
    assert prediction.probabilities[OPPOSE] == 0
    assert OPPOSE not in prediction.stances


def test_frozen_encoder_learns_and_needs_each_sentence_once(encoder: Path) -> None:
    system = FrozenEncoder(str(encoder))
    system.fit(EXAMPLES)
    report = measure(system, ROWS, ROWS)
    assert report["pairs"].micro.f1 > 0.5
    one, both = system.features(EXAMPLES.pairs[:1]), system.features(EXAMPLES.pairs[:8])
    assert one.shape == (1, 4 * 32)
    assert both[0] == pytest.approx(one[0], abs=1e-5)


def test_frozen_encoder_gives_zeros_to_a_span_beyond_its_reach(encoder: Path) -> None:
    asked = pair("Iran met " + "the " * 100 + "Mali.", "Iran")
    features = FrozenEncoder(str(encoder)).features([asked])
    assert not features[0, 32:64].any()
    assert features[0, :32].any()


def test_nli_gives_the_probability_of_each_hypothesis(nli: Path) -> None:
    system = ZeroShotNli(nli)
    asked = [pair("Iran thanked Mali.", "Iran"), pair("We met Mali.", None)]
    predictions = system.predict_pairs(asked)
    assert system.name == f"zero-shot NLI ({nli.name})"
    for p, one in zip(predictions, asked, strict=True):
        alone = system.predict_pairs([one])[0]
        assert p.probabilities == pytest.approx(alone.probabilities)
        assert all(0 < x < 1 for x in p.probabilities.values())
        assert p.stances == {s for s in Stance if p.probabilities[s] >= 0.5}
    assert hypothesis(pair("They met Mali.", None, open_holder=ANY), OPPOSE) == "Somebody opposes Mali."


def test_checkpoints_that_do_not_fit_are_refused(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(ConfigError, match="expected an NLI checkpoint; got"):
        ZeroShotNli(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="expected an encoder; got"):
        FrozenEncoder(str(tmp_path / "nothing"))


def test_table_has_a_row_per_system_and_the_distance_from_ours(tiny_classifier: StanceClassifier) -> None:
    systems: list[System] = [Majority(), VerbRule(), ShippedModel(tiny_classifier)]
    reports: dict[str, Report] = {system.name: measure(system, ROWS, ROWS) for system in systems}
    table = as_table(reports, "few")
    assert [line[0] for line in table.rows] == ["majority", "verb rule", "stance"]
    majority, rule, ours = table.rows
    assert majority[5] == 0
    assert rule[1:6] == (1, 1, 1, 1, 1)
    assert str(rule[-1]).startswith(f"{1 - float(str(ours[5])):+.3f} [")
    assert ours[-1] == ""


def test_command_writes_the_table(
    tmp_path: Path, tiny_folder: Path, encoder: Path, nli: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_excerpts(ROWS[:60], tmp_path / "train.jsonl")
    save_excerpts([*ROWS[:2], *ROWS[60:70]], tmp_path / "dev.jsonl")
    assert len(load_split(tmp_path)[0]) == 58
    options = ["--excerpts", str(tmp_path), "--model", str(tiny_folder), "--encoder", str(encoder), "--nli", str(nli)]
    assert main([*options, "--output", str(tmp_path / "table.md")]) == 0
    out = capsys.readouterr().out
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == out
    for name in ("majority", "verb rule", "TF-IDF + LR", "frozen encoder + LR", "zero-shot NLI", "stance"):
        assert f"\n| {name}" in out


def test_folder_without_excerpts_gives_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--excerpts", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"benchmarks.accuracy: {tmp_path / 'train.jsonl'}: expected a readable file; got No such file or directory; "
        "check the path\n"
    )
    (tmp_path / "train.jsonl").write_text("\n", encoding="utf-8")
    assert main(["--excerpts", str(tmp_path)]) == 2
    assert "expected annotated excerpts; got none" in capsys.readouterr().err
