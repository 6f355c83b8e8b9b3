from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

from stance.classifier import StanceClassifier
from stance.errors import ModelError
from stance.folder import (
    CARD_FILE,
    CONFIG_FILE,
    FORMAT,
    SETTINGS_FILE,
    TOKENIZER_FILE,
    TRAINING_FILE,
    WEIGHTS_FILE,
    Calibration,
    ModelSettings,
    describe_model,
    locate_model,
    read_settings,
    write_folder,
    write_settings,
)

SETTINGS = ModelSettings(
    cls_token="[CLS]",
    sep_token="[SEP]",
    pad_token="[PAD]",
    max_length=48,
    position_offset=2,
    thresholds=(0.4, 0.5, 0.6),
    any_thresholds=(0.1, 0.2, 0.3),
    calibration=Calibration((1.0, 2.0, 3.0), (0.0, 0.5, -0.5)),
    library_version="0.1.0",
)


def fill_with(text: str) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        (folder / "a.txt").write_text(text, encoding="utf-8")
        (folder / "b.txt").write_text(text, encoding="utf-8")

    return fill


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose settings file is whole; the other files are only there."""
    folder = tmp_path / "model"
    folder.mkdir()
    write_settings(SETTINGS, folder)
    for name in (CONFIG_FILE, TOKENIZER_FILE):
        (folder / name).touch()
    return folder


def change_settings(folder: Path, **change: Any) -> None:
    record = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    (folder / SETTINGS_FILE).write_text(json.dumps({**record, **change}), encoding="utf-8")


def test_new_folder_is_written_with_its_parents(tmp_path: Path) -> None:
    write_folder(tmp_path / "deep" / "model", fill_with("new"))
    assert contents(tmp_path) == {"deep/model/a.txt": "new", "deep/model/b.txt": "new"}


def test_old_folder_is_replaced_and_nothing_of_it_stays(tmp_path: Path) -> None:
    write_folder(tmp_path / "model", fill_with("old"))
    (tmp_path / "model" / "stray.txt").write_text("old", encoding="utf-8")
    write_folder(tmp_path / "model", fill_with("new"))
    assert contents(tmp_path) == {"model/a.txt": "new", "model/b.txt": "new"}
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_interrupted_writing_leaves_the_old_folder_whole(tmp_path: Path, error: type[BaseException]) -> None:
    write_folder(tmp_path / "model", fill_with("old"))

    def fill(folder: Path) -> None:
        (folder / "a.txt").write_text("new", encoding="utf-8")
        raise error

    with pytest.raises(error):
        write_folder(tmp_path / "model", fill)
    assert contents(tmp_path) == {"model/a.txt": "old", "model/b.txt": "old"}
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_failing_swap_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "model"
    write_folder(target, fill_with("old"))
    replace = Path.replace

    def fails_once_the_old_one_is_away(self: Path, goal: Path) -> Path:
        if not target.exists() and (self / "a.txt").read_text(encoding="utf-8") == "new":
            raise KeyboardInterrupt
        return replace(self, goal)

    monkeypatch.setattr(Path, "replace", fails_once_the_old_one_is_away)
    with pytest.raises(KeyboardInterrupt):
        write_folder(target, fill_with("new"))
    assert contents(tmp_path) == {"model/a.txt": "old", "model/b.txt": "old"}


def test_settings_read_back_as_written(folder: Path) -> None:
    assert read_settings(folder) == SETTINGS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"labels": ["support", "oppose"]}, r"labels \['support', 'oppose'\]"),
        ({"labels": ["oppose", "support", "cooperate"]}, "labels"),
        ({"thresholds": [0.5, 0.5]}, "not 3 numbers each"),
        ({"thresholds": [0.5] * 4, "any_thresholds": [0.5] * 2}, "not 3 numbers each"),
        ({"thresholds": ["a", "b", "c"]}, "not 3 numbers each"),
        ({"thresholds": None}, "NoneType"),
        ({"calibration": {"slope": [1, 1, 1]}}, "intercept"),
        ({"calibration": [1, 1, 1]}, "list indices must be integers"),
        ({"marker_tokens": ["[H]"]}, r"marker_tokens \['\[H\]'\]"),
        ({"max_length": "48"}, "max_length '48'"),
        ({"max_length": 2}, "max_length 2"),
        ({"position_offset": None}, "position_offset None"),
        ({"format": "new"}, "'>' not supported"),
    ],
)
def test_damaged_settings_are_refused(folder: Path, change: dict[str, Any], reason: str) -> None:
    change_settings(folder, **change)
    with pytest.raises(
        ModelError, match=rf"^expected .*stance\.json as written by .*; got .*{reason}.*; copy the folder anew$"
    ):
        read_settings(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '"model"', "null", "{}", '{"calibration": {}}'])
def test_settings_that_are_no_settings_are_refused(folder: Path, text: str) -> None:
    (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"^expected .*stance\.json as written by this library; got .+; copy"):
        read_settings(folder)


def test_settings_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / SETTINGS_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match=r"stance\.json as written by this library"):
        read_settings(folder)


def test_folder_of_a_later_format_asks_for_an_upgrade(folder: Path) -> None:
    change_settings(folder, format=FORMAT + 1, a_later_key=1)
    with pytest.raises(
        ModelError, match=f"^expected a model folder of format {FORMAT}; got {FORMAT + 1}; upgrade stance$"
    ):
        read_settings(folder)


@pytest.mark.parametrize("name", [CONFIG_FILE, TOKENIZER_FILE])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"^expected {name} in .*; got none; copy the folder anew$"):
        read_settings(folder)


@pytest.mark.parametrize("name", ["no such folder", "./none", "../none", "/none/such", "a/b/c"])
def test_path_without_a_folder_is_refused_without_the_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda _: pytest.fail("went to the network"))
    with pytest.raises(
        ModelError, match=f"^expected a model folder; got '{Path(name)}', which is no folder; check the path$"
    ):
        StanceClassifier.from_pretrained(name)


def test_file_is_no_model_folder(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(ModelError, match="which is no folder"):
        StanceClassifier.from_pretrained(tmp_path / "model.bin")


def test_folder_of_another_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(ModelError, match=f"without {SETTINGS_FILE}; give a folder that training.train wrote$"):
        StanceClassifier.from_pretrained(tmp_path)


def test_local_folder_comes_before_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda _: pytest.fail("went to the network"))
    Path("models/base").mkdir(parents=True)
    assert locate_model("models/base") == Path("models/base")


def test_hub_id_loads_the_downloaded_snapshot(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(name: str) -> str:
        asked.append(name)
        return str(tiny_folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    classifier = StanceClassifier.from_pretrained("someone/stance-model", backend="torch", device="cpu")
    assert asked == ["someone/stance-model"]
    assert classifier.scorer.settings == read_settings(tiny_folder)


class TransportError(Exception):
    """Stands for the errors of the client's transport, which are no OSError."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LocalEntryNotFoundError("cannot reach the Hub\nat all"), "cannot reach the Hub"),
        (OfflineModeIsEnabled("offline"), "offline"),
        (TransportError("proxy refuses"), "proxy refuses"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_failing_download_is_one_clear_error(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(name: str) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(
        ModelError, match=rf"^expected a model folder or a Hub id; got 'some/one', .* \({reason}\); check the path"
    ):
        locate_model("some/one")


def test_malformed_hub_id_is_one_clear_error() -> None:
    with pytest.raises(ModelError, match=r"^expected a model folder or a Hub id; got 'some--body/model'"):
        locate_model("some--body/model")


def test_description_tells_what_the_folder_holds(tiny_folder: Path) -> None:
    lines = describe_model(tiny_folder)
    assert lines["model"] == str(tiny_folder)
    assert lines["stances"].startswith("support (threshold 0.50, any holder 0.50), oppose")
    assert lines["longest sentence"].startswith("46 word pieces")
    assert lines["trained with"] == "encoder tiny, seed 7"
    assert lines["scores"] == "tiny/pairs 0.500"
    for name in (CONFIG_FILE, WEIGHTS_FILE, TOKENIZER_FILE, SETTINGS_FILE, TRAINING_FILE, CARD_FILE):
        assert name in lines["files"]


def test_description_does_without_a_training_record(tiny_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "copy"))
    (folder / TRAINING_FILE).unlink()
    assert "scores" not in describe_model(folder)
