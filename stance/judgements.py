"""Judgements: predictions set beside the gold they answer, and the file that keeps predictions of excerpts.

The file is JSON lines, one judged pair a line, holder and target as in the excerpt format::

    {"id": "x-1", "holder": [0, 4], "target": [13, 18], "probabilities": {"support": 0.9, "oppose": 0.01,
     "cooperate": 0.2}, "stances": ["support"], "relation": "SUPPORT"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from stance.errors import DataError, StanceError
from stance.excerpts import Excerpt, holder_field, read_json_lines
from stance.labels import PLOVER_ROOTS, Label, Stance, parse_stances
from stance.pairs import ANY, AUTHOR, Holder, OpenHolder, Pair
from stance.predictions import Prediction
from stance.targets import Mention, Target

_Place = tuple[str, int, int, int, int]
_OPEN = {AUTHOR: -1, ANY: -2}
_KEYS = frozenset({"id", "holder", "target", "probabilities", "stances", "relation"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judged pair: the number of its excerpt, what gold says and what was predicted."""

    excerpt: int
    label: Label
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Judgements:
    """Every judged pair of some excerpts.

    ``listed`` are the pairs of ``Excerpt.to_pairs``, ``targets`` those that ``Excerpt.to_target_pairs`` adds for
    complete excerpts; either may lack the complete ones. ``n_unmatched`` counts predictions that answer no gold pair.
    """

    listed: list[Judgement]
    targets: list[Judgement]
    n_unmatched: int


def match_predictions(excerpts: Sequence[Excerpt], predictions: Sequence[Prediction]) -> Judgements:
    """Find the prediction of every gold pair by sentence, holder and target, in whatever order they come.

    Complete excerpts may be predicted on directed pairs, on targets (holder ``ANY``) or on both, but alike for all of
    them. Where excerpts share a sentence and a pair, the predictions count in order and the last one serves the rest.

    Raises:
        StanceError: a pair has no prediction.
    """
    found: dict[_Place, list[Prediction]] = {}
    for prediction in reversed(predictions):
        found.setdefault(_place(prediction.pair), []).append(prediction)
    answered: set[_Place] = set()

    def answer(pair: Pair) -> Prediction | None:
        place = _place(pair)
        queue = found.get(place)
        if not queue:
            return None
        answered.add(place)
        return queue.pop() if len(queue) > 1 else queue[0]

    listed: list[Judgement] = []
    complete: dict[str, list[Judgement]] = {"directed pairs": [], "targets": []}
    missing: dict[str, str] = {}
    for number, excerpt in enumerate(excerpts):
        views = {"directed pairs": excerpt.to_pairs()}
        if excerpt.complete:
            views["targets"] = excerpt.to_target_pairs()
        for view, (pairs, labels) in views.items():
            for pair, label in zip(pairs, labels, strict=True):
                answered_by = answer(pair)
                if answered_by is None:
                    missing.setdefault(view if excerpt.complete else "", _missing(excerpt, pair))
                else:
                    (complete[view] if excerpt.complete else listed).append(Judgement(number, label, answered_by))
    wholly_absent = [view for view in missing if view and not complete[view]]
    if len(missing) > len(wholly_absent) or len(wholly_absent) == len(complete):
        raise StanceError(next(iter(missing.values())))
    n_unmatched = sum(len(queue) for place, queue in found.items() if place not in answered)
    merged = sorted([*listed, *complete["directed pairs"]], key=lambda j: j.excerpt)
    return Judgements(merged, complete["targets"], n_unmatched)


def _missing(excerpt: Excerpt, pair: Pair) -> str:
    return (
        f"expected a prediction of every pair of {excerpt.id!r}; got none of {pair.holder!s} -> {pair.target!s}; "
        "predict what Excerpt.to_pairs and, for targets, Excerpt.to_target_pairs list"
    )


def _place(pair: Pair) -> _Place:
    holder, target = pair.holder, pair.target
    if isinstance(holder, OpenHolder):
        return pair.sentence.text, _OPEN[holder], 0, target.start, target.end
    return pair.sentence.text, holder.start, holder.end, target.start, target.end


def check_savable(excerpts: Sequence[Excerpt], path: str | Path) -> None:
    """Say before they are made whether predictions of these excerpts can be written to ``path``.

    Raises:
        StanceError: two excerpts share an id.
        DataError: the file cannot be written.
    """
    _by_id(excerpts)
    with _writable(path, "a"):
        pass


def save_predictions(excerpts: Sequence[Excerpt], predictions: Sequence[Prediction], path: str | Path) -> None:
    """Write predictions of excerpts as JSON lines, in the order of the excerpts.

    Raises:
        StanceError: a pair has no prediction, or two excerpts share an id.
        DataError: the file cannot be written.
    """
    _by_id(excerpts)
    judgements = match_predictions(excerpts, predictions)
    rows = sorted([*judgements.listed, *judgements.targets], key=lambda j: j.excerpt)
    with _writable(path, "w") as file:
        for row in rows:
            record = _to_record(excerpts[row.excerpt].id, row.prediction)
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


@contextmanager
def _writable(path: str | Path, mode: str) -> Iterator[TextIO]:
    try:
        with Path(path).open(mode, encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield cast(TextIO, file)
    except OSError as error:
        raise DataError.unwritable(path, error) from None


def load_predictions(path: str | Path, excerpts: Sequence[Excerpt]) -> list[Prediction]:
    """Read predictions of these excerpts from a file of ``save_predictions``, of ``stance evaluate`` or of others.

    They come in the order of the excerpts; ``relation`` may be missing.

    Raises:
        DataError: a row breaks the format, names no such excerpt or target, or comes twice; the message names the line.
    """
    known = _by_id(excerpts)
    found: dict[tuple[int, _Place], Prediction] = {}
    for line, record in read_json_lines(Path(path)):
        try:
            number, prediction = _prediction(record, known, excerpts)
            key = (number, _place(prediction.pair))
            if key in found:
                raise StanceError(f"expected each pair once; got {record['id']!r} with it twice; remove one")
        except StanceError as error:
            raise DataError(str(error), path, line) from None
        found[key] = prediction
    return [found[key] for key in sorted(found, key=lambda key: key[0])]


def _by_id(excerpts: Iterable[Excerpt]) -> dict[str, int]:
    known: dict[str, int] = {}
    for number, excerpt in enumerate(excerpts):
        if known.setdefault(excerpt.id, number) != number:
            raise StanceError(f"expected each excerpt id once; got {excerpt.id!r} twice; give each its own")
    return known


def _to_record(excerpt_id: str, prediction: Prediction) -> dict[str, Any]:
    pair = prediction.pair
    return {
        "id": excerpt_id,
        "holder": holder_field(pair.holder),
        "target": [pair.target.start, pair.target.end],
        "probabilities": {str(s): round(float(prediction.probabilities[s]), 6) for s in Stance},
        "stances": [str(s) for s in Stance if s in prediction.stances],
        "relation": prediction.relation,
    }


def _prediction(
    record: Mapping[str, Any], known: Mapping[str, int], excerpts: Sequence[Excerpt]
) -> tuple[int, Prediction]:
    if not _KEYS - {"relation"} <= set(record) <= _KEYS:
        raise StanceError(f"expected the keys {sorted(_KEYS)}; got {sorted(record)}; correct them")
    if not isinstance(record["id"], str) or record["id"] not in known:
        raise StanceError(f"expected the id of an excerpt; got {record['id']!r}; give the file that was predicted")
    number = known[record["id"]]
    excerpt = excerpts[number]
    target = _span(record["target"], excerpt, "target")
    value = record["holder"]
    holder: Holder = AUTHOR if value is None else ANY if value == "any" else _span(value, excerpt, "holder")
    relation = record.get("relation")
    if relation is not None and relation not in list(PLOVER_ROOTS):
        raise StanceError(f"expected a PLOVER root out of {list(PLOVER_ROOTS)}; got {relation!r}; correct it")
    if not isinstance(record["stances"], list) or not all(isinstance(s, str) for s in record["stances"]):
        raise StanceError(f"expected 'stances' as a list of names; got {record['stances']!r}; correct it")
    pair = Pair(excerpt.sentence, holder, target)
    stances = parse_stances(record["stances"])
    return number, Prediction(pair, _probabilities(record["probabilities"]), stances, (target,), relation=relation)


def _span(value: object, excerpt: Excerpt, what: str) -> Mention:
    if not (isinstance(value, list) and len(value) == 2 and all(type(i) is int for i in value)):
        raise StanceError(f"expected {what} as [start, end]; got {value!r}; give two character offsets")
    for mention in (*excerpt.mentions, *excerpt.holders):
        if [mention.start, mention.end] == value:
            return mention
    start, end = value
    if not 0 <= start < end <= len(excerpt.text):
        raise StanceError(f"expected {what} inside {excerpt.id!r}; got {value!r}; give the file that was predicted")
    return Mention(start, end, Target(excerpt.text[start:end]))


def _probabilities(value: object) -> dict[Stance, float]:
    names = [str(s) for s in Stance]
    if not isinstance(value, dict) or set(value) != set(names):
        raise StanceError(f"expected 'probabilities' of {', '.join(names)}; got {value!r}; give all three")
    for probability in value.values():
        if type(probability) not in (int, float) or not 0 <= probability <= 1:
            raise StanceError(f"expected probabilities from 0 to 1; got {probability!r}; correct it")
    return {s: float(value[s]) for s in Stance}
