"""The model card, written from the training record: no figure in it is typed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stance.folder import ModelSettings
from stance.labels import Stance

# What each corpus is, and its licence as far as its publisher states one.
_CORPORA = {
    "diplomatic": ("White House and UN General Debate, every directed pair annotated", "texts public domain / CC0"),
    "news": ("sentences of DSE, NewsMTSC and PLV, every directed pair annotated anew", "as those sets"),
    "seeds": ("invented sentences of this project (`seeds/`)", "CC0"),
    "plv": ("PLOVER event sentences, training part (Hu et al., ACL 2024)", "none stated"),
    "dse": ("directed sentiment between entities in news (Park et al., Findings of ACL 2021)", "none stated"),
    "newsmtsc": ("sentiment toward targets in news (Hamborg and Donnay, EACL 2021)", "MIT; texts for research"),
    "unscon": ("conflict annotations of UN Security Council speeches (UNSCon)", "CC BY-SA"),
    "re3d": ("entities and relations in defence and diplomacy text (Dstl)", "OGL 3, public domain, CC BY"),
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

The epoch to keep was chosen on these splits, so expect somewhat less on new text. No official test set was used.
Thresholds were cross-fitted: the half of the documents that is scored never tuned its own. The training command
below prints these figures.
"""

_FIGURES = """\
`pairs`: micro-F1 over every directed pair of mentions, other holders and the author. `targets`: micro-F1 over every
target, whoever holds the stance. `macro`: macro-F1 of polarity, with support and cooperate both counted as positive:
five classes for DSE (direction counts; rows whose marked entities are no words are left out), three for the others.
`macro.micro`: accuracy over the same classes.
"""

_LIMITS = """\
## Limits

* English only; written political, diplomatic and news text. Tweets, transcripts and translations were not measured.
* One sentence at a time: a stance that only the sentence before gives away is missed, and "he" is not looked up.
* The annotators of the exact corpora were language models that follow a codebook; they agree with one another at F1
  0.79 to 0.86. Where the codebook is debatable (aid as support or cooperation, the victim's side in a condemned
  attack), so is the model.
* Names carry history: the corpora report the conflicts of 2010 to 2026, and a name that is mostly opposed there may
  pull a verdict. Do not take a single verdict about a person as a fact; read the sentence.
"""


def model_card(record: dict[str, Any], settings: ModelSettings) -> str:
    """Write the card of a model from its training record and settings."""
    trained = record["settings"]
    parts = [
        _OPENING,
        _table(("corpus", "figure", "score"), _score_rows(record["scores"])),
        _FIGURES,
        "## Thresholds\n",
        _table(("stance", "directed pair", "holder ANY"), _threshold_rows(settings)),
        "Probabilities are the network's own: they are not calibrated on held-back data yet.\n",
        "## Trained on\n",
        _table(("corpus", "rows", "what it is", "licence as stated"), _corpus_rows(record["corpora"])),
        "Some corpora state no licence: the model learned from them, none of their text is in this repository.\n",
        f"Encoder `{trained['encoder']}`, seed {trained['seed']}, {record['seconds'] // 60} minutes of training.\n"
        "Reproduce with `python -m training.train training/base.toml` on the corpora of `training/README.md`.\n",
        _LIMITS,
    ]
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _score_rows(scores: dict[str, float]) -> list[list[str]]:
    return [[*name.split("/", 1), f"{value:.3f}"] for name, value in scores.items()]


def _threshold_rows(settings: ModelSettings) -> list[list[str]]:
    columns = zip(Stance, settings.thresholds, settings.any_thresholds, strict=True)
    return [[str(stance), f"{pair:.2f}", f"{anyone:.2f}"] for stance, pair, anyone in columns]


def _corpus_rows(corpora: dict[str, dict[str, Any]]) -> list[list[str]]:
    unknown = ("", "not known to this card")
    return [[name, str(c["rows"]), *_CORPORA.get(name, unknown)] for name, c in corpora.items()]
