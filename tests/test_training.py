"""One whole training run of a tiny model on invented sentences: learns, repeats, resumes, and writes its folder."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertModel, ElectraConfig, ElectraModel, PreTrainedTokenizerFast

from stance import __version__
from stance.classifier import StanceClassifier
from stance.errors import ConfigError
from stance.excerpts import Excerpt, GoldPair, Origin, save_excerpts
from stance.folder import Calibration, describe_model, locate_model
from stance.labels import Label, Polarity, Stance
from stance.model import TorchForward
from stance.packing import MARKER_TOKENS
from stance.pairs import ANY, AUTHOR, Pair
from stance.scoring import PairScorer
from stance.sentences import Sentence
from stance.targets import Mention, Target
from tests.conftest import LETTERS, WORDS, tiny_encoder
from training.build import finished_model, first_model, new_model, start_folder
from training.config import CorpusSettings, StageSettings, TrainingSettings
from training.data import Corpora, load_corpora
from training.development import Development
from training.examples import collate_examples, draw_pairs, judged_sentences, make_dataset
from training.losses import EXACT, NEGATIVE, POSITIVE, UNKNOWN_RELATION
from training.optimisation import Average, choose_precision, epoch_batches, schedule
from training.record import rounded
from training.renaming import copies_of, renamed_copies, share_weights
from training.train import Trainer, train

ACTORS = ["iran", "china", "russia", "un", "rouhani", "xi"]
FORMS: list[tuple[str, frozenset[Stance], bool]] = [
    ("{} thanks {} for its support .", frozenset({Stance.SUPPORT}), False),
    ("{} opposes {} and its deal .", frozenset({Stance.OPPOSE}), False),
    ("{} met {} on the deal .", frozenset({Stance.COOPERATE}), True),
    ("the leaders of {} , {} said .", frozenset(), False),
]
FILES = ["README.md", "config.json", "model.safetensors", "stance.json", "tokenizer.json", "training.json"]


def invented(form: int, holder: str, target: str, document: str) -> Excerpt:
    """Write a sentence of one of the forms, annotated in full."""
    words, label, both = FORMS[form]
    text = words.format(holder, target)
    start = text.index(holder)
    one = Mention(start, start + len(holder), Target(holder))
    start = text.index(f" {target} ") + 1
    other = Mention(start, start + len(target), Target(target))
    directions = [(one, other), (other, one)] if both else [(one, other)]
    relation = "CONSULT" if both else None
    pairs = tuple(GoldPair(h, t, label, relation) for h, t in directions if label)
    return Excerpt(
        id=f"{document}-{text}",
        text=text,
        mentions=(one, other),
        pairs=pairs,
        complete=True,
        origin=Origin(document=document),
    )


def polar(text: str, target: str, polarity: Polarity) -> Excerpt:
    start = text.index(target)
    mention = Mention(start, start + len(target), Target(target))
    return Excerpt(id=text, text=text, mentions=(mention,), pairs=(GoldPair(ANY, mention, polarity),))


CASES = [(f, h, t) for h, t in itertools.permutations(ACTORS, 2) for f in range(len(FORMS))]
TRAIN = [invented(*case, f"d{i // 4}") for i, case in enumerate(CASES) if i % 3 == 0]
DEV = [invented(*case, f"e{i // 4}") for i, case in enumerate(CASES) if i % 9 == 1]


def write_corpus(folder: Path, training_part: Sequence[Excerpt], development_part: Sequence[Excerpt]) -> None:
    folder.mkdir(parents=True)
    save_excerpts(training_part, folder / "train.jsonl")
    save_excerpts(development_part, folder / "dev.jsonl")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder and a tiny corpus."""
    folder = tmp_path_factory.mktemp("workshop")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS, *(f"##{x}" for x in LETTERS)]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(dict.fromkeys(pieces))}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder / "encoder")
    torch.manual_seed(11)
    BertModel(tiny_encoder(tokenizer), add_pooling_layer=False).save_pretrained(folder / "encoder")
    write_corpus(folder / "corpora" / "tiny", TRAIN, DEV)
    return folder


def settings_for(workshop: Path, output: Path, **changes: Any) -> TrainingSettings:
    two_stages = (
        StageSettings("first", {"tiny": 1}, epochs=2, learning_rate=3e-3),
        StageSettings("second", {"tiny": 0.5}, epochs=1, learning_rate=1e-3),
    )
    plain = TrainingSettings(
        output=str(output),
        corpora={"tiny": CorpusSettings("excerpts", "tiny")},
        stages=two_stages,
        corpora_folder="corpora",
        encoder=str(workshop / "encoder"),
        max_length=48,
        batch_tokens=160,
        precision="no",
        ema_decay=0.9,
        checkpoint_steps=1,
        export_onnx=False,
        folder=workshop,
    )
    return replace(plain, **changes)


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def record_of(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return record


@pytest.fixture(scope="module")
def finished(workshop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an uninterrupted run of two stages wrote."""
    folder = tmp_path_factory.mktemp("finished")
    train(settings_for(workshop, folder / "model"), folder / "run")
    return folder / "model"


def test_finished_run_writes_a_whole_folder(finished: Path) -> None:
    assert {*FILES} <= {p.name for p in finished.iterdir()}
    record = record_of(finished)
    assert [(h["stage"], h["epoch"]) for h in record["history"]] == [("first", 1), ("first", 2), ("second", 1)]
    assert record["corpora"]["tiny"]["rows"] == len(TRAIN)
    assert record["scores"].keys() >= {"tiny/pairs", "tiny/targets", "tiny/pairs.support"}
    assert record["settings"]["seed"] == 1
    assert "| tiny | pairs | micro |" in (finished / "README.md").read_text(encoding="utf-8")


def test_finished_run_writes_its_int8_graph(workshop: Path, tmp_path: Path) -> None:
    settings = settings_for(workshop, tmp_path / "model", export_onnx=True)
    train(settings, tmp_path / "run")
    document = StanceClassifier.from_pretrained(tmp_path / "model", backend="onnx").predict("Iran met China.")
    assert [p.target.name for p in document] == ["Iran", "China"]


def test_finished_run_says_nothing_of_the_machine(finished: Path, workshop: Path) -> None:
    for file in finished.iterdir():
        assert str(workshop).encode() not in file.read_bytes(), file.name


def test_finished_model_loads_and_scores_as_its_record_says(finished: Path) -> None:
    classifier = StanceClassifier.from_pretrained(finished, backend="torch", device="cpu")
    pairs = [pair for excerpt in DEV for pair in excerpt.to_pairs()[0]]
    assert len(classifier.predict_pairs(pairs)) == len(pairs)
    assert classifier.scorer.settings.library_version == __version__


def test_same_seed_gives_the_same_weights_and_another_seed_others(
    workshop: Path, finished: Path, tmp_path: Path
) -> None:
    train(settings_for(workshop, tmp_path / "same"), tmp_path / "run-same")
    train(settings_for(workshop, tmp_path / "other", seed=2), tmp_path / "run-other")
    assert weights_of(tmp_path / "same") == weights_of(finished)
    assert weights_of(tmp_path / "other") != weights_of(finished)


def stop_at(calls: int) -> Callable[[Any], Any]:
    """Wrap a method so that a call after the first ``calls`` is interrupted."""

    def wrap(method: Any) -> Any:
        count = itertools.count()

        def interrupted(*args: Any, **kwargs: Any) -> Any:
            if next(count) >= calls:
                raise KeyboardInterrupt
            return method(*args, **kwargs)

        return interrupted

    return wrap


def read_words(trainer: Trainer) -> list[torch.Tensor]:
    """Give the embeddings of the text in each pass of one training step."""
    seen: list[torch.Tensor] = []
    trainer.plain_model.encoder.embeddings.register_forward_hook(lambda _, __, out: seen.append(out.detach()))
    for module in trainer.plain_model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    records = [draw_pairs(trainer.datasets["tiny"][0], 4, np.random.default_rng(1))]
    optimizer = torch.optim.SGD(trainer.plain_model.parameters(), lr=0.0)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    trainer.plain_model.train()
    trainer.step(collate_examples(records, trainer.scorer), optimizer, rates)
    return seen[::2]  # each pass reads the text, then the markers


@pytest.mark.parametrize(
    "point",
    [
        ("step", 3),  # within an epoch
        ("score_epoch", 0),  # between the last batch of an epoch and its score
        ("run_epoch", 1),  # between two epochs
        ("run_stage", 1),  # between two stages
        ("run_epoch", 2),  # at the start of the second stage, before its first checkpoint
        ("score_epoch", 2),  # after the last batch of the second stage
        ("current_scorer", 3),  # when all is trained
    ],
)
def test_interrupted_run_ends_exactly_as_an_uninterrupted_one(
    workshop: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: tuple[str, int]
) -> None:
    method, calls = point
    planned = settings_for(workshop, tmp_path / "model")
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, method, stop_at(calls)(getattr(Trainer, method)))
        with pytest.raises(KeyboardInterrupt):
            train(planned, tmp_path / "run")
    assert not (tmp_path / "model").exists()
    torch.manual_seed(99)  # another process would have another random state
    train(planned, tmp_path / "run")
    assert weights_of(tmp_path / "model") == weights_of(finished)
    assert record_of(tmp_path / "model")["history"] == record_of(finished)["history"]
    assert (tmp_path / "model" / "stance.json").read_bytes() == (finished / "stance.json").read_bytes()


def test_run_interrupted_twice_in_its_second_stage_ends_the_same(
    workshop: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = settings_for(workshop, tmp_path / "model")
    state = torch.load(finished.parent / "run" / "checkpoint.pt", weights_only=True)
    assert state["progress"]["history"] == record_of(finished)["history"]
    for calls in (state["progress"]["step"] - 2, 1):
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "step", stop_at(calls)(Trainer.step))
            with pytest.raises(KeyboardInterrupt):
                train(planned, tmp_path / "run")
    train(planned, tmp_path / "run")
    assert weights_of(tmp_path / "model") == weights_of(finished)


def test_adversary_changes_what_is_learned_and_an_interrupted_run_ends_the_same(
    workshop: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = settings_for(workshop, tmp_path / "model", adversarial_distance=0.5)
    train(planned, tmp_path / "run")
    assert weights_of(tmp_path / "model") != weights_of(finished)
    again = replace(planned, output=str(tmp_path / "again"))
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stop_at(3)(Trainer.step))
        with pytest.raises(KeyboardInterrupt):
            train(again, tmp_path / "run-again")
    train(again, tmp_path / "run-again")
    assert weights_of(tmp_path / "again") == weights_of(tmp_path / "model")


def test_step_learns_from_both_readings_of_a_batch(workshop: Path, tmp_path: Path) -> None:
    read: dict[float, list[torch.Tensor]] = {}
    for distance in (0.0, 0.5):
        planned = settings_for(workshop, tmp_path / "model", adversarial_distance=distance, clip_norm=1e9)
        trainer = Trainer(planned, load_corpora(planned), tmp_path / "run", show_progress=False)
        read[distance] = read_words(trainer)
    (plain,), (first, second) = read[0.0], read[0.5]
    assert torch.equal(plain, first)
    assert second.shape == first.shape
    assert not torch.equal(second, first)


@pytest.mark.parametrize("change", [{"seed": 2}, {"relation_weight": 0.5}, {"corpora_folder": "others"}])
def test_checkpoint_of_other_settings_or_corpora_is_not_taken_up(
    workshop: Path, finished: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    if not (workshop / "others").is_dir():
        write_corpus(workshop / "others" / "tiny", TRAIN[:-1], DEV)
    with pytest.raises(
        ConfigError, match=r"^expected a checkpoint of these settings and corpora in .*; got one of others"
    ):
        train(settings_for(workshop, tmp_path / "model", **change), finished.parent / "run")
    assert not (tmp_path / "model").exists()


def test_finished_run_taken_up_again_writes_the_same_model(workshop: Path, finished: Path, tmp_path: Path) -> None:
    train(settings_for(workshop, tmp_path / "model", checkpoint_steps=7), finished.parent / "run")
    assert weights_of(tmp_path / "model") == weights_of(finished)
    assert record_of(tmp_path / "model")["history"] == record_of(finished)["history"]


@pytest.mark.parametrize("train_words", [False, True])
def test_word_embeddings_move_only_when_told_to_and_markers_always(
    workshop: Path, tmp_path: Path, train_words: bool
) -> None:
    train(settings_for(workshop, tmp_path / "model", train_words=train_words), tmp_path / "run")
    first = load_file(workshop / "encoder" / "model.safetensors")["embeddings.word_embeddings.weight"]
    last = load_file(tmp_path / "model" / "model.safetensors")["encoder.embeddings.word_embeddings.weight"].float()
    assert len(last) == len(first) + len(MARKER_TOKENS)
    model, *_ = new_model(settings_for(workshop, tmp_path))
    markers = model.encoder.get_input_embeddings().weight[len(first) :].detach()
    assert torch.allclose(last[: len(first)], first, atol=1e-4) == (not train_words)
    assert not torch.allclose(last[len(first) :], markers, atol=1e-3)


def test_training_lowers_the_loss_and_raises_the_development_score(
    workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses: list[float] = []
    step = Trainer.step

    def recorded(*call: Any) -> float:
        losses.append(step(*call))
        return losses[-1]

    monkeypatch.setattr(Trainer, "step", recorded)
    stage = StageSettings("only", {"tiny": 1}, epochs=30, learning_rate=5e-3, head_rate=1.0, patience=30)
    planned = settings_for(workshop, tmp_path / "model", stages=(stage,), batch_tokens=120, checkpoint_steps=1000)
    figures = train(planned, tmp_path / "run")
    assert np.mean(losses[-10:]) < 0.4 * np.mean(losses[:10])
    assert record_of(tmp_path / "model")["history"][0]["score"] < 0.6
    assert figures.score() > 0.9
    assert figures.scores["tiny/pairs"] > 0.9  # who supports whom, not only that somebody does
    assert rounded(figures.scores) == record_of(tmp_path / "model")["scores"]


def test_stage_ends_early_when_its_score_no_longer_rises(
    workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.3, 0.5, 0.4, 0.5, 0.9])
    monkeypatch.setattr(Development, "score", lambda *_: next(scores))
    stage = StageSettings("only", {"tiny": 0.2}, epochs=5, learning_rate=5e-3, patience=2)
    train(settings_for(workshop, tmp_path / "model", stages=(stage,)), tmp_path / "run")
    assert [h["score"] for h in record_of(tmp_path / "model")["history"]] == [0.3, 0.5, 0.4, 0.5]


# A run that goes on from a finished model


def going_on(workshop: Path, start: Path, output: Path, **changes: Any) -> TrainingSettings:
    stage = StageSettings("more", {"tiny": 1}, epochs=1, learning_rate=1e-3)
    return settings_for(workshop, output, start=str(start), encoder="", stages=(stage,), **changes)


@pytest.mark.parametrize("tag_weight", [0.0, 1.0])
def test_tagger_of_the_start_is_held_where_it_learns_nothing(
    workshop: Path, finished: Path, tmp_path: Path, tag_weight: float
) -> None:
    train(going_on(workshop, finished, tmp_path / "tagged", tag_weight=1.0), tmp_path / "run")
    planned = going_on(workshop, tmp_path / "tagged", tmp_path / "more", tag_weight=tag_weight)
    trainer = Trainer(planned, load_corpora(planned), tmp_path / "again", show_progress=False)
    tagger = trainer.plain_model.tagger
    assert tagger is not None
    assert {p.requires_grad for p in tagger.parameters()} == {tag_weight > 0}
    before = [p.detach().clone() for p in tagger.parameters()]
    trainer.run()
    moved = [not torch.equal(p, q) for p, q in zip(tagger.parameters(), before, strict=True)]
    assert moved == [tag_weight > 0] * len(moved)


def test_model_that_training_starts_from_answers_as_the_finished_one(workshop: Path, finished: Path) -> None:
    finished_scorer = StanceClassifier.from_pretrained(finished, backend="torch", device="cpu").scorer
    model, tokenizer, model_settings = finished_model(going_on(workshop, finished, workshop / "none"))
    pairs = [pair for excerpt in DEV for pair in excerpt.to_pairs()[0]]
    scorer = PairScorer(tokenizer, model_settings, TorchForward(model, torch.device("cpu")))
    assert np.allclose(scorer.logits(pairs)[0], finished_scorer.logits(pairs)[0], atol=1e-5)
    assert (model_settings.max_length, model_settings.marker_tokens) == (48, MARKER_TOKENS)
    assert model_settings.calibration == model_settings.any_calibration == Calibration()
    assert model.config.encoder["attention_probs_dropout_prob"] == 0.1
    assert model.config.encoder["vocab_size"] == tokenizer.get_vocab_size()


def test_markers_join_where_the_settings_say_or_where_they_did(workshop: Path, finished: Path, tmp_path: Path) -> None:
    def text_layers(settings: TrainingSettings) -> int:
        return first_model(settings)[0].config.text_layers

    assert text_layers(settings_for(workshop, tmp_path)) == 0
    assert text_layers(settings_for(workshop, tmp_path, text_layers=1)) == 1
    assert text_layers(going_on(workshop, finished, tmp_path, text_layers=1)) == 1
    late = tmp_path / "late"
    train(going_on(workshop, finished, late, text_layers=1), tmp_path / "run")
    assert text_layers(going_on(workshop, late, tmp_path)) == 1
    assert StanceClassifier.from_pretrained(late, backend="torch", device="cpu").predict("Iran met China.")


def test_markers_need_a_layer_to_join_in(workshop: Path, finished: Path, tmp_path: Path) -> None:
    for planned in (
        settings_for(workshop, tmp_path, text_layers=2),
        going_on(workshop, finished, tmp_path, text_layers=2),
    ):
        with pytest.raises(ConfigError, match="expected text_layers below the encoder's 2 layers; got 2; lower it"):
            first_model(planned)


def test_encoder_of_another_build_is_refused(workshop: Path, tmp_path: Path) -> None:
    shutil.copytree(workshop / "encoder", tmp_path / "encoder")
    size = len(json.loads((tmp_path / "encoder" / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    ElectraModel(ElectraConfig(vocab_size=size, hidden_size=32, num_hidden_layers=1)).save_pretrained(
        tmp_path / "encoder"
    )
    with pytest.raises(ConfigError, match=r"expected an encoder out of \['bert', .*; got 'electra'"):
        first_model(settings_for(workshop, tmp_path, encoder=str(tmp_path / "encoder")))


def test_run_from_a_finished_model_moves_its_weights_and_names_it(
    workshop: Path, finished: Path, tmp_path: Path
) -> None:
    train(going_on(workshop, finished, tmp_path / "model"), tmp_path / "run")
    first, last = (load_file(folder / "model.safetensors") for folder in (finished, tmp_path / "model"))
    assert first.keys() == last.keys()
    assert not torch.equal(first["stances.weight"], last["stances.weight"])
    distance = torch.linalg.vector_norm(last["stances.weight"].float() - first["stances.weight"].float())
    assert distance < 0.5 * torch.linalg.vector_norm(first["stances.weight"].float())  # went on, not anew
    said = record_of(tmp_path / "model")["settings"]
    assert said["start"] == "model"
    assert not {"encoder", "max_length"} & set(said)
    assert "Started from the model `model`" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert describe_model(tmp_path / "model")["trained with"] == "start model, seed 1"
    for file in (tmp_path / "model").iterdir():
        assert str(tmp_path).encode() not in file.read_bytes()


def test_start_is_below_the_settings_file_or_the_shipped_model(workshop: Path) -> None:
    assert start_folder(going_on(workshop, Path("../models/x"), workshop)) == (workshop / "../models/x").resolve()
    assert start_folder(going_on(workshop, Path("shipped"), workshop)) == locate_model(None)


def test_checkpoint_of_another_start_is_not_taken_up(workshop: Path, finished: Path, tmp_path: Path) -> None:
    start = tmp_path / "start"
    shutil.copytree(finished, start)
    train(going_on(workshop, start, tmp_path / "model"), tmp_path / "run")
    train(settings_for(workshop, start, seed=2), tmp_path / "other-run")  # another model under the same name
    with pytest.raises(ConfigError, match=r"got one of others"):
        train(going_on(workshop, start, tmp_path / "model"), tmp_path / "run")


def test_run_without_a_start_records_none(finished: Path) -> None:
    assert "start" not in record_of(finished)["settings"]
    assert record_of(finished)["settings"]["encoder"] == "encoder"


# Nothing is trained before the settings are known to be sound


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "run", lambda _: pytest.fail("trained"))


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"corpora": {"tiny": CorpusSettings("excerpts", "none")}}, "the corpus 'tiny' in .*none'; got no folder"),
        ({"encoder": "/no/such/encoder"}, "an encoder by name or path; got '/no/such/encoder'"),
        ({"max_length": 65}, "max_length <= 64 for this encoder; got 65"),
        ({"start": "none"}, r"'start' as 'shipped' or the folder of a stance model; got 'none' \(.*which is no folder"),
        ({"start": "encoder"}, r"'start' as .*; got 'encoder' \(.*without stance.json"),
    ],
)
def test_missing_corpus_or_unfit_encoder_is_refused(
    workshop: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=f"^expected {reason}"):
        train(settings_for(workshop, tmp_path / "model", **changes), tmp_path / "run")


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("training_part", "development_part", "reason"),
    [
        ([], DEV, "sentences to train on in corpus 'tiny'; got none"),
        (DEV, DEV, "sentences to train on in corpus 'tiny'; got none"),
        (TRAIN, [], "sentences to develop on in corpus 'tiny'; got none"),
    ],
)
def test_empty_split_is_refused(
    workshop: Path, tmp_path: Path, training_part: list[Excerpt], development_part: list[Excerpt], reason: str
) -> None:
    write_corpus(tmp_path / "tiny", training_part, development_part)
    with pytest.raises(ConfigError, match=f"^expected {reason}"):
        train(settings_for(workshop, tmp_path / "model", corpora_folder=str(tmp_path)), tmp_path / "run")


def test_faulty_row_of_a_corpus_is_named(workshop: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path / "tiny", TRAIN, DEV)
    with (tmp_path / "tiny" / "dev.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(ConfigError, match=rf"^expected corpus 'tiny' .*dev\.jsonl:{len(DEV) + 1}: expected 'id'"):
        load_corpora(settings_for(workshop, tmp_path / "model", corpora_folder=str(tmp_path)))


# What a run reads


def two_corpora(workshop: Path, folder: Path, **parts: tuple[list[Excerpt], list[Excerpt]]) -> TrainingSettings:
    for name, (training_part, development_part) in parts.items():
        write_corpus(folder / name, training_part, development_part)
    return settings_for(
        workshop,
        folder / "model",
        corpora={name: CorpusSettings("excerpts", name) for name in parts},
        stages=(StageSettings("only", dict.fromkeys(parts, 1.0)),),
        corpora_folder=str(folder),
    )


def test_development_sentence_of_any_corpus_is_trained_on_nowhere(workshop: Path, tmp_path: Path) -> None:
    respaced = polar(DEV[0].text.upper().replace(" .", "!").replace(" ", "  "), "IRAN", Polarity.NEUTRAL)
    planned = two_corpora(
        workshop, tmp_path, one=(TRAIN[:3], [DEV[0], TRAIN[1]]), other=([respaced, TRAIN[4]], DEV[1:])
    )
    corpora = load_corpora(planned)
    assert corpora.train == {"one": [TRAIN[0], TRAIN[2]], "other": [TRAIN[4]]}
    assert corpora.development == {"one": [DEV[0], TRAIN[1]], "other": DEV[1:]}
    assert {name: f["rows"] for name, f in corpora.fingerprints.items()} == {"one": 2, "other": 1}


def test_corpus_that_no_stage_weighs_is_developed_on_and_not_trained_on(workshop: Path, tmp_path: Path) -> None:
    planned = two_corpora(workshop, tmp_path, one=(TRAIN[:3], DEV), scored=(TRAIN[3:], [TRAIN[1]]))
    planned = replace(planned, stages=(StageSettings("only", {"one": 1.0}),))
    corpora = load_corpora(planned)
    assert corpora.train == {"one": [TRAIN[0], TRAIN[2]]}
    assert corpora.development == {"one": DEV, "scored": [TRAIN[1]]}


def test_split_of_the_publisher_stays_and_unseen_sentences_are_scored_on_their_own(
    workshop: Path, tmp_path: Path
) -> None:
    rows = ["[Iran] met [China]\tIran\tChina\t1\n", "[Iran] left [China]\tIran\tChina\t3\n"]
    planned = two_corpora(workshop, tmp_path, one=(TRAIN, DEV))
    (tmp_path / "dse").mkdir()
    (tmp_path / "dse" / "train.txt").write_text(rows[0], encoding="utf-8")
    (tmp_path / "dse" / "valid.txt").write_text("".join(rows), encoding="utf-8")
    corpora = {**planned.corpora, "news": CorpusSettings("dse", "dse")}
    stages = (StageSettings("only", {"one": 1.0, "news": 1.0}),)
    read = load_corpora(replace(planned, corpora=corpora, stages=stages))
    assert [e.text for e in read.train["news"]] == ["Iran met China"]
    assert [e.text for e in read.development["news"]] == ["Iran met China", "Iran left China"]
    assert [e.text for e in read.development["news_unseen"]] == ["Iran left China"]


def test_fingerprint_is_of_the_rows_in_any_order(workshop: Path, tmp_path: Path) -> None:
    corrected = [replace(TRAIN[0], pairs=()), *TRAIN[1:3]]
    assert corrected[0] != TRAIN[0]
    prints, digests = [], []
    for number, part in enumerate((TRAIN[:3], TRAIN[2::-1], TRAIN[1:4], corrected)):
        corpora = load_corpora(two_corpora(workshop, tmp_path / str(number), one=(part, DEV)))
        prints.append(corpora.fingerprints["one"]["sha256"])
        digests.append(corpora.digest)
    assert prints[0] == prints[1]
    assert digests[0] == digests[1]
    assert len(set(prints)) == len(set(digests)) == 3
    developed = load_corpora(two_corpora(workshop, tmp_path / "developed", one=(TRAIN[:3], DEV[:-1])))
    assert developed.fingerprints["one"]["sha256"] == prints[0]
    assert developed.digest not in digests


# Batches and examples


Sizes = list[tuple[int, int]]


def columns(**sizes: Sizes) -> dict[str, Dataset]:
    return {name: Dataset.from_dict({"size": column}) for name, column in sizes.items()}


SIZES = st.lists(st.tuples(st.integers(5, 40), st.integers(0, 20)), min_size=1, max_size=30)


@given(SIZES, SIZES, st.tuples(st.floats(0, 3), st.floats(0.1, 3)), st.integers(60, 400), st.integers(0, 9))
@settings(max_examples=40)
def test_epoch_shows_each_row_as_often_as_its_weight_says_within_the_token_budget(
    one: Sizes, two: Sizes, weights: tuple[float, float], budget: int, seed: int
) -> None:
    datasets = columns(one=one, two=two)
    stage = StageSettings("only", dict(zip(("one", "two"), weights, strict=True)))
    batches = epoch_batches(datasets, stage, seed, budget)
    shown = Counter(row for batch in batches for row in batch)
    for name, sizes, w in zip(("one", "two"), (one, two), weights, strict=True):
        times = [shown[name, i] for i in range(len(sizes))]
        assert sum(times) == int(w) * len(sizes) + round((w - int(w)) * len(sizes))
        assert {*times} <= {int(w), int(w) + 1}
    size = {(name, i): n for name, column in (("one", one), ("two", two)) for i, n in enumerate(column)}
    for batch in batches:
        widest = [max(size[row][k] for row in batch) for k in (0, 1)]
        assert len(batch) == 1 or len(batch) * sum(widest) <= budget


def test_same_seed_gives_the_same_batches_and_another_one_others() -> None:
    datasets, stage = columns(one=[(n, 2) for n in range(5, 60)] * 3), StageSettings("only", {"one": 0.5})
    first, again, other = (epoch_batches(datasets, stage, seed, 200) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert {row for b in first for row in b} != {row for b in other for row in b}


@given(st.integers(1, 500), st.floats(0, 1))
def test_learning_rate_rises_to_one_and_falls_to_zero(total: int, warmup: float) -> None:
    rates = [schedule(step, total, warmup) for step in range(total + 1)]
    peak = rates.index(max(rates))
    assert rates[peak] == 1
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert min(rates) >= 0
    assert rates[-1] == 0


def test_average_follows_quickly_at_first_and_slowly_later() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(layer.weight)
    average = Average(layer, decay=0.5)
    torch.nn.init.ones_(layer.weight)
    seen = []
    for _ in range(10):
        average.update(layer)
        seen.append(average.weights["weight"].item())
    expected, value = [], 0.0
    for update in range(1, 11):
        value += (1 - min(0.5, (1 + update) / (10 + update))) * (1 - value)
        expected.append(value)
    assert seen == pytest.approx(expected)


def test_excerpts_of_one_sentence_are_judged_together_and_the_first_label_stays() -> None:
    full = invented(0, "iran", "china", "d1")
    target = full.mentions[1]
    later: Label = frozenset({Stance.OPPOSE})
    again = replace(full, id="again", complete=False, pairs=(GoldPair(full.mentions[0], target, later, "ACCUSE"),))
    by_author = replace(full, id="more", complete=False, pairs=(GoldPair(AUTHOR, target, Polarity.NEGATIVE),))
    alone = replace(by_author, id="other", text=full.text.replace("thanks", "opposes"))
    first, second = judged_sentences([full, alone, again, by_author])
    judged = {(str(p.holder), p.target.name): x for p, x in zip(first.pairs, first.labels, strict=True)}
    none: Label = frozenset()
    support: Label = frozenset({Stance.SUPPORT})
    assert judged == {
        ("china", "iran"): none,
        ("@author", "iran"): none,
        ("iran", "china"): support,
        ("@author", "china"): none,
        ("@any", "iran"): none,
        ("@any", "china"): support,
    }
    assert len(first.pairs) == len(judged)
    assert second.labels == [Polarity.NEGATIVE]


def test_examples_carry_gold_beside_the_pairs_it_is_of(tiny_classifier: StanceClassifier) -> None:
    met = invented(2, "iran", "china", "d1")
    mild = polar("xi met rouhani .", "rouhani", Polarity.POSITIVE)
    harsh = polar("xi opposes rouhani .", "rouhani", Polarity.NEGATIVE)
    scorer = tiny_classifier.scorer
    rows = make_dataset(judged_sentences([met, mild, harsh]), scorer, 16)
    batch = collate_examples([rows[i] for i in (2, 0, 1)], scorer)
    assert batch.packed.pair_rows.tolist() == [0, 1, 1, 1, 1, 1, 1, 2]
    assert batch.kinds.tolist() == [NEGATIVE, *[EXACT] * 6, POSITIVE]
    assert batch.targets[:, 1].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    consult = 2
    together = [n for n, code in enumerate(batch.relations.tolist()) if code == consult]
    assert [n for n, row in enumerate(batch.targets.tolist()) if row == [0, 0, 1]] == [*together, 5, 6]
    assert batch.relations.tolist().count(UNKNOWN_RELATION) == 6
    modes = batch.packed.marker_ids[batch.packed.pair_rows, batch.packed.markers[:, 0]]
    assert [scorer.tokenizer.id_to_token(int(i)) for i in modes[together]] == ["[H]", "[H]"]


def test_drawn_pairs_keep_those_with_a_stance_and_vary_the_rest(tiny_classifier: StanceClassifier) -> None:
    (record,) = make_dataset(judged_sentences([invented(2, "iran", "china", "d1")]), tiny_classifier.scorer, 5)
    draws = [draw_pairs(record, 5, np.random.default_rng(seed)) for seed in range(20)]
    stances = [t for t in record["targets"] if any(t)]
    assert len(record["targets"]) == 6
    assert record["size"] == [len(record["tokens"]) + 2, 2 * 5]
    for draw in draws:
        assert [t for t in draw["targets"] if any(t)] == stances
        rows = list(zip(draw["spans"], draw["modes"], draw["relations"], strict=True))
        assert len(rows) == 5
        assert all(row in zip(record["spans"], record["modes"], record["relations"], strict=True) for row in rows)
    assert len({str(draw["spans"]) for draw in draws}) > 1
    assert draw_pairs(record, 6, np.random.default_rng(0)) == record


def test_precision_auto_is_bf16_only_where_the_processor_computes_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for abilities, expected in (({"avx2": True}, "no"), ({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=abilities: found)
        assert choose_precision("auto") == expected
    assert choose_precision("bf16") == "bf16"


def test_packed_pairs_of_a_sentence_are_those_that_scoring_packs(tiny_classifier: StanceClassifier) -> None:
    excerpt = invented(2, "iran", "china", "d1")
    (record,) = make_dataset(judged_sentences([excerpt]), tiny_classifier.scorer, 16)
    pairs: list[Pair] = [*excerpt.to_pairs()[0], *excerpt.to_target_pairs()[0]]
    (row,) = tiny_classifier.scorer.pack(pairs)
    assert (record["tokens"], record["spans"], record["modes"]) == (
        row.tokens.tolist(),
        row.spans.tolist(),
        row.modes.tolist(),
    )
    assert excerpt.sentence == Sentence.of(excerpt.text)


def test_renamed_copy_keeps_its_labels_under_other_names() -> None:
    text = "Iran thanked China, and Iranian officials condemned Russia."
    iran, china, iranian, russia = (
        Mention(text.index(w), text.index(w) + len(w), Target(w)) for w in ("Iran", "China", "Iranian", "Russia")
    )
    pairs = (
        GoldPair(iran, china, frozenset({Stance.SUPPORT})),
        GoldPair(iranian, russia, frozenset({Stance.OPPOSE})),
    )
    excerpt = Excerpt("x-1", text, "Before.", None, (iran, china, iranian, russia), pairs, complete=True)
    (copy,) = renamed_copies([excerpt], seed=1)
    assert not any(name in copy.text for name in ("Iran", "China", "Russia"))
    assert " thanked " in copy.text
    assert " officials condemned " in copy.text
    names = [copy.text[m.start : m.end] for m in copy.mentions]
    assert len(set(names)) == 4
    assert names[2][:3] == names[0][:3]  # adjective and name of one state
    assert [(p.holder, p.target) for p in copy.pairs] == [
        (copy.mentions[0], copy.mentions[1]),
        (copy.mentions[2], copy.mentions[3]),
    ]
    assert [p.label for p in copy.pairs] == [p.label for p in pairs]
    assert renamed_copies([excerpt], seed=1) == [copy]
    assert renamed_copies([excerpt], seed=2) != [copy]


def test_sentence_that_cannot_be_renamed_safely_has_no_copy() -> None:
    text = "He condemned his ally, Tony Blair, over Blairism."
    blair = Mention(23, 33, Target("Tony Blair"))
    assert renamed_copies([Excerpt("x-1", text, mentions=(blair,), complete=True)], seed=1) == []


def test_renamed_copies_take_the_place_of_originals() -> None:
    sizes = {"a": 100, copies_of("a"): 40, "b": 50}
    shares = share_weights({"a": 2.0, "b": 1.0}, sizes, 0.5)
    assert shares == {"a": pytest.approx(1.6), copies_of("a"): 1.0, "b": 1.0}
    shown = {name: weight * sizes[name] for name, weight in shares.items()}
    assert shown["a"] + shown[copies_of("a")] == pytest.approx(200)
    assert share_weights({"a": 2.0, "b": 1.0}, sizes, 0.0) == {"a": 2.0, "b": 1.0}


def test_renamed_copies_are_datasets_of_their_own(tiny_classifier: StanceClassifier) -> None:
    excerpt = invented(0, "Iran", "China", "x")
    corpora = Corpora({"a": [excerpt], "b": [invented(0, "someone", "them", "y")]}, {})
    made = corpora.datasets(tiny_classifier.scorer, max_pairs=16, renamed_seed=1)
    assert set(made) == {"a", "b", copies_of("a")}
    assert made[copies_of("a")][0]["targets"] == made["a"][0]["targets"]
    assert set(corpora.datasets(tiny_classifier.scorer, max_pairs=16)) == {"a", "b"}
