"""Baseline on a frozen encoder: its states of holder, target and sentence, with logistic regression on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from benchmarks.baselines import Regression
from stance.errors import ConfigError
from stance.pairs import AUTHOR, Pair
from stance.scoring import FloatArray
from stance.targets import Mention

BATCH = 32
"""Sentences encoded at once."""


class FrozenEncoder(Regression):
    """Logistic regression on the mean states of holder, target and sentence, and holder times target.

    The author is the state of the first token, anybody the mean of the sentence. Sentences longer than the encoder
    takes are cut; a span in the part cut off has a state of zeros.

    Raises:
        ConfigError: the path is no encoder with a fast tokenizer.
    """

    name = "frozen encoder + LR"

    def __init__(self, path: str) -> None:
        super().__init__(make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200)))
        logging.disable_progress_bar()
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(path)
            self.encoder = AutoModel.from_pretrained(path)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"expected an encoder; got {path!r} ({reason}); give a local folder") from None
        self.encoder.train(mode=False)

    def features(self, pairs: Sequence[Pair]) -> FloatArray:
        """Pool the states of each pair, ``(n_pairs, 4 * hidden)``; a sentence is encoded once."""
        by_text: dict[str, list[int]] = {}
        for i, pair in enumerate(pairs):
            by_text.setdefault(pair.sentence.text, []).append(i)
        texts = sorted(by_text, key=len)
        rows = np.zeros((len(pairs), 4 * self.encoder.config.hidden_size), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            for text, (states, offsets) in zip(batch, self._encode(batch), strict=True):
                for i in by_text[text]:
                    rows[i] = _pooled(pairs[i], states, offsets)
        return rows

    @torch.no_grad()
    def _encode(self, texts: list[str]) -> list[tuple[FloatArray, NDArray[np.int64]]]:
        """Give the states ``(n_tokens, hidden)`` and offsets ``(n_tokens, 2)`` of each text."""
        length = self.encoder.config.max_position_embeddings
        fields: Any = self.tokenizer(
            texts, padding=True, truncation=True, max_length=length, return_offsets_mapping=True, return_tensors="pt"
        )
        offsets = fields.pop("offset_mapping").numpy()
        states = self.encoder(**fields).last_hidden_state.float().numpy()
        counts = fields["attention_mask"].sum(dim=1).tolist()
        return [(states[i, :n], offsets[i, :n]) for i, n in enumerate(counts)]


def _pooled(pair: Pair, states: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    whole: FloatArray = states.mean(axis=0)
    target = _span_state(pair.target, states, offsets)
    if isinstance(pair.holder, Mention):
        holder = _span_state(pair.holder, states, offsets)
    else:
        holder = states[0] if pair.holder is AUTHOR else whole
    return np.concatenate([holder, target, whole, holder * target])


def _span_state(span: Mention, states: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    inside = (offsets[:, 0] < span.end) & (offsets[:, 1] > span.start)
    state: FloatArray = states[inside].mean(axis=0) if inside.any() else np.zeros_like(states[0])
    return state
