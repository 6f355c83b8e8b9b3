from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stance import Document, StanceClassifier, StanceError
from stance.cli import main
from stance.excerpts import holder_field, load_excerpts
from stance.judgements import load_predictions
from stance.report import Report

SEEDS = Path(__file__).parents[1] / "seeds"
ARTICLE = SEEDS / "seed_article.txt"


@pytest.fixture
def model(tiny_folder: Path) -> list[str]:
    return ["--model", str(tiny_folder), "--backend", "torch"]


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_jsonl_has_one_object_per_prediction(model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(ARTICLE), "--format", "jsonl", *model]) == 0
    text = ARTICLE.read_text(encoding="utf-8")
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) > 20
    for r in records:
        assert text[r["sentence"]["start"] : r["sentence"]["end"]] == r["sentence"]["text"]
        assert set(r) >= {"sentence", "target", "holder", "stances", "probabilities", "truncated"}
        assert set(r["probabilities"]) == {"support", "oppose", "cooperate"}


def test_targets_with_aliases(
    model: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, b"Iran left the nuclear deal. China stayed.")
    assert main(["predict", "-", "--targets", "JCPOA=nuclear deal|Iran deal", "--format", "jsonl", *model]) == 0
    (record,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert record["target"] == {"name": "JCPOA", "id": "JCPOA", "start": 14, "end": 26} | record["target"]


def test_csv_reads_back(model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(ARTICLE), "--format", "csv", "--holders", *model]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {"China", "Iran", "@author"} <= {row["holder"] for row in rows}
    assert all(0 <= float(row["p_support"]) <= 1 for row in rows)


def test_several_files_are_told_apart(model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"Iran met China {name}.", encoding="utf-8")
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert main(["predict", *files, "--format", "csv", *model]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [files[0]] * 2 + [files[1]] * 2


@pytest.mark.parametrize("summary", [[], ["--summary"]])
def test_parquet_has_the_rows_of_csv_in_types_of_their_own(
    model: list[str], tmp_path: Path, summary: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stance.writing.ROW_GROUP", 7)
    paths = {form: tmp_path / f"out.{form}" for form in ("csv", "parquet")}
    for form, path in paths.items():
        arguments = [str(ARTICLE), str(ARTICLE), "--format", form, "--output", str(path), *summary]
        assert main(["predict", *arguments, *model]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.parquet"]
    table = pq.read_table(paths["parquet"])
    assert table.schema.field("p_support").type == "double"
    assert not table.schema.field("n_sentences" if summary else "sentence_start").type.equals("string")
    text = [field.name for field in table.schema if field.type.equals("string")]
    rows = list(csv.DictReader(io.StringIO(paths["csv"].read_text(encoding="utf-8"), newline="")))
    assert len(rows) == table.num_rows > 7
    assert [{name: row[name] for name in text} for row in rows] == [
        {name: value or "" for name, value in row.items()} for row in table.select(text).to_pylist()
    ]


def test_output_takes_its_place_when_it_is_whole(
    model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("kept", encoding="utf-8")
    whole = StanceClassifier.predict_many

    def broken(self: StanceClassifier, *_: object, **__: object) -> Iterator[Document]:
        yield from whole(self, ["Iran met China."])
        raise StanceError("power is gone")

    monkeypatch.setattr(StanceClassifier, "predict_many", broken)
    assert main(["predict", str(ARTICLE), "--format", "jsonl", "--output", str(path), *model]) == 2
    assert path.read_text(encoding="utf-8") == "kept"
    assert len((tmp_path / "out.jsonl.unfinished").read_text(encoding="utf-8").splitlines()) == 2
    for place, reason in ((tmp_path / "none" / "out.txt", "No such file"), (tmp_path, "got a folder")):
        assert main(["predict", str(ARTICLE), "--output", str(place), *model]) == 2
        assert reason in capsys.readouterr().err


def test_parquet_is_not_for_a_terminal_and_says_what_it_needs(
    model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["predict", str(ARTICLE), "--format", "parquet", *model]) == 2
    assert "--output FILE" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["predict", str(ARTICLE), "--format", "parquet", "--output", str(tmp_path / "a"), *model]) == 2
    assert "stance[parquet]" in capsys.readouterr().err


def test_table_shows_holder_target_and_counts(model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(ARTICLE), *model]) == 0
    out = capsys.readouterr().out
    assert "-> Iran" in out
    assert "of 16 sentences take a stance" in out


def test_empty_file_is_no_error(model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_bytes(b"")
    assert main(["predict", str(path), *model]) == 0
    assert "0 of 0 sentences" in capsys.readouterr().out


def test_target_that_no_file_names_is_told_once(
    model: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, b"Iran met China.")
    assert main(["predict", "-", "--targets", "Atlantis", "Iran", *model]) == 0
    assert capsys.readouterr().err.count("Atlantis") == 1


def test_utf16_and_bom_are_read(model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        path = tmp_path / f"{encoding}.txt"
        path.write_text("Iran met China.", encoding=encoding)
        assert main(["predict", str(path), "--format", "jsonl", *model]) == 0
        first = json.loads(capsys.readouterr().out.splitlines()[0])
        assert first["sentence"]["text"] == "Iran met China."


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (None, [], "check the path"),
        (b"\x00\x01binary\x00", [], "binary data"),
        (b"\xff caf\xe9", [], "UTF-8"),
        (b"Iran", ["--targets", ""], "give it a name"),
        (b"Iran", ["--targets", "=alias"], "give it a name"),
        (b"Iran", ["--targets", "Iran="], "letter or digit"),
        (b"Iran", ["--model", "no/such/folder/anywhere"], "no folder"),
    ],
)
def test_bad_input_gives_status_2_and_one_line(  # noqa: PLR0917  # parameters and fixtures
    data: bytes | None,
    arguments: list[str],
    message: str,
    tiny_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "input.txt"
    if data is not None:
        path.write_bytes(data)
    model = [] if "--model" in arguments else ["--model", str(tiny_folder)]
    assert main(["predict", str(path), *arguments, *model]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_unknown_format_gives_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["predict", str(ARTICLE), "--format", "xml"])
    assert stopped.value.code == 2
    assert "jsonl" in capsys.readouterr().err


def test_check_accepts_good_and_names_the_bad_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", str(SEEDS / "train.jsonl")]) == 0
    assert "all well formed" in capsys.readouterr().out
    path = tmp_path / "bad.jsonl"
    good = (SEEDS / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0]
    path.write_text(good + "\n{}\n", encoding="utf-8")
    assert main(["check", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"stance: {path}:2: expected 'id'")


def test_info_describes_the_model(tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--model", str(tiny_folder)]) == 0
    out = capsys.readouterr().out
    assert "support (threshold 0.50, any holder 0.50)" in out
    assert "model.safetensors" in out
    assert "seed 7" in out


# stance evaluate


def evaluate(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["evaluate", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_evaluate_prints_a_report(model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    out = evaluate(capsys, str(SEEDS / "dev.jsonl"), *model)
    for words in ("Directed pairs: ", "Targets, whoever holds the stance: ", "95 % interval", "micro", "macro", "ECE"):
        assert words in out


def test_evaluate_writes_json(model: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(evaluate(capsys, str(SEEDS / "dev.jsonl"), "--json", *model))
    assert set(record["sections"]) == {"pairs", "targets"}
    assert list(record["sections"]["pairs"]["classes"]) == ["support", "oppose", "cooperate"]


def test_evaluate_writes_one_line_per_judged_pair(
    model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, gold = tmp_path / "p.jsonl", SEEDS / "dev.jsonl"
    record = json.loads(evaluate(capsys, str(gold), "--json", "--predictions", str(path), *model))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    excerpts = load_excerpts(gold)
    listed = [(e.id, pair) for e in excerpts for view in (e.to_pairs(), e.to_target_pairs()) for pair in view[0]]
    assert [(r["id"], r["holder"], r["target"]) for r in rows] == [
        (name, holder_field(p.holder), [p.target.start, p.target.end]) for name, p in listed
    ]
    assert all(set(r) == {"id", "holder", "target", "probabilities", "stances", "relation"} for r in rows)
    again = Report.from_predictions(excerpts, load_predictions(path, excerpts)).to_dict()
    for section in ("pairs", "targets"):
        assert again["sections"][section]["micro"] == record["sections"][section]["micro"]


def test_what_evaluate_cannot_write_is_said_before_the_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: list[str]
) -> None:
    monkeypatch.setattr("stance.classifier.StanceClassifier.predict_pairs", lambda *_: pytest.fail("judged first"))
    row = (SEEDS / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "twice.jsonl").write_text(f"{row}\n{row}\n", encoding="utf-8")
    for gold, out, reason in (
        (SEEDS / "dev.jsonl", tmp_path / "none" / "p.jsonl", "expected a file to write to"),
        (tmp_path / "twice.jsonl", tmp_path / "p.jsonl", "expected each excerpt id once"),
    ):
        assert main(["evaluate", str(gold), "--predictions", str(out), *model]) == 2
        assert reason in capsys.readouterr().err


def test_check_names_an_id_that_comes_twice(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = (SEEDS / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "twice.jsonl").write_text(f"{row}\n{row}\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "twice.jsonl")]) == 2
    assert "twice.jsonl:2: expected each id once" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["[" * 100_000, '{"id": ' + "9" * 5000 + "}"], ids=["deep", "long number"])
def test_line_that_no_json_reader_takes_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str) -> None:
    (tmp_path / "odd.jsonl").write_text(line + "\n", encoding="utf-8")
    assert main(["check", str(tmp_path / "odd.jsonl")]) == 2
    assert "odd.jsonl:1: expected one JSON object" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "stance.cli", "check", str(SEEDS / "dev.jsonl")]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("stance: expected to write all output; got ")
    assert done.stderr.count("\n") == 1


def test_evaluate_reads_holders_as_the_input_has_them(
    model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pairs = [
        {"holder": "any", "target": [0, 4], "polarity": "neutral"},
        {"holder": None, "target": [0, 4], "stances": []},
        {"holder": [9, 14], "target": [0, 4], "stances": ["oppose"]},
    ]
    excerpt = {"id": "x", "text": "Iran met China.", "mentions": [[0, 4]], "pairs": pairs, "complete": False}
    (tmp_path / "gold.jsonl").write_text(json.dumps(excerpt), encoding="utf-8")
    evaluate(capsys, str(tmp_path / "gold.jsonl"), "--predictions", str(tmp_path / "p.jsonl"), *model)
    lines = (tmp_path / "p.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["holder"] for line in lines] == ["any", None, [9, 14]]


PUBLISHED = {
    "dse": ("test.txt", "[Iran] met [China].\tIran\tChina\t0\n", {"dse", "polarity"}),
    "plv": (
        "test.tsv",
        "marked_sentence\tgold_root\n<s>Iran</s> met <t>China</t>.\tCONSULT\n",
        {"plv/binary", "plv/stance", "plv/quad", "plv/root", "pairs"},
    ),
    "newsmtsc": (
        "rw.jsonl",
        '{"primary_gid": "polusa_v1_1_-1_4_X", "sentence_normalized": "Iran left.", '
        '"targets": [{"from": 0, "to": 4, "mention": "Iran", "polarity": 4.0}]}\n',
        {"newsmtsc", "polarity"},
    ),
    "unscon": (
        "sentences.csv",
        "file_id,sentence_text,A0,A2,A4,B1,B2,B3\n"
        "UNSC_2014_SPV.7000_spch003_Chile_00.txt,Russia errs .,Direct_NegEval,Country,russian_federation,_,_,_\n",
        {"pairs"},
    ),
}


@pytest.mark.parametrize("form", PUBLISHED)
def test_evaluate_reads_a_publishers_own_file(
    form: str, model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name, content, sections = PUBLISHED[form]
    (tmp_path / name).write_text(content, encoding="utf-8")
    record = json.loads(evaluate(capsys, str(tmp_path / name), "--format", form, "--json", *model))
    assert set(record["sections"]) == sections


def test_evaluate_reads_re3d_as_published_or_one_of_its_folders(
    model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "part"
    folder.mkdir()
    entities = [
        {"documentId": "d", "type": "Organisation", "value": v, "begin": b, "end": e}
        for v, b, e in (("Iran", 0, 4), ("China", 12, 17))
    ]
    relation: dict[str, object] = {"documentId": "d", "type": "FightingAgainst", "value": "fought"}
    relation |= {"source": "Iran", "target": "China"}
    relation |= {"sourceBegin": 0, "sourceEnd": 4, "targetBegin": 12, "targetEnd": 17}
    rows: dict[str, list[dict[str, object]]] = {}
    rows["entities"] = [dict(entity) for entity in entities]
    rows |= {"documents": [{"_id": "d", "text": "Iran fought China."}], "relations": [relation]}
    for name, content in rows.items():
        (folder / f"{name}.json").write_text("\n".join(map(json.dumps, content)), encoding="utf-8")
    for path in (tmp_path, folder):
        record = json.loads(evaluate(capsys, str(path), "--format", "re3d", "--json", *model))
        assert record["sections"]["pairs"]["n_pairs"] == 1


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, [], "gold.jsonl: expected a readable file; got No such file or directory"),
        (b"", [], "expected excerpts with pairs to score; got none"),
        (b"{}\n", [], "gold.jsonl:1: expected 'id'"),
        (b"not json", [], "gold.jsonl:1: expected one JSON object"),
        (b"\xff", [], "expected UTF-8 text"),
        (b"Klow\n", ["--format", "dse"], "gold.jsonl:1: expected sentence, p, q and a class"),
        (b"Klow\n", ["--format", "plv"], "gold.jsonl:1: expected the columns"),
        (b"{}\n", ["--format", "re3d"], "expected subfolders with documents.json"),
    ],
)
def test_evaluate_on_bad_gold_gives_status_2_and_one_line(  # noqa: PLR0917  # parameters and fixtures
    content: bytes | None,
    arguments: list[str],
    message: str,
    model: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "gold.jsonl"
    if content is not None:
        path.write_bytes(content)
    assert main(["evaluate", str(path), *arguments, *model]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_evaluate_names_a_predictions_file_that_cannot_be_written(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "nowhere" / "p.jsonl")
    assert main(["evaluate", str(SEEDS / "dev.jsonl"), "--predictions", out, *model]) == 2
    assert "expected a file to write to" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_summary_gives_the_document_view(model: list[str], capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert main(["predict", str(ARTICLE), "--summary", "--by", "state", "--format", form, *model]) == 0
    lines = capsys.readouterr().out.splitlines()
    if form == "table":
        assert any("China -> Iran" in line for line in lines)
        assert lines[-1].startswith(f"{len(lines) - 1} pairs of actors in 16 sentences")
    else:
        rows = list(csv.DictReader(lines)) if form == "csv" else [json.loads(line) for line in lines]
        assert all({"holder", "target", "stances", "sentences"} <= set(row) for row in rows)
        assert rows


def test_own_actors_and_words_left_alone(
    model: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.csv"
    own.write_text("id,name,kind,capitals\nx,Xanadu,state,Kubla\n", encoding="utf-8")
    feed(monkeypatch, b"Kubla said nothing.")
    assert main(["predict", "-", "--actors", str(own), "--no-resolve", "--format", "jsonl", *model]) == 0
    (record,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert record["target"]["id"] == "x"
    assert record["resolution"] is None
    own.write_text("id,name,kind\n,X,state\n", encoding="utf-8")
    assert main(["predict", str(ARTICLE), "--actors", str(own), *model]) == 2
    assert capsys.readouterr().err.startswith(f"stance: {own}:2:")
