from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, BertConfig, MPNetConfig, RobertaConfig

from stance.classifier import StanceClassifier
from stance.errors import ModelError
from stance.folder import CONFIG_FILE, SETTINGS_FILE, TOKENIZER_FILE, WEIGHTS_FILE, ModelSettings
from stance.labels import PLOVER_ROOTS
from stance.loading import load_scorer
from stance.model import StanceConfig, StanceModel, TorchForward, batch_tensors, load_torch, position_offset
from stance.packing import MODEL_INPUTS, collate
from stance.pairs import ANY, AUTHOR, Holder, Pair
from stance.scoring import CPU_TOKENS, GPU_TOKENS, PairScorer
from stance.sentences import Sentence
from stance.targets import Mention, Target
from tests.conftest import RECORD, WORDS, tiny_encoder, tiny_model, tiny_settings, tiny_tokenizer
from training.build import save_model

JSON_FILES = (CONFIG_FILE, TOKENIZER_FILE, SETTINGS_FILE)
CPU = torch.device("cpu")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def roberta_scorer() -> PairScorer:
    """Make a tiny RoBERTa, whose positions count from ``pad_token_id + 1``, with the tiny tokenizer."""
    return scorer_of(RobertaConfig, 0)


def mpnet_scorer(text_layers: int = 0) -> PairScorer:
    """Make a tiny MPNet, which counts like RoBERTa and weighs distances too, heavily here."""
    scorer = scorer_of(MPNetConfig, text_layers)
    with torch.no_grad():
        network(scorer).encoder.encoder.relative_attention_bias.weight.normal_()
    return scorer


def scorer_of(kind: type[RobertaConfig | MPNetConfig], text_layers: int) -> PairScorer:
    tokenizer = tiny_tokenizer()
    encoder = kind(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=52,
        pad_token_id=1,
    )
    model = loud_model(StanceConfig(encoder=encoder, max_text=46, text_layers=text_layers))
    saved = tiny_settings()
    counted = ModelSettings(
        cls_token=saved.cls_token,
        sep_token=saved.sep_token,
        pad_token="[UNK]",
        max_length=saved.max_length,
        position_offset=position_offset(encoder),
        library_version=saved.library_version,
    )
    return PairScorer(tokenizer, counted, TorchForward(model, CPU))


def deep_scorer() -> PairScorer:
    """Make a tiny BERT whose markers join behind two of its three layers."""
    tokenizer = tiny_tokenizer()
    encoder = tiny_encoder(tokenizer, num_hidden_layers=3)
    model = loud_model(StanceConfig(encoder=encoder, max_text=46, text_layers=2))
    return PairScorer(tokenizer, tiny_settings(), TorchForward(model, CPU))


def loud_model(config: StanceConfig) -> StanceModel:
    """Make a model whose fresh head is not near 0.5 everywhere, which would hide mistakes."""
    torch.manual_seed(3)
    model = StanceModel(config)
    with torch.no_grad():
        model.stances.weight.mul_(40)
    return model


@pytest.fixture(scope="module", params=["bert", "roberta", "deep bert", "mpnet", "deep mpnet"])
def scorer(request: pytest.FixtureRequest, tiny_classifier: StanceClassifier) -> PairScorer:
    scorers: dict[str, Callable[[], PairScorer]] = {
        "bert": lambda: tiny_classifier.scorer,
        "roberta": roberta_scorer,
        "deep bert": deep_scorer,
        "mpnet": mpnet_scorer,
        "deep mpnet": lambda: mpnet_scorer(1),
    }
    return scorers[request.param]()


def states_of(output: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Take the states out of what a layer gives: MPNet's hand them back in a tuple."""
    return output[0] if isinstance(output, tuple) else output


def network(scorer: PairScorer) -> StanceModel:
    assert isinstance(scorer.forward, TorchForward)
    return scorer.forward.model


def make_pair(words: list[str], holder: Holder | int, target: int) -> Pair:
    """Pair words of a sentence by number."""
    starts = np.cumsum([0, *(len(w) + 1 for w in words)]).tolist()

    def mention(i: int) -> Mention:
        return Mention(starts[i], starts[i] + len(words[i]), Target(words[i]))

    return Pair(Sentence.of(" ".join(words)), mention(holder) if isinstance(holder, int) else holder, mention(target))


@st.composite
def pair_lists(draw: st.DrawFn) -> list[Pair]:
    """Draw pairs of a few sentences, some longer than the model reads at once."""
    words = st.lists(st.sampled_from([w for w in WORDS if w.isalpha()]), min_size=1, max_size=12)
    long = st.lists(st.sampled_from(["iran", "china", "met", "negotiators"]), min_size=30, max_size=70)
    pairs = []
    for sentence in draw(st.lists(words | long, min_size=1, max_size=4)):
        place = st.integers(0, len(sentence) - 1)
        holders = st.sampled_from([AUTHOR, ANY]) | place
        for holder, target in draw(st.lists(st.tuples(holders, place), min_size=1, max_size=6)):
            pairs.append(make_pair(sentence, holder, target))
    return draw(st.permutations(pairs))


@given(pairs=pair_lists(), max_tokens=st.sampled_from([1, 60, 200, 4096]))
@settings(max_examples=30)
def test_a_pair_is_judged_the_same_whatever_rides_along(scorer: PairScorer, pairs: list[Pair], max_tokens: int) -> None:
    together = scorer.score(pairs, max_tokens)
    for i, pair in enumerate(pairs):
        alone = scorer.score([pair])
        assert together.probabilities[i] == pytest.approx(alone.probabilities[0], abs=1e-5)
        assert together.relations[i] == pytest.approx(alone.relations[0], abs=1e-5)
        assert together.truncated[i] == alone.truncated[0]


@given(pairs=pair_lists())
@settings(max_examples=15)
def test_text_states_are_those_of_the_bare_encoder(scorer: PairScorer, pairs: list[Pair]) -> None:
    model = network(scorer)
    rows = scorer.pack(pairs)
    batch = collate(rows, scorer.packing)
    seen: list[torch.Tensor] = []
    hook = model.encoder.encoder.layer[-1].register_forward_hook(lambda *call: seen.append(states_of(call[-1])))
    try:
        scorer.forward(batch)
    finally:
        hook.remove()
    for row, states in zip(rows, seen[0], strict=True):
        ids = [scorer.packing.cls_id, *row.tokens.tolist(), scorer.packing.sep_id]
        with torch.inference_mode():
            bare = model.encoder(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids))).last_hidden_state[0]
        assert torch.allclose(states[: len(ids)], bare, atol=1e-5)


def test_holder_modes_and_places_are_told_apart(scorer: PairScorer) -> None:
    words = ["iran", "thanks", "china", "and", "russia"]
    pairs = [make_pair(words, holder, target) for holder in (0, 2, AUTHOR, ANY) for target in (2, 4)]
    probabilities = scorer.score(pairs).probabilities
    distances = np.abs(probabilities[:, None] - probabilities[None]).max(axis=2)
    assert distances[~np.eye(len(pairs), dtype=np.bool_)].min() > 1e-3


def test_position_offset_is_that_of_the_encoder_family() -> None:
    assert position_offset(BertConfig()) == 0
    assert position_offset(RobertaConfig()) == 2
    assert position_offset(RobertaConfig(pad_token_id=5)) == 6
    assert position_offset(MPNetConfig()) == 2


def test_longest_row_fits_the_position_table_of_a_roberta() -> None:
    roberta = roberta_scorer()
    batch = collate(roberta.pack([make_pair(["iran"] * 90, 3, 80)]), roberta.packing)
    assert batch.position_ids.min() >= 2
    assert batch.position_ids.max() < network(roberta).encoder.config.max_position_embeddings
    roberta.forward(batch)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("auto", [True, False])
def test_network_round_trips_through_a_local_folder(scorer: PairScorer, tmp_path: Path, auto: bool) -> None:
    model = network(scorer)
    model.save_pretrained(tmp_path)
    if auto:
        assert isinstance(AutoConfig.from_pretrained(tmp_path), StanceConfig)
    loaded: Any = (AutoModel if auto else StanceModel).from_pretrained(tmp_path)
    loaded.eval()
    assert type(loaded) is StanceModel
    assert (loaded.config.max_text, loaded.config.relations) == (46, list(PLOVER_ROOTS))
    batch = collate(scorer.pack([make_pair(["iran", "met", "china"], 0, 2)]), scorer.packing)
    with torch.inference_mode():
        before, after = (m(**batch_tensors(batch, CPU)) for m in (model, loaded))
    assert torch.allclose(before.logits, after.logits, atol=1e-5)
    assert torch.allclose(before.relation_logits, after.relation_logits, atol=1e-5)


@pytest.mark.usefixtures("no_network")
def test_saved_folder_gives_the_probabilities_of_the_model_that_was_saved(tmp_path: Path, scorer: PairScorer) -> None:
    save_model(network(scorer), scorer.tokenizer, scorer.settings, RECORD, tmp_path / "model", onnx=False)
    loaded = load_scorer(tmp_path / "model", backend="torch", device="cpu")
    words = ["iran", "thanks", "china", "and", "negotiators"]
    pairs = [make_pair(words, holder, target) for holder in (0, AUTHOR, ANY) for target in (2, 4)]
    assert loaded.settings == scorer.settings
    assert network(loaded).dtype == torch.float32
    assert loaded.score(pairs).probabilities == pytest.approx(scorer.score(pairs).probabilities, abs=0.02)


def test_saving_leaves_the_model_in_memory_as_it_is(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    save_model(model, tokenizer, tiny_settings(), RECORD, tmp_path / "model", onnx=False)
    assert all(torch.equal(v, before[k]) and v.dtype == before[k].dtype for k, v in model.state_dict().items())


def test_weights_are_saved_in_16_bit_without_a_pickle(tiny_folder: Path) -> None:
    assert {v.dtype for v in load_file(tiny_folder / WEIGHTS_FILE).values()} == {torch.float16}
    assert {p.suffix for p in tiny_folder.iterdir()} == {".json", ".safetensors", ".md"}


def test_no_path_of_this_machine_is_written(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    encoder = BertConfig.from_dict({**tiny_model(tokenizer).config.encoder, "_name_or_path": str(tmp_path / "encoder")})
    assert encoder.name_or_path == str(tmp_path / "encoder")
    model = StanceModel(StanceConfig(encoder=encoder, max_text=46))
    save_model(model, tokenizer, tiny_settings(), RECORD, tmp_path / "first", onnx=False)
    again = load_torch(tmp_path / "first", torch.device("cpu")).model
    save_model(again, tokenizer, tiny_settings(), RECORD, tmp_path / "second", onnx=False)
    for file in [*(tmp_path / "first").iterdir(), *(tmp_path / "second").iterdir()]:
        assert str(tmp_path).encode() not in file.read_bytes(), file.name


def without_tensor(name: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS_FILE)
        del weights[name]
        save_file(weights, folder / WEIGHTS_FILE, {"format": "pt"})

    return harm


def with_tensor(name: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS_FILE)
        save_file({**weights, name: torch.zeros(5)}, folder / WEIGHTS_FILE, {"format": "pt"})

    return harm


def with_text(name: str, text: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8")

    return harm


def halve_weights(folder: Path) -> None:
    data = (folder / WEIGHTS_FILE).read_bytes()
    (folder / WEIGHTS_FILE).write_bytes(data[: len(data) // 2])


def join_markers_behind_the_last_layer(folder: Path) -> None:
    record = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    record["text_layers"] = record["encoder"]["num_hidden_layers"]
    (folder / CONFIG_FILE).write_text(json.dumps(record), encoding="utf-8")


def take_a_marker_out(folder: Path) -> None:
    record = json.loads((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
    record["added_tokens"] = [t for t in record["added_tokens"] if t["content"] != "[T]"]
    (folder / TOKENIZER_FILE).write_text(json.dumps(record), encoding="utf-8")


HARMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "half of the weights": (halve_weights, "expected a whole model in "),
    "empty weights": (with_text(WEIGHTS_FILE, ""), "expected a whole model in "),
    "no weights": (lambda folder: (folder / WEIGHTS_FILE).unlink(), "expected a whole model in "),
    "no head": (without_tensor("stances.weight"), "'stances.weight' amiss"),
    "no embeddings": (without_tensor("encoder.embeddings.word_embeddings.weight"), "word_embeddings.weight' amiss"),
    "a tensor of another shape": (with_tensor("stances.bias"), "'stances.bias' amiss"),
    "a tensor too many": (with_tensor("more.bias"), "'more.bias' amiss"),
    "another model's config": (
        with_text(CONFIG_FILE, json.dumps(BertConfig(hidden_size=32, num_attention_heads=4).to_dict())),
        "expected ",
    ),
    "no layer for the markers": (join_markers_behind_the_last_layer, "expected text_layers below the encoder's "),
    "tokenizer without a marker": (take_a_marker_out, "expected token '[T]' in tokenizer.json; got none"),
    **{
        f"{name} of {text!r}": (with_text(name, text), "expected ")
        for name in JSON_FILES
        for text in ("", "{", "{}", "null")
    },
}


@pytest.mark.parametrize(("harm", "reason"), HARMS.values(), ids=HARMS)
def test_damaged_folder_is_one_clear_error(
    tiny_folder: Path, tmp_path: Path, harm: Callable[[Path], None], reason: str
) -> None:
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "damaged"))
    harm(folder)
    with pytest.raises(ModelError, match=r"^expected .+; got .+; .+") as caught:
        StanceClassifier.from_pretrained(folder, backend="torch", device="cpu")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_loading_is_silent(tiny_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load_scorer(tiny_folder, backend="torch", device="cpu")
    assert capfd.readouterr() == ("", "")


def test_half_precision_answers_nearly_the_same(tiny_classifier: StanceClassifier) -> None:
    pairs = [make_pair(WORDS[:n], 0, n - 1) for n in range(2, 9)]
    whole = tiny_classifier.scorer
    half = PairScorer(whole.tokenizer, whole.settings, TorchForward(network(whole), CPU, half=True))
    assert not TorchForward(network(whole), CPU).half
    one, other = whole.score(pairs).probabilities, half.score(pairs).probabilities
    assert other.dtype == np.float32
    assert 0 < np.abs(one - other).max() < 0.05


def test_a_gpu_takes_large_batches_from_pinned_memory(
    tiny_classifier: StanceClassifier, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[object] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        moves.append("pinned")
        return tensor

    def move(tensor: torch.Tensor, device: torch.device, non_blocking: bool) -> torch.Tensor:
        moves.append((device.type, non_blocking))
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.Tensor, "to", move)
    batch = collate(tiny_classifier.scorer.pack([make_pair(WORDS[:4], 0, 3)]), tiny_classifier.scorer.packing)
    n = len(MODEL_INPUTS)
    for kind, expected in (("cpu", [("cpu", True)] * n), ("cuda", ["pinned"] * n + [("cuda", True)] * n)):
        moves.clear()
        assert len(batch_tensors(batch, torch.device(kind))) == n
        assert moves == expected
    monkeypatch.undo()
    monkeypatch.setattr("stance.model.find_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr("stance.model.load_torch", lambda *_: tiny_classifier.scorer.forward)
    assert load_scorer(tiny_folder).max_tokens == GPU_TOKENS > CPU_TOKENS == tiny_classifier.scorer.max_tokens
