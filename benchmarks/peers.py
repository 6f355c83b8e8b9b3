"""Other ways to judge pairs, for timing: random weights in the sizes of published models, whose answers mean nothing.

Each takes pairs and answers them; sequences of like length share a batch, which is kinder than most are run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from torch import Tensor
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    pipeline,
)

from benchmarks.nli import hypothesis
from stance.folder import TOKENIZER_FILE, ModelSettings, read_settings
from stance.labels import Stance
from stance.model import StanceModel, load_torch
from stance.packing import bucket_rows
from stance.pairs import Pair
from stance.scoring import CPU_TOKENS
from stance.targets import Mention

Judge = Callable[[Sequence[Pair]], object]

NLI_BATCH = 8
"""Sequences in a batch of the zero-shot pipeline."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of an encoder."""

    layers: int
    hidden: int
    heads: int
    inner: int


ROBERTA_LARGE = Size(layers=24, hidden=1024, heads=16, inner=4096)
ROBERTA_BASE = Size(layers=12, hidden=768, heads=12, inner=3072)
MINILM = Size(layers=6, hidden=384, heads=12, inner=1536)


class MarkersInText:
    """The shipped encoder with markers written into the text, and so one encoding per pair: torch, 32 bit."""

    def __init__(self, folder: Path) -> None:
        settings = read_settings(folder)
        self.model: StanceModel = load_torch(folder, torch.device("cpu")).model
        self.tokenizer = local_tokenizer(folder, settings)
        self.marker_ids = [self.tokenizer.vocab[token] for token in settings.marker_tokens]
        self.markers = (settings.marker_tokens[0], settings.marker_tokens[-1])

    def __call__(self, pairs: Sequence[Pair]) -> list[Tensor]:
        """Judge pairs; the head reads seven states of each, as ours does: ``[CLS]`` and, for want of more, markers."""
        texts = [mark(pair, *self.markers) for pair in pairs]
        return in_batches(self.tokenizer, texts, None, self._judge)

    def _judge(self, fields: dict[str, Tensor]) -> Tensor:
        states = self.model.encoder(**fields).last_hidden_state
        is_marker = torch.isin(fields["input_ids"], torch.tensor(self.marker_ids))
        places = is_marker.float().topk(min(6, is_marker.shape[1]), dim=1).indices
        places = torch.cat([places, places.new_zeros(len(places), 7 - places.shape[1])], dim=1)
        read = states.gather(1, places[:, :, None].expand(-1, -1, states.shape[2]))
        logits: Tensor = self.model.stances(self.model.head(read.flatten(1)))
        return logits


class TargetClassifier:
    """A classifier of the sentence with the target as second segment, one encoding per target.

    NewsSentiment (Hamborg and Donnay, EACL 2021) runs RoBERTa-base so; its gated recurrent head is left out.
    """

    def __init__(self, folder: Path, size: Size) -> None:
        settings = read_settings(folder)
        self.tokenizer = local_tokenizer(folder, settings)
        self.model = roberta(self.tokenizer, size)

    def __call__(self, pairs: Sequence[Pair]) -> list[Tensor]:
        """Judge pairs."""
        texts, targets = [p.sentence.text for p in pairs], [str(p.target) for p in pairs]
        return in_batches(self.tokenizer, texts, targets, lambda fields: self.model(**fields).logits)


class ZeroShotPipeline:
    """transformers' zero-shot classification: one pass per pair and hypothesis, of which there is one per stance."""

    def __init__(self, folder: Path, size: Size, *, architecture: str = "roberta") -> None:
        tokenizer = local_tokenizer(folder, read_settings(folder))
        model = (roberta if architecture == "roberta" else bert)(tokenizer, size)
        self.classify: Any = pipeline("zero-shot-classification", model=model, tokenizer=tokenizer, device=-1)

    def __call__(self, pairs: Sequence[Pair]) -> list[Any]:
        """Judge pairs."""
        return [
            self.classify(
                pair.sentence.text,
                candidate_labels=[hypothesis(pair, stance) for stance in Stance],
                hypothesis_template="{}",
                multi_label=True,
                batch_size=NLI_BATCH,
            )
            for pair in pairs
        ]


def mark(pair: Pair, holder: str, target: str) -> str:
    """Write markers around holder and target into the sentence.

    >>> from stance.sentences import Sentence
    >>> from stance.targets import Target
    >>> mali, chad = Mention(0, 4, Target("Mali")), Mention(9, 13, Target("Chad"))
    >>> mark(Pair(Sentence.of("Mali met Chad."), mali, chad), "[H]", "[T]")
    '[H] Mali [H] met [T] Chad [T].'
    """
    text = pair.sentence.text
    spans = [(pair.target, target)] + ([(pair.holder, holder)] if isinstance(pair.holder, Mention) else [])
    for span, marker in sorted(spans, key=lambda s: s[0].start, reverse=True):
        text = f"{text[: span.start]}{marker} {text[span.start : span.end]} {marker}{text[span.end :]}"
    return text


def local_tokenizer(folder: Path, settings: ModelSettings) -> PreTrainedTokenizerFast:
    """Make a tokenizer of transformers from the model folder's, with BERT's template for one and two segments."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    cls, sep = settings.cls_token, settings.sep_token
    tokenizer.post_processor = TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:0 {sep}:0",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (cls, sep)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token=cls,
        sep_token=sep,
        pad_token=settings.pad_token,
        unk_token="[UNK]",
        model_max_length=settings.max_length,
    )


def roberta(tokenizer: PreTrainedTokenizerFast, size: Size) -> PreTrainedModel:
    """Make a RoBERTa classifier of three classes with random weights."""
    config = RobertaConfig(max_position_embeddings=514, **_config(tokenizer, size))
    model: PreTrainedModel = RobertaForSequenceClassification(config).eval()
    return model


def bert(tokenizer: PreTrainedTokenizerFast, size: Size) -> PreTrainedModel:
    """Make a BERT classifier of three classes with random weights."""
    model: PreTrainedModel = BertForSequenceClassification(BertConfig(**_config(tokenizer, size))).eval()
    return model


def _config(tokenizer: PreTrainedTokenizerFast, size: Size) -> dict[str, Any]:
    labels = ("contradiction", "neutral", "entailment")
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "hidden_size": size.hidden,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.inner,
        "id2label": dict(enumerate(labels)),
        "label2id": {label: i for i, label in enumerate(labels)},
    }


def in_batches(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    seconds: Sequence[str] | None,
    judge: Callable[[dict[str, Tensor]], Tensor],
) -> list[Tensor]:
    """Judge sequences in batches of like length, under the token budget that our own backends have."""
    encoded: Any = tokenizer(list(texts), None if seconds is None else list(seconds), truncation=True)
    ids = encoded["input_ids"]
    answers = []
    with torch.inference_mode():
        for bucket in bucket_rows([(len(i), 0) for i in ids], CPU_TOKENS):
            width = max(len(ids[i]) for i in bucket)
            padded = np.full((len(bucket), width), tokenizer.pad_token_id)
            for row, i in enumerate(bucket):
                padded[row, : len(ids[i])] = ids[i]
            input_ids = torch.from_numpy(padded)
            answers.append(
                judge({"input_ids": input_ids, "attention_mask": (input_ids != tokenizer.pad_token_id).long()})
            )
    return answers
