"""The model card: ``python -m training.card MODEL_DIR --corpora DIR``.

Evaluates a finished model folder on the development splits and the behavioural suite and writes its card from what was
measured: no figure is typed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stance.classifier import Backend, StanceClassifier
from stance.evaluation import evaluate_excerpts
from stance.excerpts import Excerpt
from stance.folder import CARD_FILE, ONNX_FILE, TRAINING_FILE, Calibration, ModelSettings, read_settings
from stance.formats.dse import DseRow, dse_number
from stance.formats.newsmtsc import NewsmtscRow
from stance.formats.plv import PlvRow
from stance.labels import PLOVER_QUADS, Stance, as_polarity
from stance.protocols import PublishedRow
from stance.reliability import COVERAGES
from stance.report import Report
from stance.sections import Section
from stance.tables import interval_cell, write_cell
from training.behaviour import Behaviour, Case, load_cases, measure_behaviour
from training.command import one_line_errors
from training.data import add_development_options, read_development
from training.development import EXACT_KINDS
from training.record import read_record

# What each corpus is, and its licence as far as its publisher states one.
_CORPORA = {
    "diplomatic": ("White House and UN General Debate, every directed pair annotated", "texts public domain / CC0"),
    "news": ("sentences of DSE, NewsMTSC and PLV, every directed pair annotated anew", "as those sets"),
    "political": ("more sentences of both, every directed pair annotated for this model", "texts public domain / CC0"),
    "press": ("more sentences of DSE, NewsMTSC and PLV, annotated likewise", "as those sets"),
    "hard_political": ("sentences of both that larger models were unsure of, annotated likewise", "as those texts"),
    "hard_press": ("such sentences of DSE, NewsMTSC and BASIL, annotated likewise", "as those sets"),
    "silver_political": ("further sentences of both, labelled by three larger models", "texts public domain / CC0"),
    "silver_news": ("sentences of news corpora, labelled by three larger models", "as those sets"),
    "seeds": ("invented sentences of this project (`seeds/`)", "CC0"),
    "events": ("invented sentences with a PLOVER root (`seeds/events/`)", "CC0"),
    "plv": ("PLOVER event sentences, training part (Hu et al., ACL 2024)", "none stated"),
    "dse": ("directed sentiment between entities in news (Park et al., Findings of ACL 2021)", "none stated"),
    "newsmtsc": ("sentiment toward targets in news (Hamborg and Donnay, EACL 2021)", "MIT; texts for research"),
    "unscon": ("conflict annotations of UN Security Council speeches (UNSCon)", "CC BY-SA"),
    "re3d": ("entities and relations in defence and diplomacy text (Dstl)", "OGL 3, public domain, CC BY"),
    "crossner": ("names in political Wikipedia text (CrossNER, Liu et al., AAAI 2021); tagger only", "MIT"),
    "uner": ("names in English web text (Universal NER, Mayhew et al., NAACL 2024); tagger only", "CC BY-SA 4.0"),
    "gsr": ("gold records of the PLOVER manual", "CC BY-SA 4.0"),
}

_OPENING = """\
---
language: en
license: apache-2.0
library_name: stance
tags: [stance-detection, political-text]
---

# A stance model for political and diplomatic text

Says for every sentence who takes which stance (support, oppose, cooperate; several or none) toward which named target.
One pass of the encoder per sentence, whatever the number of pairs; three independent probabilities per pair.

```python
from stance import StanceClassifier

for p in StanceClassifier.from_pretrained().predict("Iran thanked China for its support."):
    print(p.holder, p.target, p.stances)
```

## Scores on development data

The epoch to keep was chosen on these splits and thresholds were tuned on them, so expect somewhat less on new text. No
official test set was used. 95 % intervals are bootstrap intervals over documents.
"""

_FIGURES = """\
`pairs`: exact stances of every directed pair of mentions, other holders and the author. `targets`: exact stances of
every target, whoever holds them. `polarity`: support and cooperate both counted as positive, three classes. `dse`,
`newsmtsc`, `plv/...`: the classes of their papers, on rows whose marked entities are words; every row of PLV has a
class, so the likeliest counts. `macro` averages over the classes that gold holds; `n_gold` counts gold labels.
`cross-fitted` is micro-F1 where each half of the documents is decided by calibration and thresholds fitted to the other
half, of all sets that have such pairs together, as the model's own are.
"""

_RISK = """\
Share of pairs with any stance wrong when only the surest are judged, by the probability that the model gives its
answer; `area` is the mean over all coverages.
"""

_FOUND = "/mentions"

_MENTIONS = """\
F1 of exact spans that the tagger alone finds, types merged, each spelling of a sentence at its first place.
"""

_BEHAVIOUR = """\
Share of checks failed on minimal pairs of invented sentences that differ in one thing (`tests/behaviour/`; after
CheckList, Ribeiro et al., ACL 2020), at the thresholds above. The model was neither trained nor tuned on them.
`label`: not exactly the expected stances; `flip`: two sentences that say the same of a pair got different verdicts;
`direction`: a stance was also given to target toward holder. `plain` and `edited`: the first and the second sentences
alone. 95 % intervals are bootstrap intervals over templates.
"""

MOST_CLASSES = 5
"""Classes that the card shows one by one; of more, only the averages are shown."""

_LIMITS = """\
## Limits

* English only; written political, diplomatic and news text. Tweets, transcripts and translations were not measured.
* One sentence at a time: a stance that only the sentence before gives away is missed. Of two stances at once toward one
  target, such as support and cooperation, it often hears only the first.
* The annotators of the exact corpora were language models that follow a codebook; they agree with one another at F1
  0.79 to 0.86. Where the codebook is debatable (aid as support or cooperation, the victim's side in a condemned
  attack), so is the model.
* Names carry history: the corpora report the conflicts of 2010 to 2026, and a name that is mostly opposed there may
  pull a verdict. Do not take a single verdict about a person as a fact; read the sentence.
"""


def write_card(folder: Path, development: Mapping[str, Sequence[Excerpt]], cases: Sequence[Case] = ()) -> None:
    """Evaluate a finished model folder on development splits and the behavioural suite, and rewrite its card.

    Raises:
        ModelError: the folder is no stance model.
        ConfigError: the folder has no record of its training.
    """
    settings = read_settings(folder)
    record = read_record(folder)
    reports = development_reports(folder, development)
    behaviour = measure_behaviour(folder, cases) if cases else None
    temporary = folder / f"{CARD_FILE}.tmp"
    temporary.write_text(model_card(record, settings, reports, behaviour), encoding="utf-8")
    temporary.replace(folder / CARD_FILE)


def development_reports(folder: Path, development: Mapping[str, Sequence[Excerpt]]) -> dict[str, Report]:
    """Evaluate a model folder as its users run it on a CPU: on its int8 graph, where it has one."""
    backend: Backend = "onnx" if (folder / ONNX_FILE).is_file() else "torch"
    classifier = StanceClassifier.from_pretrained(folder, backend=backend, device="cpu")
    reports = {}
    for name, excerpts in development.items():
        judged = [e for e in excerpts if e.to_pairs()[0]]
        if not judged:
            continue
        reports[name] = evaluate_excerpts(classifier, judged, published_rows(judged)).report
    return reports


def published_rows(excerpts: Sequence[Excerpt]) -> list[PublishedRow]:
    """Give excerpts of DSE, NewsMTSC or PLV, each with its pairs, as the rows that their papers score."""
    sources = {e.origin.source for e in excerpts}
    if any(e.complete for e in excerpts):
        return []
    if sources == {"dse"}:
        return [DseRow(e, dse_number(e)) for e in excerpts]
    if sources == {"newsmtsc"}:
        return [NewsmtscRow(e, tuple((p.target, as_polarity(p.label)) for p in e.pairs)) for e in excerpts]
    if sources == {"plv"}:
        roots = [str(e.pairs[0].relation) for e in excerpts]
        return [PlvRow(e, root, PLOVER_QUADS[root]) for e, root in zip(excerpts, roots, strict=True)]
    return []


def model_card(
    record: Mapping[str, Any],
    settings: ModelSettings,
    reports: Mapping[str, Report],
    behaviour: Behaviour | None = None,
) -> str:
    """Write the card of a model from its training record, its settings and what was measured of it."""
    trained = record["settings"]
    sections = [(name, section) for name, report in reports.items() for section in shown_sections(report)]
    parts = [
        _OPENING,
        _scores(sections, record.get("scores", {})),
        _FIGURES,
        "## Thresholds\n",
        _table(("stance", "directed pair", "holder ANY"), _threshold_rows(settings)),
        "## Calibration\n",
        _calibration(settings, record.get("scores", {})),
        _table(("corpus", "kind", "ECE (15 bins)", "Brier", "n"), _reliability_rows(sections)),
        "## Abstaining\n",
        _RISK,
        _table(("corpus", "kind", *(f"{c:.0%}" for c in COVERAGES[::2]), "area"), _risk_rows(sections)),
        *_mentions(record.get("scores", {})),
        "## Behaviour\n",
        _behaviour(behaviour),
        "## Trained on\n",
        _table(("corpus", "rows", "what it is", "licence as stated"), _corpus_rows(record["corpora"])),
        "Some corpora state no licence: the model learned from them, none of their text is in this repository.\n",
        f"{_origin(trained)}, seed {trained['seed']}{_averaged(record)}, "
        f"{record['seconds'] // 60} minutes of training.{_roots(record)}\n"
        f"Reproduce with `python -m training.train` and the settings in `{TRAINING_FILE}`, the shipped model with\n"
        "`make train`, on the corpora of `training/README.md`;\n"
        "`python -m training.card MODEL_DIR --corpora DIR` measures a finished model anew and rewrites this card.\n",
        _LIMITS,
    ]
    return "\n".join(parts)


def shown_sections(report: Report) -> list[Section]:
    """Pick what the card shows of a report: the figures of the corpus's paper or else every section."""
    known = {"pairs", "targets", "polarity"}
    published = [section for section in report.sections if section.name not in known]
    return published or list(report.sections)


def _scores(sections: Sequence[tuple[str, Section]], cross_fitted: Mapping[str, float]) -> str:
    if not sections:
        return "Not measured yet.\n"
    head = ("corpus", "kind", "class", "precision", "recall", "F1", "95 % interval", "n_gold", "cross-fitted")
    rows = []
    for name, section in sections:
        for score in (section.micro, section.macro, *(section.classes if len(section.classes) <= MOST_CLASSES else ())):
            tuned = cross_fitted.get(f"{name}/{section.name}") if score.name == "micro" else None
            shares = [write_cell(x) for x in (score.precision, score.recall, score.f1)]
            ends = interval_cell(score.low, score.high)
            rows.append([name, section.name, score.name, *shares, ends, score.n_gold, write_cell(tuned)])
    return _table(head, rows)


def _reliability_rows(sections: Sequence[tuple[str, Section]]) -> list[list[object]]:
    return [
        [name, f"{section.name}, {r.name}", write_cell(r.ece), write_cell(r.brier), r.n]
        for name, section in sections
        for r in section.reliability
    ]


def _risk_rows(sections: Sequence[tuple[str, Section]]) -> list[list[object]]:
    return [
        [name, section.name, *(write_cell(p.risk) for p in risk.points[::2]), write_cell(risk.area)]
        for name, section in sections
        if (risk := section.risk_coverage) is not None
    ]


def _origin(trained: Mapping[str, Any]) -> str:
    return f"Started from the model `{trained['start']}`" if "start" in trained else f"Encoder `{trained['encoder']}`"


def _roots(record: Mapping[str, Any]) -> str:
    if "roots" not in record:
        return ""
    return (
        f"\nIts PLOVER roots were fitted once more at the end, on {record['roots']} pairs (`python -m training.roots`)."
    )


def _averaged(record: Mapping[str, Any]) -> str:
    """Name the runs of which the weights are the mean ("model soups", Wortsman et al., ICML 2022)."""
    runs = record.get("averaged", [])
    named = ", ".join(f"seed {r['settings']['seed']} with a share of {r['share']:.2f}" for r in runs)
    return f"; weights averaged over {len(runs)} runs ({named})" if runs else ""


def _calibration(settings: ModelSettings, scores: Mapping[str, float]) -> str:
    if settings.calibration == Calibration():
        return "Probabilities are the network's own: they are not calibrated on held-back data.\n"
    held_back = {kind: scores.get(f"calibration/{kind}.ece") for kind in EXACT_KINDS}
    measured = ", ".join(f"{value:.3f} for {kind}" for kind, value in held_back.items() if value is not None)
    also = f" Each half of the documents mapped as the other half says, their ECE is {measured}." if measured else ""
    return f"Probabilities are calibrated by a logistic map per stance (Platt, 1999).{also}\n"


def _mentions(scores: Mapping[str, float]) -> list[str]:
    rows = [(name.removesuffix(_FOUND), write_cell(f1)) for name, f1 in scores.items() if name.endswith(_FOUND)]
    return ["## Finding mentions\n", _MENTIONS, _table(("corpus", "F1"), rows)] if rows else []


def _behaviour(behaviour: Behaviour | None) -> str:
    if behaviour is None:
        return "Not measured yet.\n"
    table = behaviour.to_table()
    return f"{_BEHAVIOUR}\n{_table(table.head, (map(write_cell, row) for row in table.rows))}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _threshold_rows(settings: ModelSettings) -> list[list[str]]:
    columns = zip(Stance, settings.thresholds, settings.any_thresholds, strict=True)
    return [[str(stance), f"{pair:.2f}", f"{anyone:.2f}"] for stance, pair, anyone in columns]


def _corpus_rows(corpora: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    unknown = ("", "not known to this card")
    return [[name, str(c["rows"]), *_CORPORA.get(name, unknown)] for name, c in corpora.items()]


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__.split("\n\n")[1])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    add_development_options(parser)
    options = parser.parse_args(arguments)
    write_card(options.model, read_development(options), load_cases())
    return 0


if __name__ == "__main__":
    sys.exit(main())
