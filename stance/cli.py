"""The command ``stance``: every subcommand calls one public function of the library."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from stance import __version__
from stance.actors import ActorTable
from stance.adjudication import Match
from stance.agreement import Agreement, read_once
from stance.audit import Audit
from stance.counterfactuals import DRAWS
from stance.errors import DataError, StanceError, TargetError
from stance.excerpts import load_excerpts
from stance.formats import FORMATS
from stance.judgements import check_savable, save_predictions
from stance.predictions import Document
from stance.targets import Target
from stance.writing import BINARY, WRITERS, prediction_view, summary_view


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 on success, 2 with one line on stderr where the input is at fault."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a Windows console is not UTF-8 by default
    options = _parser().parse_args(arguments)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except StanceError as error:
        print(f"stance: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader (head, less) went away: nothing to report
        _drop_output()
        return 0
    except OSError as error:
        if error.filename is not None:  # not the output, which is open
            raise
        _drop_output()
        print(f"stance: expected to write all output; got {error.strerror}; make room for it", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _drop_output() -> None:
    """Let what is still to be written go nowhere, so that the interpreter does not stumble over it as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stance", description="Who takes which stance toward which named target.")
    parser.add_argument("--version", action="version", version=f"stance {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _add_predict(commands)

    evaluate = commands.add_parser("evaluate", help="score the model on annotated excerpts or a benchmark's own file")
    evaluate.add_argument(
        "file", metavar="FILE", type=Path, help="annotated excerpts, or a file as published (re3d: folder)"
    )
    evaluate.add_argument("--format", default="excerpts", choices=list(FORMATS), help="default: excerpts")
    evaluate.add_argument("--json", action="store_true", help="write the whole report as JSON")
    evaluate.add_argument("--predictions", metavar="OUT.jsonl", type=Path, help="write one line per judged pair")
    _add_model(evaluate)
    evaluate.set_defaults(run=_evaluate)

    check = commands.add_parser("check", help="validate files of annotated excerpts")
    check.add_argument("files", nargs="+", metavar="FILE", type=Path)
    check.set_defaults(run=_check)

    _add_annotation_commands(commands)

    info = commands.add_parser("info", help="describe the model and the installation")
    _add_model(info)
    info.set_defaults(run=_info)
    return parser


def _add_predict(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    predict = commands.add_parser("predict", help="label every sentence of text files")
    predict.add_argument("files", nargs="+", metavar="FILE", help="UTF-8 text file, or - for standard input")
    predict.add_argument(
        "--targets",
        nargs="+",
        metavar="NAME[=ALIAS|...]",
        help='whom to judge, as "Iran" or "JCPOA=nuclear deal|Iran deal"',
    )
    predict.add_argument("--holders", action="store_true", help="one row per holder and target, not per target")
    predict.add_argument("--summary", action="store_true", help="one row per holder and target of the whole text")
    predict.add_argument(
        "--by",
        default="actor",
        choices=["actor", "state"],
        help="--summary: persons as such, or as those they speak for",
    )
    predict.add_argument(
        "--min-confidence", type=float, default=0.0, metavar="P", help="give no verdict that is less sure (default: 0)"
    )
    predict.add_argument("--no-resolve", action="store_true", help='leave holders like "He" under their own words')
    predict.add_argument("--actors", metavar="FILE", type=Path, help="actor table of your own (JSON or CSV) to add")
    predict.add_argument("--format", default="table", choices=list(WRITERS), help="default: table")
    predict.add_argument("--output", metavar="FILE", type=Path, help="file to write (default: standard output)")
    _add_model(predict)
    predict.set_defaults(run=_predict)


def _add_annotation_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    agreement = commands.add_parser("agreement", help="compare two annotations of the same excerpts")
    agreement.add_argument("first", metavar="A.jsonl", type=Path)
    agreement.add_argument("second", metavar="B.jsonl", type=Path)
    agreement.add_argument("--overlap", action="store_true", help="spans that share characters count as one")
    agreement.add_argument("--json", action="store_true", help="figures and disagreements as one JSON object")
    agreement.set_defaults(run=_agreement)

    audit = commands.add_parser("audit", help="edit your excerpts and see whether the verdicts follow")
    audit.add_argument("file", metavar="FILE.jsonl", type=Path, help="annotated excerpts")
    audit.add_argument("--draws", type=int, default=DRAWS, help=f"sets of other names per sentence (default: {DRAWS})")
    audit.add_argument("--seed", type=int, default=0, help="chooses the names and the resampled documents (default: 0)")
    audit.add_argument("--failures", action="store_true", help="list every failure below the rates")
    audit.add_argument("--json", action="store_true", help="rates, counts and failures as one JSON object")
    _add_model(audit)
    audit.set_defaults(run=_audit)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="DIR", help="model folder or Hub id (default: the shipped model)")
    parser.add_argument("--backend", default="auto", choices=["auto", "torch", "onnx"], help="default: auto")


def _predict(options: argparse.Namespace) -> int:
    texts = [_read_text(name) for name in options.files]
    targets = None if options.targets is None else [parse_target(t) for t in options.targets]
    from stance.classifier import StanceClassifier  # noqa: PLC0415  # `stance --help` need not wait for the rooms behind

    actors = None if options.actors is None else ActorTable.load().merged_with(ActorTable.from_file(options.actors))
    classifier = StanceClassifier.from_pretrained(options.model, backend=options.backend, actors=actors)
    documents = classifier.predict_many(
        texts,
        targets,
        holders=options.holders,
        resolve=not options.no_resolve,
        min_confidence=options.min_confidence,
        show_progress=sys.stderr.isatty() and len(texts) > 1,
    )
    unmatched: Counter[Target] = Counter()

    def counted() -> Iterator[tuple[str, Document]]:
        for name, document in zip(options.files, documents, strict=True):
            unmatched.update(document.unmatched)
            yield name, document

    view = summary_view(options.by) if options.summary else prediction_view()
    with _output(options.output, binary=options.format in BINARY) as out:
        WRITERS[options.format](counted(), view, out, names=len(texts) > 1)
    for target, count in unmatched.items():
        if count == len(texts):
            print(f"stance: no sentence names {target.name!r}; check its spelling or add aliases", file=sys.stderr)
    return 0


@contextmanager
def _output(path: Path | None, *, binary: bool) -> Iterator[IO[Any]]:
    """Open what is written to. A file takes its place when it is whole; what a broken off run wrote stays aside."""
    if path is None:
        if binary and sys.stdout.isatty():
            raise StanceError("expected a file for output that is not text; got a terminal; add --output FILE")
        yield sys.stdout.buffer if binary else sys.stdout
        return
    if path.is_dir():  # which would come out when all is written
        raise DataError("expected a file to write to; got a folder; name a file in it", path)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        out: IO[Any]
        if binary:
            out = unfinished.open("wb")
        else:
            out = unfinished.open("w", encoding="utf-8", errors="replace", newline="\n")
        with out:
            yield out
        unfinished.replace(path)
    except OSError as error:
        raise DataError.unwritable(path, error) from None


def parse_target(argument: str) -> Target:
    """Read ``NAME`` or ``NAME=ALIAS|ALIAS``.

    >>> parse_target("JCPOA=nuclear deal|Iran deal").aliases
    ('nuclear deal', 'Iran deal')

    Raises:
        TargetError: the name or an alias is empty.
    """
    name, equals, aliases = argument.partition("=")
    if not name.strip():
        raise TargetError(f"expected a target as NAME or NAME=ALIAS|ALIAS; got {argument!r}; give it a name")
    return Target(name.strip(), tuple(a.strip() for a in aliases.split("|")) if equals else ())


def _read_text(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise DataError(f"expected a readable text file; got {error.strerror}; check the path", name) from None
    if b"\0" in data[:8192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError("expected a text file; got binary data; convert it to UTF-8 text first", name)
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"expected UTF-8 text; got {error.reason} at byte {error.start}; save the file as UTF-8", name
        ) from None


def _evaluate(options: argparse.Namespace) -> int:
    from stance.classifier import StanceClassifier  # noqa: PLC0415  # as in _predict
    from stance.evaluation import evaluate_excerpts, read_gold  # noqa: PLC0415  # as in _predict

    excerpts, rows = read_gold(options.file, options.format)
    if options.predictions is not None:
        check_savable(excerpts, options.predictions)  # before the work, not after it
    classifier = StanceClassifier.from_pretrained(options.model, backend=options.backend)
    evaluation = evaluate_excerpts(classifier, excerpts, rows)
    if options.predictions is not None:
        judged = [*evaluation.predictions, *evaluation.target_predictions]
        save_predictions(evaluation.excerpts, judged, options.predictions)
    report = evaluation.report
    print(json.dumps(report.to_dict(), ensure_ascii=False, indent=1) if options.json else report)
    return 0


def _check(options: argparse.Namespace) -> int:
    for path in options.files:
        excerpts = [excerpt for _, excerpt in read_once(path).values()]
        pairs = sum(len(e.pairs) for e in excerpts)
        print(f"{path}: {len(excerpts)} excerpts, {pairs} pairs, all well formed")
    return 0


def _agreement(options: argparse.Namespace) -> int:
    match: Match = "overlap" if options.overlap else "exact"
    _print_result(Agreement.from_files(options.first, options.second, match=match), as_json=options.json)
    return 0


def _audit(options: argparse.Namespace) -> int:
    excerpts = load_excerpts(options.file)
    from stance.classifier import StanceClassifier  # noqa: PLC0415  # as in _predict

    classifier = StanceClassifier.from_pretrained(options.model, backend=options.backend)
    audit = Audit.from_excerpts(excerpts, classifier.predict_pairs, draws=options.draws, seed=options.seed)
    _print_result(audit, as_json=options.json)
    if options.failures and not options.json:
        print("", *audit.failures, sep="\n")
    return 0


def _print_result(result: Agreement | Audit, *, as_json: bool) -> None:
    print(json.dumps(result.to_dict(), ensure_ascii=False, indent=1) if as_json else result)


def _info(options: argparse.Namespace) -> int:
    from stance.folder import describe_model, locate_model  # noqa: PLC0415  # as in _predict

    for key, value in describe_model(locate_model(options.model)).items():
        print(f"{key:<16} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
