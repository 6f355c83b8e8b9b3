"""The shipped model on the seed article: what a newcomer sees first must be right."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stance import AUTHOR, Document, Excerpt, Mention, Stance, StanceClassifier, load_excerpts
from stance.classifier import Backend
from stance.folder import CARD_FILE, ONNX_FILE, WEIGHTS_FILE, locate_model
from stance.model import TorchForward

ROOT = Path(__file__).parents[1]
ARTICLE = ROOT / "seeds" / "seed_article.txt"
SUPPORT, OPPOSE, COOPERATE = Stance.SUPPORT, Stance.OPPOSE, Stance.COOPERATE

# (excerpt, holder, target, stances that nobody would dispute)
UNDISPUTED = [
    ("article-0002", "China", "Iran", {COOPERATE}),
    ("article-0003", "China", "Iran", {SUPPORT, COOPERATE}),
    ("article-0003", "Xi Jinping", "Iran", {SUPPORT, COOPERATE}),
    ("article-0005", "China", "Iran", {COOPERATE}),
    ("article-0005", "Iran", "China", {COOPERATE}),
    ("article-0008", "China", "Iran", {SUPPORT, COOPERATE}),
    ("article-0009", "China", "Iran", {SUPPORT, COOPERATE}),
    ("article-0010", "China", "Iran", {COOPERATE}),
    ("article-0010", "Xi", "Iran", {COOPERATE}),
    ("article-0011", "Rouhani", "China", {SUPPORT}),
    ("article-0012", "Iran", "China", {SUPPORT, COOPERATE}),
    ("article-0012", "Rouhani", "China", {SUPPORT, COOPERATE}),
    ("article-0012", "Rouhani", "one-China policy", {SUPPORT}),
    ("article-0012", "Iran", "Belt and Road", {COOPERATE}),
    ("article-0014", "The Iranian president", "China", {SUPPORT}),
    ("article-0015", "Iran", "China", {COOPERATE}),
    ("article-0015", "Rouhani", "China", {COOPERATE}),
]


# In 8 bit within 0.07 of a threshold, where another processor may turn it round.
CLOSE_IN_8_BIT = {("article-0015", "Iran", "China"), ("article-0015", "Rouhani", "China")}


@pytest.fixture(scope="module", params=["torch", "onnx"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return "torch" if request.param == "torch" else "onnx"


@pytest.fixture(scope="module")
def classifier(backend: Backend) -> StanceClassifier:
    return StanceClassifier.from_pretrained(backend=backend, device="cpu")


@pytest.fixture(scope="module")
def excerpts() -> dict[str, Excerpt]:
    return {e.id: e for e in load_excerpts(ROOT / "seeds" / "seed_article.jsonl")}


@pytest.fixture(scope="module")
def document(classifier: StanceClassifier) -> Document:
    return classifier.predict(ARTICLE.read_text(encoding="utf-8"), holders=True)


@pytest.mark.parametrize(("excerpt", "holder", "target", "stances"), UNDISPUTED)
def test_undisputed_pair(  # noqa: PLR0917  # parameters and fixtures
    backend: Backend,
    classifier: StanceClassifier,
    excerpts: dict[str, Excerpt],
    excerpt: str,
    holder: str,
    target: str,
    stances: set[Stance],
) -> None:
    chosen = excerpts[excerpt]
    pairs = [p for p in chosen.to_pairs()[0] if (str(p.holder), str(p.target)) == (holder, target)]
    assert pairs
    right = all(prediction.stances == stances for prediction in classifier.predict_pairs(pairs))
    if backend == "onnx" and (excerpt, holder, target) in CLOSE_IN_8_BIT and not right:
        pytest.xfail("close to a threshold in 8 bit")
    assert right


def test_no_oppose_between_china_and_iran(document: Document) -> None:
    chinese, iranian = {"China", "Xi Jinping"}, {"Iran", "Hassan Rouhani"}
    for p in document:
        sides = {str(p.holder), p.target.name}
        if sides & chinese and sides & iranian:
            assert OPPOSE not in p.stances, (p.sentence.text, str(p.holder), p.target.name)


def test_library_finds_holders_and_targets_by_itself(document: Document) -> None:
    found = {(str(p.holder), p.target.name): set[Stance]() for p in document}
    for p in document:
        found[str(p.holder), p.target.name] |= p.stances
    assert found["China", "Iran"] >= {SUPPORT, COOPERATE}
    assert found["Iran", "China"] >= {SUPPORT, COOPERATE}
    assert SUPPORT in found["Hassan Rouhani", "China"]
    assert all(isinstance(p.holder, Mention) or p.holder is AUTHOR for p in document)


def test_document_view_says_what_the_article_says(classifier: StanceClassifier) -> None:
    document = classifier.predict(ARTICLE.read_text(encoding="utf-8"), ["Iran", "China"])
    overview = document.stances(by="state")
    assert overview.between("China", "Iran") == {SUPPORT, COOPERATE}
    assert overview.between("Iran", "China") == {SUPPORT, COOPERATE}


def test_document_view_says_what_iran_stands_against(classifier: StanceClassifier) -> None:
    document = classifier.predict(ARTICLE.read_text(encoding="utf-8"), ["unilateralism"])
    assert document.stances(by="state").between("Iran", "unilateralism") == {OPPOSE}


def test_the_same_stance_whoever_the_reader_asks_for(classifier: StanceClassifier) -> None:
    text = ARTICLE.read_text(encoding="utf-8")
    asked = classifier.predict(text, ["Iran"])
    free = [p for p in classifier.predict(text) if p.target.name == "Iran"]
    assert [p.sentence for p in asked] == [p.sentence for p in free]
    exact = isinstance(classifier.scorer.forward, TorchForward)
    for one, other in zip(asked, free, strict=True):
        # int8 takes the scale of its inputs from the whole batch, so other company moves a probability a little.
        assert list(one.probabilities.values()) == pytest.approx(
            list(other.probabilities.values()), abs=1e-5 if exact else 0.1
        )
        assert one.stances == other.stances or not exact


def test_shipped_folder_is_whole_and_small() -> None:
    folder = locate_model(None)
    for name in (WEIGHTS_FILE, ONNX_FILE, CARD_FILE):
        assert 0 < (folder / name).stat().st_size < 100e6
    header = json.loads((folder / WEIGHTS_FILE).read_bytes()[8:].split(b"}}", 1)[0].decode() + "}}")
    assert {tensor["dtype"] for key, tensor in header.items() if key != "__metadata__"} == {"F16"}


def test_loading_and_predicting_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for backend in ("torch", "onnx"):
        assert len(StanceClassifier.from_pretrained(backend=backend).predict("Iran thanked China.")) == 2


def test_command_labels_the_article_in_five_seconds() -> None:
    command = [sys.executable, "-m", "stance.cli", "predict", str(ARTICLE)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True, cwd=ROOT)
    assert time.perf_counter() - start < 5
    assert "-> Iran" in done.stdout
    assert done.stderr == ""
