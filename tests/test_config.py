from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stance.errors import ConfigError
from training.config import StageSettings, load_settings
from training.data import corpus_folder
from training.train import main

BASE = Path(__file__).parents[1] / "training" / "base.toml"
HEAD = """\
output = "out"
corpora_folder = "../corpora"
max_length = 64
weight_decay = 0

[corpora]
one = { reader = "excerpts", folder = "one" }
two = { reader = "plv", folder = "./two" }

"""
STAGE = """\
[[stages]]
name = "first"
weights = { one = 1, two = 0.5 }
epochs = 2
"""
GOOD = HEAD + STAGE


def write(folder: Path, text: str = GOOD) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError, match=r"^expected .+; got .+; .+") as caught:
        load_settings(path)
    return str(caught.value)


def test_settings_are_read_with_their_defaults(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path))
    assert (settings.output, settings.max_length, settings.seed) == ("out", 64, 1)
    assert settings.corpora["two"].reader == "plv"
    assert settings.stages == (StageSettings("first", {"one": 1, "two": 0.5}, epochs=2),)
    assert settings.folder == tmp_path


def test_whole_number_serves_as_a_decimal(tmp_path: Path) -> None:
    decay = load_settings(write(tmp_path)).weight_decay
    assert (decay, type(decay)) == (0, float)


def test_corpora_lie_below_their_folder_or_beside_the_settings(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path))
    assert corpus_folder(settings, "one") == (tmp_path / "../corpora/one").resolve()
    assert corpus_folder(settings, "two") == tmp_path / "two"


def test_overrides_come_before_the_file(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert load_settings(path, {"seed": 5, "output": "there"}) == replace(load_settings(path), seed=5, output="there")


def test_settings_of_the_shipped_model_are_sound() -> None:
    assert load_settings(BASE).output == "../runs/first/model"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('output = "out"', 'output = "out"\ncolour = 1', "keys of settings out of .*; got 'colour'"),
        ('folder = "one" }', 'folder = "one", size = 1 }', "keys of corpora.one out of .*; got 'size'"),
        ("epochs = 2", "epoch = 2", "keys of stages out of .*; got 'epoch'"),
        ('output = "out"', 'output = "out"\nfolder = "x"', "got 'folder'"),
        ('output = "out"\n', "", "'output' in settings; got none"),
        ('reader = "plv", ', "", "'reader' in corpora.two; got none"),
        ('name = "first"\n', "", "'name' in stages; got none"),
        ("weights = { one = 1, two = 0.5 }", "", "'weights' in stages; got none"),
        ("max_length = 64", 'max_length = "64"', "settings.max_length as int; got '64'"),
        ("max_length = 64", "max_length = 64.0", "settings.max_length as int; got 64.0"),
        ("max_length = 64", "max_length = true", "settings.max_length as int; got True"),
        ('output = "out"', "output = 3", "settings.output as str; got 3"),
        ("epochs = 2", 'learning_rate = "high"', "stages.learning_rate as float; got 'high'"),
        ("weights = { one = 1, two = 0.5 }", "weights = [1, 2]", "'weights' as a table"),
        ('one = { reader = "excerpts", folder = "one" }', "one = 3", "'one' as a table; got 3"),
        ('reader = "plv"', 'reader = "csv"', "corpora.two.reader out of .*; got 'csv'"),
        ("two = 0.5 }", "three = 1 }", "weights of known corpora; got 'three' in stage 'first'"),
        ("one = 1,", "one = -1,", "a weight >= 0 for 'one'; got -1"),
        ("one = 1,", 'one = "1",', "a weight >= 0 for 'one'; got '1'"),
        ("one = 1,", "one = nan,", "a weight >= 0 for 'one'; got nan"),
        ("one = 1, two = 0.5", "one = 0, two = 0.0", "a weight above 0 in stage 'first'; got none"),
        ("epochs = 2", "epochs = 0", "epochs"),
        ("epochs = 2", "patience = 0", "patience"),
        ("epochs = 2", "learning_rate = 0.0", "learning_rate"),
        ("epochs = 2", "learning_rate = nan", "learning_rate"),
        ("epochs = 2", "head_rate = -1", "head_rate"),
        ("epochs = 2", "warmup = 1.5", "warmup"),
        ("max_length = 64", "max_length = 8", "max_length >= 16"),
        ("max_length = 64", "batch_tokens = 100", "batch_tokens >= max_length"),
        ("max_length = 64", 'selection = ["three/pairs"]', "selection as .*; got 'three/pairs'"),
        ("max_length = 64", 'selection = ["one/f1"]', "selection as .*; got 'one/f1'"),
        ("max_length = 64", 'selection = "one/pairs"', "selection as .*; got "),
        ("max_length = 64", "selection = [3]", "selection as .*; got 3"),
        ("max_length = 64", 'precision = "fp8"', "precision 'auto', 'bf16' or 'no'; got 'fp8'"),
        ("max_length = 64", "ema_decay = 1.0", "0 <= ema_decay < 1; got 1.0"),
        ("max_length = 64", "attention_dropout = 1.0", "0 <= attention_dropout < 1; got 1.0"),
        ("max_length = 64", "checkpoint_steps = 0", "checkpoint_steps"),
        ("max_length = 64", "seed = -1", "seed"),
        ("max_length = 64", "threads = -1", "threads"),
        ("max_length = 64", "clip_norm = 0.0", "clip_norm"),
        ("max_length = 64", "relation_weight = -0.1", "relation_weight"),
        ("max_length = 64", "adversarial_distance = -0.1", "adversarial_distance"),
        ("weight_decay = 0", "weight_decay = -0.1", "weight_decay"),
    ],
)
def test_faulty_settings_are_refused_by_name(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert GOOD.count(old) == 1
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=rf"^expected .*{reason}"):
        load_settings(path)
    assert "\n" not in refusal(path)


@pytest.mark.parametrize("key", ['encoder = "some"', "max_length = 64"])
def test_start_brings_its_encoder_and_length(tmp_path: Path, key: str) -> None:
    head = HEAD.replace("max_length = 64\n", "")
    path = write(tmp_path, f'start = "../models/x"\n{head}{STAGE}')
    assert load_settings(path).start == "../models/x"
    name = key.partition(" ")[0]
    message = refusal(write(tmp_path, f'start = "../models/x"\n{key}\n{head}{STAGE}'))
    assert message.startswith(f"expected either 'start' or '{name}'; got both; remove '{name}'")


def test_settings_for_users_start_from_the_shipped_model_and_find_their_corpus() -> None:
    settings = load_settings(BASE.with_name("finetune.toml"))
    assert settings.start == "shipped"
    assert (corpus_folder(settings, "yours") / "train.jsonl").is_file()
    assert settings.stages[0].epochs == 8  # what the notebook replaces


@pytest.mark.parametrize("stages", ["", "stages = []\n", "stages = 3\n"])
def test_at_least_one_stage_is_asked_for(tmp_path: Path, stages: str) -> None:
    assert "at least one [[stages]]" in refusal(write(tmp_path, stages + HEAD))


@pytest.mark.parametrize("corpora", ["", "corpora = 3\n"])
def test_corpora_are_asked_for(tmp_path: Path, corpora: str) -> None:
    head, _, _ = HEAD.partition("[corpora]")
    assert "'corpora' as a table" in refusal(write(tmp_path, corpora + head + STAGE))


def test_file_that_is_no_toml_is_refused_with_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, "output = out")
    assert f"TOML in '{path}'" in refusal(path)


def test_file_that_is_not_utf8_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes("name = 'Türkiye'".encode("latin-1"))
    assert f"TOML in '{path}'" in refusal(path)


def test_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    assert f"a TOML file at '{tmp_path / 'none.toml'}'" in refusal(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "expected a TOML file at "),
        (GOOD.replace("epochs = 2", "epochs = 0"), "expected epochs"),
        (GOOD, "expected the corpus 'one' in "),
    ],
)
def test_command_line_answers_a_fault_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    path = tmp_path / "none.toml" if text is None else write(tmp_path, text)
    assert main([str(path), "--run", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"training: {message}")
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()
