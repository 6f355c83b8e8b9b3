"""Cross-validate on PLV: ``python -m training.folds training/folds_{start,roots}.toml training/folds.toml``.

PLV's training file is all that may be learned from, and the tenth of it that runs develop on is too few rows for
fifteen classes. Here every row is judged once, by a model that never learned from its sentence, in whatever corpus: the
first runs learn from no sentence of PLV, and one run a fold goes on from their end, with the other folds among its
corpora.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from stance.classifier import StanceClassifier
from stance.errors import ConfigError
from stance.formats.plv import PlvRow, read_plv_rows
from stance.predictions import Prediction
from stance.report import Report
from training.command import one_line_errors
from training.config import TrainingSettings, corpora_override, load_settings
from training.corpora import PLV_FILE
from training.data import Corpora, corpus_folder, load_corpora, sentence_key
from training.development import check_selection
from training.roots import fit_relation_head
from training.train import Trainer, train_on

log = logging.getLogger("training")

PLV = "plv"
"""The corpus, and its reader, in the settings of the folds."""


def deal_rows(rows: Sequence[PlvRow], n_folds: int, seed: int) -> list[list[int]]:
    """Deal row numbers out to folds, a sentence to one fold, with each root's share alike in all of them."""
    keys = [sentence_key(row.excerpt.text) for row in rows]
    dealer = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return [held.tolist() for _, held in dealer.split(np.zeros(len(rows)), [row.root for row in rows], keys)]


def without_sentences(corpora: Corpora, keys: Set[str]) -> Corpora:
    """Take sentences out of everything that is learned from."""
    return corpora.learning_from(lambda text: sentence_key(text) not in keys)


def train_start(settings: TrainingSettings, rows: Sequence[PlvRow], run_folder: Path) -> None:
    """Train a model that folds start from, on no sentence of PLV.

    Raises:
        ConfigError: as ``load_corpora``.
    """
    corpora = without_sentences(load_corpora(settings), {sentence_key(row.excerpt.text) for row in rows})
    train_on(settings, corpora, run_folder)


def judge_fold(
    settings: TrainingSettings, corpora: Corpora, rows: Sequence[PlvRow], held: Sequence[int], run_folder: Path
) -> list[list[Prediction]]:
    """Train on all rows but the held ones, and judge these: the predictions of each one's pairs, in order.

    As the shipped recipe does, a last step fits the relation head to features that no longer move (``roots.py``).
    Nothing is chosen by PLV: the figures of ``settings.selection`` alone are looked at between epochs.
    """
    chosen = {figure.partition("/")[0] for figure in settings.selection}
    developed = {name: part for name, part in corpora.development.items() if name in chosen}
    scored = [rows[i].excerpt for i in held] + [e for part in developed.values() for e in part]
    whole = replace(corpora, train={**corpora.train, PLV: [row.excerpt for row in rows]}, development=developed)
    parts = without_sentences(whole, {sentence_key(e.text) for e in scored})
    scorer = Trainer(settings, parts, run_folder, show_progress=sys.stderr.isatty()).run()
    fit_relation_head(scorer, parts.train, settings.stages[-1].weights)
    classifier = StanceClassifier(scorer)
    return [classifier.predict_pairs(rows[i].excerpt.to_pairs()[0]) for i in held]


def plv_report(rows: Sequence[PlvRow], verdicts: Sequence[Sequence[Prediction]]) -> Report:
    """Score PLV's own classes; ``verdicts`` are the predictions of each row's pairs."""
    return Report.from_predictions([row.excerpt for row in rows], [p for v in verdicts for p in v], rows=rows)


def cross_validate(
    starts: Sequence[TrainingSettings], settings: TrainingSettings, run_folder: Path, n_folds: int, seed: int
) -> tuple[Report, list[Report]]:
    """Judge every row of PLV by a model that never learned from its sentence: the report on all, and one a fold.

    ``starts`` are trained one after the other before the folds. What a broken off run has finished is not done again.

    Raises:
        ConfigError: a corpus is missing or the settings do not fit this.
    """
    _check_settings(starts, settings)
    rows = read_plv_rows(corpus_folder(settings, PLV) / PLV_FILE)
    folds = deal_rows(rows, n_folds, seed)
    corpora = load_corpora(settings)
    check_selection(settings.selection, corpora.development)
    for start in starts:
        output = start.folder / start.output
        if not output.is_dir():
            train_start(start, rows, run_folder / output.parent.name)
    verdicts: dict[int, list[Prediction]] = {}
    reports = []
    for number, held in enumerate(folds, 1):
        judged = judge_fold(settings, corpora, rows, held, run_folder / f"fold-{number}")
        verdicts |= zip(held, judged, strict=True)
        reports.append(plv_report([rows[i] for i in held], judged))
        log.info("fold %d of %d: %s", number, n_folds, figures(reports[-1]))
    return plv_report(rows, [verdicts[i] for i in range(len(rows))]), reports


def _check_settings(starts: Sequence[TrainingSettings], settings: TrainingSettings) -> None:
    if PLV not in settings.corpora or settings.corpora[PLV].reader != PLV:
        raise ConfigError(f"expected a corpus {PLV!r} in the settings of the folds; got none; add [corpora.{PLV}]")
    if any(figure.partition("/")[0] == PLV for figure in settings.selection) or not settings.selection:
        raise ConfigError("expected a selection of figures other than PLV's; got none; folds choose nothing by PLV")
    if any(corpus.reader == PLV for start in starts for corpus in start.corpora.values()):
        raise ConfigError("expected settings of a start without PLV; got its reader; take that corpus out")
    last = starts[-1]
    if (settings.folder / settings.start).resolve() != (last.folder / last.output).resolve():
        raise ConfigError(f"expected folds to start from {last.output!r}; got {settings.start!r}; correct 'start'")


def figures(report: Report) -> dict[str, float]:
    """Give macro-F1 by the name of the section: ``plv/binary``, ``plv/stance``, ``plv/quad``, ``plv/root``."""
    return {s.name: round(s.macro.f1, 4) for s in report.sections if s.name.startswith(f"{PLV}/")}


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.folds", description=__doc__.splitlines()[0])
    parser.add_argument("starts", type=Path, nargs="+", help="TOML files of what is trained before the folds, in order")
    parser.add_argument("settings", type=Path, help="TOML file of a fold, whose 'start' is the last of these")
    parser.add_argument("--corpora", help="folder that holds the corpora (overrides corpora_folder)")
    parser.add_argument(
        "--run", type=Path, default=Path("runs/folds"), help="folder of checkpoints to write and resume"
    )
    parser.add_argument("--folds", type=int, default=5, help="number of folds (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="seed that deals the rows out (default: 0)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    overrides = corpora_override(options.corpora)
    *starts, settings = (load_settings(path, overrides) for path in (*options.starts, options.settings))
    whole, folds = cross_validate(starts, settings, options.run, options.folds, options.seed)
    for name, value in figures(whole).items():
        of_folds = [figures(fold)[name] for fold in folds]
        spread = f"{np.mean(of_folds):.3f} +- {np.std(of_folds, ddof=1):.3f}"
        print(f"{name:12s} all rows {value:.3f}   folds {spread}")
    record = {"seed": options.seed, "whole": whole.to_dict(), "folds": [figures(fold) for fold in folds]}
    (options.run / "report.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
