"""The saved model folder: its file names, its settings file, and how it is read and written without harm."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from stance.errors import ModelError
from stance.labels import PLOVER_ROOTS, Stance
from stance.packing import MARKER_TOKENS

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "model.int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
SETTINGS_FILE = "stance.json"
TRAINING_FILE = "training.json"
CARD_FILE = "README.md"

_HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")

FORMAT = 1
"""Version of the settings file; a reader refuses a later one."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic map per stance: probability = sigmoid(slope * logit + intercept), in ``Stance`` order."""

    slope: tuple[float, ...] = (1.0,) * len(Stance)
    intercept: tuple[float, ...] = (0.0,) * len(Stance)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What a model folder says of itself beyond the network: the content of ``stance.json``.

    ``thresholds`` are calibrated probabilities, in ``Stance`` order, at and above which a stance of a directed pair is
    reported, and ``calibration`` maps logits to these; ``any_thresholds`` and ``any_calibration`` are those of pairs
    with holder ANY.
    ``max_length`` counts word pieces; ``library_version`` is the version of ``stance`` that wrote the folder.
    """

    cls_token: str
    sep_token: str
    pad_token: str
    max_length: int
    position_offset: int = 0
    labels: tuple[str, ...] = tuple(Stance)
    relations: tuple[str, ...] = tuple(PLOVER_ROOTS)
    thresholds: tuple[float, ...] = (0.5,) * len(Stance)
    any_thresholds: tuple[float, ...] = (0.5,) * len(Stance)
    calibration: Calibration = Calibration()
    any_calibration: Calibration = Calibration()
    marker_tokens: tuple[str, ...] = MARKER_TOKENS
    library_version: str = ""
    format: int = FORMAT


def locate_model(path_or_hub_id: str | Path | None) -> Path:
    """Find a model folder: the shipped one for None, a local path, or a Hugging Face Hub id, which is downloaded.

    Raises:
        ModelError: nothing is there.
    """
    if path_or_hub_id is None:
        return _shipped_model()
    path = Path(path_or_hub_id)
    if path.exists() or not _HUB_ID.fullmatch(str(path_or_hub_id)):
        return path
    from huggingface_hub import snapshot_download  # noqa: PLC0415  # only a hub id needs the network

    try:
        return Path(snapshot_download(str(path_or_hub_id)))
    except Exception as error:  # errors of the client, of its transport and of a malformed id share no other base
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"expected a model folder or a Hub id; got {str(path_or_hub_id)!r}, found neither here "
            f"nor there ({reason}); check the path, the id and the network"
        ) from None


def _shipped_model() -> Path:
    """Find the shipped model: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "models" / "base", package.parent / "models" / "base"):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise ModelError(
        "expected the shipped model in this installation; got none; reinstall stance or give from_pretrained a folder"
    )


def read_settings(folder: Path) -> ModelSettings:
    """Read and check ``stance.json``.

    Raises:
        ModelError: the folder is missing, is not a stance model, is damaged or comes from a later version.
    """
    if not folder.is_dir():
        raise ModelError(f"expected a model folder; got {str(folder)!r}, which is no folder; check the path")
    path = folder / SETTINGS_FILE
    if not path.is_file():
        raise ModelError(
            f"expected a stance model folder; got {str(folder)!r} without {SETTINGS_FILE}; "
            "give a folder that training.train wrote"
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        settings = _settings(record)
    except ModelError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"expected {path} as written by this library; got {error}; copy the folder anew") from None
    missing = [name for name in (CONFIG_FILE, TOKENIZER_FILE) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"expected {missing[0]} in {str(folder)!r}; got none; copy the folder anew")
    return settings


def _settings(record: dict[str, Any]) -> ModelSettings:
    if record.get("format", 0) > FORMAT:
        raise ModelError(f"expected a model folder of format {FORMAT}; got {record['format']!r}; upgrade stance")
    unknown = set(record) - {f.name for f in fields(ModelSettings)}
    if unknown:
        raise ValueError(f"unknown key {min(unknown)!r}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
    for name in ("calibration", "any_calibration"):
        if name in record:
            values[name] = Calibration(tuple(record[name]["slope"]), tuple(record[name]["intercept"]))
    settings = ModelSettings(**values)
    if settings.labels != tuple(Stance):
        raise ValueError(f"labels {list(settings.labels)}")
    maps = [m for c in (settings.calibration, settings.any_calibration) for m in (c.slope, c.intercept)]
    for numbers in (settings.thresholds, settings.any_thresholds, *maps):
        if len(numbers) != len(Stance) or not all(isinstance(n, int | float) for n in numbers):
            raise ValueError(f"thresholds or calibration that are not {len(Stance)} numbers each")
    if len(settings.marker_tokens) != len(MARKER_TOKENS):
        raise ValueError(f"marker_tokens {list(settings.marker_tokens)}")
    length, offset = settings.max_length, settings.position_offset
    if not (isinstance(length, int) and isinstance(offset, int) and length > 2):
        raise ValueError(f"max_length {length!r} and position_offset {offset!r}")
    return settings


def write_settings(settings: ModelSettings, folder: Path) -> None:
    """Write ``stance.json``."""
    text = json.dumps(asdict(settings), indent=2, ensure_ascii=False)
    (folder / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")


def write_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Write a folder in one step: ``fill`` a temporary sibling, then rename it over the old one.

    Whatever interrupts it leaves either the old folder or the new one, never half of each.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fill(temporary)
        temporary.chmod(0o755)
        for path in temporary.iterdir():
            path.chmod(0o644)  # safetensors writes for the owner only
        _swap(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(new: Path, folder: Path) -> None:
    if not folder.exists():
        new.replace(folder)
        return
    old = new.with_name(f"{new.name}-old")
    folder.replace(old)
    try:
        new.replace(folder)
    except BaseException:
        old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def describe_model(folder: Path) -> dict[str, str]:
    """Say in a few lines what a model folder holds: for ``stance info``.

    Raises:
        ModelError: the folder is no stance model.
    """
    settings = read_settings(folder)
    training = _read_training(folder)
    lines = {
        "model": str(folder),
        "written by": f"stance {settings.library_version or 'unknown'}",
        "stances": ", ".join(
            f"{name} (threshold {pair:.2f}, any holder {anyone:.2f})"
            for name, pair, anyone in zip(settings.labels, settings.thresholds, settings.any_thresholds, strict=True)
        ),
        "longest sentence": f"{settings.max_length - 2} word pieces; a longer one is judged on windows and flagged",
        "files": ", ".join(
            f"{p.name} {p.stat().st_size / 1e6:.1f} MB" for p in sorted(folder.iterdir()) if p.is_file()
        ),
    }
    if training:
        trained = training["settings"]
        origin = "start" if "start" in trained else "encoder"
        lines["trained with"] = f"{origin} {trained[origin]}, seed {trained['seed']}"
        lines["scores"] = ", ".join(f"{k} {v:.3f}" for k, v in training["scores"].items() if "." not in k)
    return lines


def _read_training(folder: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((folder / TRAINING_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record
