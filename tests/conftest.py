"""A tiny seeded model, built offline: every room is tested on it, and the shipped one only where its answers matter."""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig

from stance.classifier import StanceClassifier
from stance.folder import ModelSettings
from stance.labels import Stance
from stance.model import StanceConfig, StanceModel
from stance.packing import MARKER_TOKENS
from training.build import save_model

WORDS = ["iran", "china", "russia", "the", "a", "of", "and", "to", "with", "on", "said", "support", "thanks", "opposes"]
WORDS += ["condemned", "met", "signed", "deal", "talks", ",", ".", "-", "’", "'", "s", "un", "leaders", "he", "they"]
WORDS += ["iranian", "chinese", "president", "rouhani", "xi", "will", "not", "work", "for", "its"]
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
RECORD = {
    "settings": {"seed": 7, "encoder": "tiny"},
    "corpora": {"tiny": {"rows": 1, "sha256": "0" * 64}},
    "scores": {"tiny/pairs": 0.5},
    "history": [],
    "seconds": 1,
}


hypothesis.settings.register_profile("stance", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("stance")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def quickest(work: Callable[[], object]) -> float:
    """Take the least processor time of three runs; timeit keeps out the collector, which would walk over all tests."""
    return min(timeit.repeat(work, timer=time.process_time, repeat=3, number=1))


def tiny_tokenizer() -> Tokenizer:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS, *(f"##{x}" for x in LETTERS)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(MARKER_TOKENS))
    return tokenizer


def tiny_encoder(tokenizer: Tokenizer, **further: Any) -> BertConfig:
    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        **{"num_hidden_layers": 2, **further},
    )


def tiny_model(tokenizer: Tokenizer, max_length: int = 48, *, tagger: bool = False) -> StanceModel:
    torch.manual_seed(7)
    encoder = tiny_encoder(tokenizer)
    model = StanceModel(StanceConfig(encoder=encoder, max_text=max_length - 2, tagger=tagger, text_layers=1))
    model.train(mode=False)
    with torch.no_grad():  # a fresh head is near 0.5 everywhere, which would hide mistakes
        for head in (model.stances, model.relations):
            head.weight.mul_(40)
        for name, weight in model.named_parameters():
            if name.startswith("tagger.") and weight.ndim > 1:
                weight.mul_(40)
        model.encoder.embeddings.position_embeddings.weight.mul_(20)
    return model


def tiny_settings(max_length: int = 48) -> ModelSettings:
    return ModelSettings(
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        max_length=max_length,
        thresholds=(0.5,) * len(Stance),
        library_version="0.1.0",
    )


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = tiny_tokenizer()
    save_model(tiny_model(tokenizer), tokenizer, tiny_settings(), RECORD, folder, onnx=False)
    return folder


@pytest.fixture(scope="session")
def tiny_classifier(tiny_folder: Path) -> StanceClassifier:
    return StanceClassifier.from_pretrained(tiny_folder, backend="torch", device="cpu")


@pytest.fixture
def shared() -> Path:
    """The reference folder beside the checkout; a test that needs it is skipped, loudly, where it is absent."""
    folder = Path(__file__).parents[2] / "shared"
    if not (folder / "corpora").is_dir():
        pytest.skip("needs ../shared/corpora beside the checkout: the check on real corpora did NOT run")
    return folder
