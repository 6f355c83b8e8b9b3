"""The result objects: one prediction per judged pair, one document per text."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from stance.errors import StanceError
from stance.highlights import Highlight, chip, highlight
from stance.labels import Stance
from stance.overview import Evidence, Overview, Party
from stance.pairs import ANY, Holder, Pair
from stance.resolution import How
from stance.sentences import Sentence, encodable
from stance.targets import Mention, Target

if TYPE_CHECKING:
    import pandas as pd

SHOWN_SENTENCES = 200
"""Sentences that a notebook shows of a document by itself; ``Document.to_html`` has all of them."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one sentence says of one pair.

    ``probabilities`` holds one calibrated, independent probability per ``Stance``; ``stances`` those at or over their
    threshold. ``mentions`` are all places where the sentence names the target; ``pair.target`` is the one that decided.
    ``likely_holder`` names whose stance it most likely is where the pair asked for anybody's. ``relation`` is the
    likeliest PLOVER root code of a directed pair and ``relation_probability`` how likely it is among the codes.
    ``truncated`` says that the sentence was too long and the pair was judged on a window around it. ``resolved`` are
    the actors whom the holder's words mean ("The two leaders" mean two) and ``resolution`` how that was found; empty
    and None where no rule settled it, for the author, and with ``resolve=False``. ``abstained`` says that the verdict
    was less sure than the caller asked for: ``stances`` is empty then, and ``withheld`` what it would have been.
    """

    pair: Pair
    probabilities: Mapping[Stance, float]
    stances: frozenset[Stance]
    mentions: tuple[Mention, ...] = ()
    likely_holder: Holder | None = None
    relation: str | None = None
    relation_probability: float | None = None
    truncated: bool = False
    resolved: tuple[Target, ...] = ()
    resolution: How | None = None
    abstained: bool = False
    withheld: frozenset[Stance] = frozenset()

    @property
    def confidence(self) -> float:
        """How likely exactly this verdict is, from 0 to 1: the product of what each stance's decision has for it.

        The stances count as independent, as the model judges them; "none" is a verdict as well.
        """
        verdict = self.stances | self.withheld
        return math.prod(p if s in verdict else 1 - p for s, p in self.probabilities.items())

    def held_to(self, min_confidence: float) -> Prediction:
        """Give this prediction, or one that abstains where its confidence is below ``min_confidence``."""
        if self.abstained or self.confidence >= min_confidence:
            return self
        return replace(self, stances=frozenset(), withheld=self.stances, abstained=True)

    @property
    def sentence(self) -> Sentence:
        """The sentence that was judged."""
        return self.pair.sentence

    @property
    def target(self) -> Mention:
        """The mention of the target that decided; its ``name`` is the target's canonical name."""
        return self.pair.target

    @property
    def holder(self) -> Holder:
        """Whose stance it is: the likeliest holder where the pair asked for anybody's, else the pair's own."""
        return self.pair.holder if self.likely_holder is None else self.likely_holder


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its sentences and predictions; iterating gives the predictions, in the order of the text.

    ``unmatched`` lists the targets asked for that the text never names. ``directed`` are the judgements of a named
    holder or the author that express a stance, whether or not they were asked for; ``states`` is for whom the persons
    of the text speak. Both are what ``stances`` builds on.
    """

    text: str
    sentences: tuple[Sentence, ...]
    predictions: tuple[Prediction, ...]
    unmatched: tuple[Target, ...] = ()
    directed: tuple[Prediction, ...] = field(default=(), repr=False)
    states: Mapping[Target, Target] = field(default_factory=dict, compare=False, repr=False)

    def __repr__(self) -> str:
        return f"<Document of {len(self.sentences)} sentences with {len(self.predictions)} predictions>"

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.predictions)

    def __len__(self) -> int:
        return len(self.predictions)

    def stances(self, by: Literal["actor", "state"] = "actor") -> Overview:
        """Join the sentences: who takes which stance toward whom in the whole text, and which sentences say so.

        It counts directed judgements over their own thresholds and so says the same with ``holders=True`` or without.
        Holders count under the actors they were resolved to, each of them where they are several, and under their own
        words where they were not. ``by="state"`` puts the state or body for which he speaks in a person's place.

        Raises:
            StanceError: ``by`` is something else.
        """
        if by not in ("actor", "state"):
            raise StanceError(f"expected by='actor' or by='state'; got {by!r}; choose one")
        states = self.states if by == "state" else {}
        places = {sentence: i for i, sentence in enumerate(self.sentences)}
        directed = self.directed or [p for p in self.predictions if p.pair.holder is not ANY]
        evidence = []
        for p in directed:
            target = states.get(p.target.target, p.target.target)
            own: Party = p.holder.target if isinstance(p.holder, Mention) else p.holder
            for party in p.resolved or (own,):
                holder = states.get(party, party) if isinstance(party, Target) else party
                evidence.append(Evidence(holder, target, places[p.sentence], p.sentence, p.stances, p.probabilities))
        return Overview.of(evidence)

    def to_records(self) -> list[dict[str, Any]]:
        """Give one JSON-ready dictionary per prediction; every offset counts characters of the document's text."""
        places = {sentence: i for i, sentence in enumerate(self.sentences)}
        return [_record(p, places[p.sentence]) for p in self.predictions]

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas frame with one row per prediction and flat columns; needs pandas.

        Columns: ``sentence_index``, ``sentence_start``, ``sentence_end``, ``sentence``, ``target``, ``target_start``,
        ``target_end``, ``holder``, ``holder_start``, ``holder_end``, ``stances`` (joined by ``|``), ``p_support``,
        ``p_oppose``, ``p_cooperate``, ``confidence``, ``abstained``, ``relation``, ``truncated``, ``resolved`` (joined
        by ``|``), ``resolution``.
        """
        import pandas as pd  # noqa: PLC0415  # a second of import that most roads do not need

        rows = [flat_record(record) for record in self.to_records()]
        frame = pd.DataFrame.from_records(rows, columns=FLAT_COLUMNS)
        return frame.astype({"holder_start": "Int64", "holder_end": "Int64"})

    def to_html(self) -> str:
        """Write the text as an HTML table, a sentence a row, beside it who takes which stance toward whom.

        Targets stand in the colours of the stances toward them, holders are underlined; the colours carry nothing that
        the words beside them do not say.
        """
        return self._html(self.sentences)

    def _repr_html_(self) -> str:
        rest = len(self.sentences) - SHOWN_SENTENCES
        note = f"<p>{rest} further sentences: <code>to_html()</code> writes them all.</p>" if rest > 0 else ""
        return self._html(self.sentences[:SHOWN_SENTENCES]) + note

    def _html(self, sentences: tuple[Sentence, ...]) -> str:
        taken: dict[Sentence, list[Prediction]] = {}
        for prediction in self.predictions:
            if prediction.stances:
                taken.setdefault(prediction.sentence, []).append(prediction)
        rows = "".join(_html_row(sentence, taken.get(sentence, [])) for sentence in sentences)
        legend = " ".join(chip(s, s) for s in Stance)
        return (
            f"<p>Targets: {legend}. Holders: <u>underlined</u>.</p>\n"
            f"<table><thead><tr><th>sentence</th><th>holder → target</th></tr></thead><tbody>{rows}</tbody></table>"
        )


FLAT_COLUMNS = [
    "sentence_index",
    "sentence_start",
    "sentence_end",
    "sentence",
    "target",
    "target_start",
    "target_end",
    "holder",
    "holder_start",
    "holder_end",
    "stances",
    *(f"p_{s}" for s in Stance),
    "confidence",
    "abstained",
    "relation",
    "truncated",
    "resolved",
    "resolution",
]
"""Columns of ``Document.to_frame`` and of CSV output."""


def flat_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten one record of ``Document.to_records`` to ``FLAT_COLUMNS``."""
    sentence, target, holder = record["sentence"], record["target"], record["holder"]
    return {
        "sentence_index": sentence["index"],
        "sentence_start": sentence["start"],
        "sentence_end": sentence["end"],
        "sentence": encodable(sentence["text"]),
        "target": target["name"],
        "target_start": target["start"],
        "target_end": target["end"],
        "holder": holder["name"],
        "holder_start": holder["start"],
        "holder_end": holder["end"],
        "stances": "|".join(record["stances"]),
        **{f"p_{s}": record["probabilities"][s] for s in Stance},
        "confidence": record["confidence"],
        "abstained": record["abstained"],
        "relation": record["relation"],
        "truncated": record["truncated"],
        "resolved": "|".join(actor["name"] for actor in record["resolved"]),
        "resolution": record["resolution"],
    }


def _html_row(sentence: Sentence, taken: list[Prediction]) -> str:
    spans: list[Highlight] = []
    for p in taken:
        spans += [Highlight(m.start, m.end, p.stances) for m in p.mentions or (p.target,)]
        if isinstance(p.holder, Mention):
            spans.append(Highlight(p.holder.start, p.holder.end))
    cells = (highlight(sentence.text, spans), "<br>".join(map(_html_verdict, taken)))
    return "<tr>" + "".join(f'<td style="text-align: left">{cell}</td>' for cell in cells) + "</tr>"


def _html_verdict(prediction: Prediction) -> str:
    meant = ", ".join(t.name for t in prediction.resolved)
    holder = f"{prediction.holder} ({meant})" if meant not in ("", str(prediction.holder)) else prediction.holder
    actors = html.escape(encodable(f"{holder} → {prediction.target}"))
    chips = " ".join(chip(s, f"{s} {prediction.probabilities[s]:.2f}") for s in Stance if s in prediction.stances)
    return f"{actors}: {chips}{' (judged on a part)' if prediction.truncated else ''}"


def _record(prediction: Prediction, index: int) -> dict[str, Any]:
    sentence = prediction.sentence
    return {
        "sentence": {"index": index, "start": sentence.start, "end": sentence.end, "text": sentence.text},
        "target": _actor(prediction.target, sentence),
        "holder": _actor(prediction.holder, sentence),
        "stances": [str(s) for s in Stance if s in prediction.stances],
        "probabilities": {str(s): round(prediction.probabilities[s], 4) for s in Stance},
        "confidence": round(prediction.confidence, 4),
        "abstained": prediction.abstained,
        "relation": prediction.relation,
        "mentions": [[sentence.start + m.start, sentence.start + m.end] for m in prediction.mentions],
        "truncated": prediction.truncated,
        "resolved": [{"name": t.name, "id": t.id} for t in prediction.resolved],
        "resolution": None if prediction.resolution is None else str(prediction.resolution),
    }


def _actor(actor: Holder, sentence: Sentence) -> dict[str, Any]:
    if not isinstance(actor, Mention):
        return {"name": str(actor), "id": None, "start": None, "end": None}
    start, end = sentence.start + actor.start, sentence.start + actor.end
    return {"name": actor.name, "id": actor.target.id, "start": start, "end": end}
