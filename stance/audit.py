"""Audit: does a verdict hang on what the sentence says, or on whom it names? Measured by editing sentences.

What the rates mean, and what they do not:

* ``names``: actors get other names of the same kind in the same places. A failure is a verdict that changed. The
  codebook lets a name say who somebody is, never add a stance, so none should. But an edited sentence may be false or
  odd ("Malta expels Peruvian consul"), and a verdict near its threshold changes by a hair: read ``shift`` beside it.
* ``roles``: holder and target change places. The verdict belongs to the role, so the pair in the same places should
  keep it; a failure is one that changed. ``direction`` takes stances that gold has in one direction only and that were
  judged so before; a failure is one that is not judged so any more. A model that is blind to roles changes little and
  has little to check under ``direction``.
* ``negation``: the verb that carries a found stance is denied. A failure is a stance that stays. What it turns into is
  not scored: "did not support" may mean opposition or nothing.

The rates hold for sentences that the rules can edit safely, which are the plainer ones; the others are counted by
reason. A low rate says that verdicts are steady, not that they are right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stance.adjudication import label_field
from stance.bootstrap import ROUNDS, check_draws, count_by_document, figure_interval, number_documents
from stance.counterfactuals import DRAWS, make_counterfactuals
from stance.errors import StanceError
from stance.excerpts import Excerpt
from stance.labels import Polarity, Stance
from stance.metrics import Numbers
from stance.pairs import Pair
from stance.predictions import Prediction
from stance.rewriting import Check, Counterfactual, Edit

if TYPE_CHECKING:
    import pandas as pd

PredictPairs = Callable[[Sequence[Pair]], Sequence[Prediction]]

_LABELS = (*map(str, Stance), "none", "all", "direction")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """How often one edit failed, on checks with one gold label.

    ``label`` is a stance in gold; ``none``, gold without a stance; ``all``; or ``direction``. For a stance only that
    stance has to hold, for ``none`` and ``all`` the whole verdict. ``shift`` is the mean absolute change of the
    probability, of the largest change for ``none`` and ``all``; NaN for ``direction``. ``rate`` is NaN without checks.
    """

    edit: Edit
    label: str
    n: int
    n_failed: int
    n_documents: int
    rate: float
    interval: tuple[float, float]
    shift: float

    def to_dict(self) -> dict[str, Any]:
        """Give a flat JSON-ready dictionary, with None for NaN."""
        figures = {"rate": self.rate, "low": self.interval[0], "high": self.interval[1], "shift": self.shift}
        counts = {"n": self.n, "n_failed": self.n_failed, "n_documents": self.n_documents}
        rounded = {key: None if math.isnan(value) else round(value, 4) for key, value in figures.items()}
        return {"edit": str(self.edit), "label": self.label, **counts, **rounded}

    def __str__(self) -> str:
        ends = "-" if math.isnan(self.rate) else f"{self.rate:.3f} [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"
        shift = "-" if math.isnan(self.shift) else f"{self.shift:.3f}"
        return f"{self.edit:<10}{self.label:<11}{self.n:>7}{self.n_failed:>8}   {ends:<22}{shift}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one edited sentence with the verdicts before and after."""

    counterfactual: Counterfactual
    check: Check
    before: Prediction
    after: Prediction

    @property
    def failed(self) -> bool:
        """Whether the whole verdict changed, or for a negation whether the denied stance was found and stays."""
        stance = self.check.stance
        if stance is None:
            return self.before.stances != self.after.stances
        return stance in self.before.stances and stance in self.after.stances

    def shift(self, stances: Sequence[Stance]) -> float:
        """Give the largest absolute change of probability of these stances."""
        return max(abs(self.after.probabilities[s] - self.before.probabilities[s]) for s in stances)

    def to_dict(self) -> dict[str, Any]:
        """Give a JSON-ready dictionary."""
        sides = {"before": self.before, "after": self.after}
        return {
            "edit": str(self.counterfactual.edit),
            "id": self.counterfactual.excerpt.id,
            "gold": label_field(self.check.label),
            **{side: _verdict(prediction) for side, prediction in sides.items()},
        }

    def __str__(self) -> str:
        lines = [f"[{self.counterfactual.excerpt.id}] {self.counterfactual.edit}"]
        for verdict in map(_verdict, (self.before, self.after)):
            stances = ", ".join(verdict["stances"]) or "none"
            lines.append(f"    {verdict['text']}\n{verdict['holder']:>28} -> {verdict['target']:<24} {stances}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Audit:
    """Failure rates under edits, with 95 % percentile intervals over resampled documents.

    ``edited`` and ``skipped`` count what could be edited and what could not, by reason; see ``Counterfactuals``.
    ``failures`` lists the single failures of ``names``, ``roles`` and ``negation``. The docstring of this module says
    what each rate means.
    """

    rows: tuple[AuditRow, ...]
    edited: Mapping[Edit, int]
    skipped: Mapping[Edit, Mapping[str, int]]
    failures: tuple[Finding, ...]

    @classmethod
    def from_excerpts(
        cls,
        excerpts: Sequence[Excerpt],
        predict_pairs: PredictPairs,
        *,
        draws: int = DRAWS,
        rounds: int = ROUNDS,
        seed: int = 0,
    ) -> Audit:
        """Edit annotated sentences and compare the verdicts of ``predict_pairs`` before and after.

        ``predict_pairs`` is that of a ``StanceClassifier``, or any function that judges pairs in order. ``draws`` is
        how many sets of other names a sentence is tried with.

        Raises:
            StanceError: there are no excerpts, or ``draws`` is below 1.
        """
        if not excerpts:
            raise StanceError("expected annotated excerpts; got none; check the file")
        if draws < 1:
            raise StanceError(f"expected at least one draw of names; got {draws!r}; raise it")
        check_draws(rounds, seed)
        made = make_counterfactuals(excerpts, draws=draws, seed=seed)
        checks = [(case, check) for case in made.cases for check in case.checks]
        judged = predict_pairs([pair for _, check in checks for pair in (check.before, check.after)])
        findings = [Finding(case, check, judged[2 * i], judged[2 * i + 1]) for i, (case, check) in enumerate(checks)]
        outcomes = [*(outcome for f in findings for outcome in _outcomes(f)), *_directions(findings)]
        rows = [_row(edit, label, outcomes, rounds, seed) for edit in Edit for label in _LABELS]
        failures = tuple(f for f in findings if f.failed)
        return cls(tuple(row for row in rows if row.n), made.edited, made.skipped, failures)

    def to_dict(self) -> dict[str, Any]:
        """Give a JSON-ready dictionary: ``rows``, ``edited``, ``skipped``, ``failures``."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "edited": {str(edit): n for edit, n in self.edited.items()},
            "skipped": {str(edit): dict(reasons) for edit, reasons in self.skipped.items()},
            "failures": [finding.to_dict() for finding in self.failures],
        }

    def to_frame(self) -> pd.DataFrame:
        """Give the rows as a pandas frame; needs pandas."""
        import pandas as pd  # noqa: PLC0415  # a second of import that most roads do not need

        return pd.DataFrame.from_records([row.to_dict() for row in self.rows])

    def __str__(self) -> str:
        head = f"{'edit':<10}{'gold':<11}{'checks':>7}{'failed':>8}   {'rate [95 %]':<22}shift"
        lines = [head, *map(str, self.rows), ""]
        units = {Edit.NAMES: "sentences", Edit.ROLES: "holder and target", Edit.NEGATION: "target and stance"}
        for edit, reasons in self.skipped.items():
            n_skipped = sum(reasons.values())
            lines.append(f"{edit} ({units[edit]}): {self.edited[edit]} edited, {n_skipped} passed over")
            lines += [f"    {n:>5}  {reason}" for reason, n in reasons.items()]
        return "\n".join(lines)


class _Outcome(NamedTuple):
    edit: Edit
    label: str
    document: str
    failed: bool
    shift: float


def _outcomes(finding: Finding) -> Iterator[_Outcome]:
    """Count one check under its gold stances and under all; a negation only where the stance was found before."""
    edit, excerpt = finding.counterfactual.edit, finding.counterfactual.excerpt
    document = excerpt.document_key
    before, after = finding.before.stances, finding.after.stances
    if edit is Edit.NEGATION:
        denied = finding.check.stance
        if denied is not None and denied in before:
            for label in (denied, "all"):
                yield _Outcome(edit, str(label), document, finding.failed, finding.shift([denied]))
        return
    gold = finding.check.label
    whole = _Outcome(edit, "all", document, finding.failed, finding.shift(list(Stance)))
    yield whole
    if gold == frozenset():
        yield whole._replace(label="none")
    elif not isinstance(gold, Polarity):
        for s in gold:
            yield _Outcome(edit, str(s), document, (s in before) != (s in after), finding.shift([s]))


def _directions(findings: Sequence[Finding]) -> Iterator[_Outcome]:
    """Count stances that gold has one way only and that were judged so: are they still, with the names exchanged?"""
    ways: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.counterfactual.edit is Edit.ROLES:
            ways.setdefault(id(finding.counterfactual), []).append(finding)
    for pair in ways.values():
        labels = [f.check.label for f in pair]
        if len(pair) < 2 or any(isinstance(label, Polarity) for label in labels):
            continue
        excerpt = pair[0].counterfactual.excerpt
        for s in Stance:
            gold = [s in label for label in labels]
            if gold[0] != gold[1] and [s in f.before.stances for f in pair] == gold:
                failed = [s in f.after.stances for f in pair] != gold
                yield _Outcome(Edit.ROLES, "direction", excerpt.document_key, failed, math.nan)


def _row(edit: Edit, label: str, outcomes: Sequence[_Outcome], rounds: int, seed: int) -> AuditRow:
    chosen = [o for o in outcomes if (o.edit, o.label) == (edit, label)]
    names, documents = number_documents(o.document for o in chosen)
    counts = count_by_document(documents, np.array([[o.failed, 1.0] for o in chosen]).reshape(-1, 2))
    ends = figure_interval(counts, len(names), _rate, rounds=rounds, seed=seed)
    failed, n = counts.total
    shift = float(np.mean([o.shift for o in chosen])) if chosen else math.nan
    return AuditRow(edit, label, int(n), int(failed), len(names), float(_rate(counts.total)), ends, shift)


def _rate(counts: Numbers) -> Numbers:
    """Share of failures from counts ``(..., 2)`` of failures and checks."""
    failed, n = counts[..., 0], counts[..., 1]
    share: Numbers = np.divide(failed, n, out=np.full(np.shape(n), np.nan), where=n > 0)
    return share


def _verdict(prediction: Prediction) -> dict[str, Any]:
    pair = prediction.pair
    return {
        "text": pair.sentence.text,
        "holder": str(pair.holder),
        "target": pair.target.name,
        "stances": [str(s) for s in Stance if s in prediction.stances],
        "probabilities": {str(s): round(prediction.probabilities[s], 4) for s in Stance},
    }
