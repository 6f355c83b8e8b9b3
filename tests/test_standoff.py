import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from stance.errors import DataError
from stance.excerpts import load_excerpts
from stance.labels import Stance
from stance.pairs import AUTHOR
from training.standoff import digest, main, read_standoff

SPEECH = "Mr. President,\nLesotho thanks\n  Zambia for its help. We condemn\nthe siege of Maseru."
HEADLINE = "[Lesotho] thanks [Zambia]"


def political(**changes: Any) -> dict[str, Any]:
    start = SPEECH.index("Lesotho")
    row = {
        "id": "ann-1",
        "source": "assembly",
        "document": "LSO_1.txt",
        "span": [start, SPEECH.index(" We condemn")],
        "digest": digest("Lesotho thanks Zambia for its help."),
        "mentions": [[0, 7], [15, 21]],
        "pairs": [{"holder": [0, 7], "target": [15, 21], "stances": ["support"]}],
    }
    return {**row, **changes}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "dse").mkdir(parents=True)
    speech = {"id": "LSO_1.txt", "date": "2020", "speaker": "Lesotho", "text": SPEECH}
    with gzip.open(folder / "assembly.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({**speech, "id": "other.txt"}) + "\n" + json.dumps(speech) + "\n")
    for part in ("train", "valid"):
        (folder / "dse" / f"{part}.txt").write_text(f"{HEADLINE}\tLesotho\tZambia\t1\n", encoding="utf-8")
    return folder


def annotations(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    folder = tmp_path / "annotations"
    folder.mkdir(exist_ok=True)
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_sentence_comes_back_from_its_document(tmp_path: Path, texts: Path) -> None:
    (excerpt,) = read_standoff(annotations(tmp_path, political()), texts)["train"]
    assert excerpt.text == "Lesotho thanks Zambia for its help."
    assert [excerpt.text[m.start : m.end] for m in excerpt.mentions] == ["Lesotho", "Zambia"]
    assert excerpt.pairs[0].label == frozenset({Stance.SUPPORT})
    assert (excerpt.author, excerpt.origin.document, excerpt.origin.date) == ("Lesotho", "LSO_1.txt", "2020")
    assert excerpt.complete


def test_sentence_comes_back_from_a_corpus(tmp_path: Path, texts: Path) -> None:
    text = "Lesotho thanks Zambia"
    row = {"id": "ann-2", "source": "dse", "digest": digest(text), "mentions": [[15, 21]]}
    pairs = [{"holder": None, "target": [15, 21], "stances": ["support"]}]
    (excerpt,) = read_standoff(annotations(tmp_path, {**row, "pairs": pairs}), texts)["train"]
    assert excerpt.text == text
    assert excerpt.pairs[0].holder is AUTHOR


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"digest": digest("Lesotho thanks Malawi for its help.")}, r"train\.jsonl:1: expected the sentence annotated"),
        ({"document": "LSO_2.txt"}, r"train\.jsonl:1: expected the source of 'ann-1' to hold it"),
        ({"mentions": [[0, 700]]}, r"train\.jsonl:1: expected a mention inside the text"),
        ({"source": "senate"}, r"expected senate\.jsonl\.gz or a corpus 'senate' here; got neither"),
    ],
)
def test_changed_or_missing_source_is_one_clear_error(
    tmp_path: Path, texts: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        read_standoff(annotations(tmp_path, political(**changes)), texts)


def test_command_writes_the_excerpts_with_their_text(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = annotations(tmp_path, political()), tmp_path / "full.jsonl"
    assert main([str(folder), "--texts", str(texts), str(output)]) == 0
    assert load_excerpts(output) == read_standoff(folder, texts)["train"]
    # An excerpt corpus is a source too.
    own = tmp_path / "own"
    own.mkdir()
    (own / "train.jsonl").write_text(output.read_text(encoding="utf-8"), encoding="utf-8")
    row = {key: value for key, value in political(source="own", id="ann-3").items() if key not in ("span", "document")}
    (copy,) = read_standoff(annotations(tmp_path, row), tmp_path)["train"]
    assert copy.text == "Lesotho thanks Zambia for its help."
    assert main([str(folder), "--texts", str(tmp_path / "none"), str(output)]) == 2
    assert capsys.readouterr().err.startswith("training: ")
