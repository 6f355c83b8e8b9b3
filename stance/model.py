"""StanceModel: one encoder pass per sentence and a small head per pair (torch)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils import logging
from transformers.utils.generic import ModelOutput

from stance.cores import cpu_quota
from stance.errors import ModelError, StanceError
from stance.folder import CONFIG_FILE
from stance.labels import PLOVER_ROOTS, Stance
from stance.packing import ENDS_PER_PAIR, MARKERS_PER_PAIR, MODEL_INPUTS, PackedBatch
from stance.scoring import FloatArray
from stance.tagging import TAGS

BERT_LIKE = {"bert": False, "roberta": True, "xlm-roberta": True, "camembert": True, "mpnet": True}
"""Encoders whose layers take states and a mask and no more, and whether they count positions from ``pad_token_id``."""


class StanceConfig(PretrainedConfig):
    """Settings of a ``StanceModel``.

    ``encoder`` is the configuration of an encoder of ``BERT_LIKE``; ``max_text`` counts word pieces of text, without
    ``[CLS]``, ``[SEP]`` and markers; ``relations`` names the columns of the relation head; ``tagger`` says whether a
    head finds named mentions. ``text_layers`` of the encoder's layers read the text alone before the markers join; 0
    lets them join with the words.
    """

    model_type = "stance"

    def __init__(
        self,
        encoder: PretrainedConfig | Mapping[str, Any] | None = None,
        *,
        max_text: int = 254,
        head_dropout: float = 0.1,
        relations: tuple[str, ...] | list[str] = tuple(PLOVER_ROOTS),
        tagger: bool = False,
        text_layers: int = 0,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder.to_dict() if isinstance(encoder, PretrainedConfig) else dict(encoder or {})
        self.encoder.pop("_name_or_path", None)  # a path of the machine that trained it
        self.max_text = max_text
        self.head_dropout = head_dropout
        self.relations = list(relations)
        self.tagger = tagger
        self.text_layers = text_layers
        super().__init__(**kwargs)

    def encoder_config(self) -> PretrainedConfig:
        """Rebuild the encoder's own configuration object."""
        settings = dict(self.encoder)
        return AutoConfig.for_model(settings.pop("model_type", "bert"), **settings)


@dataclass
class StanceOutput(ModelOutput):
    """What a forward pass gives: ``logits`` ``(n_pairs, 3)`` and ``relation_logits`` ``(n_pairs, n_relations)``.

    ``tag_logits`` ``(n_rows, length, 3)`` has a tag per text column, as ``TAGS``; None without a tagger.
    """

    logits: Tensor = None  # type: ignore[assignment]  # ModelOutput wants defaults; forward always sets both
    relation_logits: Tensor = None  # type: ignore[assignment]
    tag_logits: Tensor | None = None


class StanceModel(PreTrainedModel):
    """Judge every pair of every sentence in one pass of the encoder.

    Takes the arrays of a ``PackedBatch`` as tensors. The head reads, for each pair, ``[CLS]``, its two markers and the
    text states at the ends of holder and target; three independent logits follow ``Stance``, the relation head
    ``config.relations``.
    """

    config_class = StanceConfig
    config: StanceConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: StanceConfig) -> None:
        super().__init__(config)
        encoder_config = config.encoder_config()
        layers = encoder_config.num_hidden_layers
        if not 0 <= config.text_layers < layers:  # the markers would pass no layer
            raise ModelError(
                f"expected text_layers below the encoder's {layers} layers; got {config.text_layers}; "
                f"correct {CONFIG_FILE}"
            )
        self.encoder = AutoModel.from_config(encoder_config, add_pooling_layer=False)
        size = encoder_config.hidden_size
        self.head = nn.Sequential(
            nn.Dropout(config.head_dropout),
            nn.Linear((1 + MARKERS_PER_PAIR + ENDS_PER_PAIR) * size, size),
            nn.GELU(),
            nn.Dropout(config.head_dropout),
        )
        self.stances = nn.Linear(size, len(Stance))
        self.relations = nn.Linear(size, len(config.relations))
        self.tagger = _tagger(size, config.head_dropout) if config.tagger else None
        self.post_init()  # type: ignore[no-untyped-call]  # transformers types it not

    def forward(  # noqa: PLR0917  # the exported graph takes its inputs in this order
        self,
        input_ids: Tensor,
        position_ids: Tensor,
        marker_ids: Tensor,
        marker_ends: Tensor,
        groups: Tensor,
        pair_rows: Tensor,
        markers: Tensor,
        spans: Tensor,
    ) -> StanceOutput:
        """Run the packed pass; see ``PackedBatch`` for the shapes."""
        length, alone = input_ids.shape[1], self.config.text_layers
        layers = self.encoder.encoder.layer
        states = self.encoder.embeddings(input_ids=input_ids, position_ids=position_ids)
        mask = self._mask((groups == 0)[:, None, :length], position_ids)  # (n_rows, 1 or n_heads, 1 or length, length)
        states = _through(layers[:alone], states, mask)
        places = torch.cat([position_ids, _at(position_ids, marker_ends[:, :, 0])], dim=1)
        states = torch.cat([states, self._marker_states(states, position_ids, marker_ids, marker_ends)], dim=1)
        mine = groups[:, :, None] == groups[:, None, :]
        mask = self._mask(mine | (groups == 0)[:, None, :], places)  # (n_rows, ., length + n_markers, the same)
        states = _through(layers[alone:], states, mask)
        rows = pair_rows[:, None]
        columns = torch.cat([torch.zeros_like(rows), markers + length, spans], dim=1)
        read = states[rows, columns]  # (n_pairs, 1 + 2 + 4, size)
        features = self.head(read.flatten(1))
        tags = None if self.tagger is None else self.tagger(states[:, :length])
        return StanceOutput(logits=self.stances(features), relation_logits=self.relations(features), tag_logits=tags)

    def _marker_states(self, states: Tensor, position_ids: Tensor, marker_ids: Tensor, marker_ends: Tensor) -> Tensor:
        """Begin markers, ``(n_rows, n_markers, size)``, as their token at the place they stand for.

        Where they join a text that some layers have read, what these read at both ends of the place is added.
        """
        first, last = marker_ends[:, :, 0], marker_ends[:, :, 1]
        begun: Tensor = self.encoder.embeddings(input_ids=marker_ids, position_ids=_at(position_ids, first))
        return begun + (_at(states, first) + _at(states, last)) / 2 if self.config.text_layers else begun

    def _mask(self, visible: Tensor, places: Tensor) -> Tensor:
        """Turn who sees whom, ``(n_rows, n_queries, n_keys)``, into what attention adds to its scores.

        MPNet also adds, per head, how far apart two places are: ``places`` is ``(n_rows, n_keys)``.
        """
        nothing = torch.zeros(visible.shape, dtype=self.dtype, device=visible.device)
        mask = nothing.masked_fill_(~visible, torch.finfo(self.dtype).min)[:, None]
        if self.config.encoder.get("model_type") == "mpnet":
            bias = self.encoder.encoder.relative_attention_bias
            distances = places[:, None, :] - places[:, :, None]
            buckets = self.encoder.encoder.relative_position_bucket(distances, num_buckets=bias.num_embeddings)
            mask = mask + bias(buckets).permute(0, 3, 1, 2)
        return mask


def _through(layers: Iterable[nn.Module], states: Tensor, mask: Tensor) -> Tensor:
    """Run states through layers, some kinds of which hand back a tuple."""
    for layer in layers:
        out = layer(states, mask)
        states = out[0] if isinstance(out, tuple) else out
    return states


def _at(values: Tensor, columns: Tensor) -> Tensor:
    """Take ``values`` ``(n_rows, length, ...)`` at ``columns`` ``(n_rows, n)`` of their rows."""
    return values[torch.arange(values.shape[0], device=values.device)[:, None], columns]


def _tagger(size: int, dropout: float) -> nn.Module:
    """Make the head that finds mentions: its own hidden layer, because the text's states serve the pairs as well."""
    hidden = (nn.Dropout(dropout), nn.Linear(size, size), nn.GELU(), nn.Dropout(dropout))
    return nn.Sequential(*hidden, nn.Linear(size, len(TAGS)))


def position_offset(encoder_config: PretrainedConfig) -> int:
    """Tell which position id the first token takes: RoBERTa and its kin count from ``pad_token_id + 1``."""
    return int(encoder_config.pad_token_id) + 1 if BERT_LIKE[encoder_config.model_type] else 0


AutoConfig.register("stance", StanceConfig)
AutoModel.register(StanceConfig, StanceModel)


class TorchForward:
    """Run packed batches through a ``StanceModel`` and hand back numpy arrays.

    On a GPU the encoder computes in bfloat16 where the GPU can, from weights and toward logits of 32 bit.
    """

    def __init__(self, model: StanceModel, device: torch.device, *, half: bool | None = None) -> None:
        self.device = device
        self.model: StanceModel = model.to(self.device).eval()  # type: ignore[arg-type]  # torch's own overload is lost
        self.half = device.type == "cuda" and torch.cuda.is_bf16_supported() if half is None else half
        self._process = os.getpid()

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        """Return stance logits ``(n_pairs, 3)`` and relation logits ``(n_pairs, n_relations)``."""
        output = self._run(batch)
        return output.logits.float().cpu().numpy(), output.relation_logits.float().cpu().numpy()

    @property
    def has_tagger(self) -> bool:
        """Whether ``read`` can be called."""
        return self.model.tagger is not None

    def read(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return stance and relation logits, as a call does, and tag logits ``(n_rows, length, 3)``."""
        output = self._run(batch)
        assert output.tag_logits is not None  # callers ask has_tagger
        logits, relations, tags = (
            x.float().cpu().numpy() for x in (output.logits, output.relation_logits, output.tag_logits)
        )
        return logits, relations, tags

    def _run(self, batch: PackedBatch) -> StanceOutput:
        if self._process != os.getpid():
            torch.set_num_threads(1)  # a fork copies no threads, and OpenMP would wait for them for ever
            self._process = os.getpid()
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            output: StanceOutput = self.model(**batch_tensors(batch, self.device))
        return output


def batch_tensors(batch: PackedBatch, device: torch.device) -> dict[str, Tensor]:
    """Move what ``StanceModel.forward`` takes to a device; to a GPU from pinned memory, without waiting for it."""
    tensors = {name: torch.from_numpy(getattr(batch, name)) for name in MODEL_INPUTS}
    if device.type == "cuda":
        tensors = {name: tensor.pin_memory() for name, tensor in tensors.items()}
    return {name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()}


def find_device(name: str | None) -> torch.device:
    """Find a device by name; None is the GPU where there is one, else the CPU.

    Raises:
        StanceError: this machine has no such device.
    """
    if name is None:
        mps = "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device("cuda" if torch.cuda.is_available() else mps)
    try:
        return torch.zeros(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise StanceError(f"expected a device of this machine; got {name!r} ({reason}); choose 'cpu'") from None


def load_torch(folder: Path, device: torch.device, threads: int | None = None) -> TorchForward:
    """Load the network of a model folder in 32 bit.

    ``threads`` holds for all of torch in this process; None leaves its own choice, down to the container's quota.

    Raises:
        ModelError: weights are missing, or are not those that the configuration describes.
    """
    quota = cpu_quota()
    if threads is None and quota is not None:
        threads = max(1, min(torch.get_num_threads(), int(quota)))
    if threads is not None:
        torch.set_num_threads(threads)
    with _no_progress_bar():
        loaded: Any = StanceModel.from_pretrained(
            folder,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # they are reported below
        )
    model, report = loaded
    mismatched = [key for key, *_ in report["mismatched_keys"]]
    wrong = [*report["missing_keys"], *mismatched, *report["unexpected_keys"]]
    if wrong:
        raise ModelError(
            f"expected the weights that {CONFIG_FILE} describes; got {wrong[0]!r} amiss; copy the folder anew"
        )
    return TorchForward(model, device)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers from drawing its bar while it loads weights."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
