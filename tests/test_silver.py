import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stance.classifier import StanceClassifier
from stance.errors import ConfigError, DataError
from stance.excerpts import Excerpt
from stance.labels import Polarity, Stance
from stance.loading import load_scorer
from stance.model import TorchForward
from stance.pairs import ANY, AUTHOR, Pair
from stance.scoring import PairScorer
from stance.sentences import Sentence
from stance.targets import Mention, Target
from tests.conftest import tiny_model, tiny_settings, tiny_tokenizer
from tests.test_training import DEV, TRAIN, settings_for, workshop, write_corpus
from training.config import CorpusSettings, StageSettings, load_settings
from training.data import Corpora, load_corpora
from training.examples import JudgedSentence, draw_pairs, judged_sentences, make_dataset, with_second
from training.losses import EXACT
from training.silver import read_silver, silver_row, write_silver
from training.standoff import digest
from training.teach import draw_pool, main, mean_probabilities, pairs_to_judge

__all__ = ["workshop"]

TEXT = "Iran thanks China and Russia ."
SPEECH = "Mr. President,\nIran thanks China\n  and Russia ."
IRAN, CHINA, RUSSIA = (Mention(a, b, Target(TEXT[a:b])) for a, b in ((0, 4), (12, 17), (22, 28)))
SENTENCE = Sentence.of(TEXT)
PAIRS = [Pair(SENTENCE, *who) for who in ((IRAN, CHINA), (AUTHOR, CHINA), (ANY, RUSSIA))]
LEVELS = np.array([[0.9, 0.0, 0.4], [0.2, 0.01, 0.0], [1.0, 0.0, 0.6]], dtype=np.float32)
WHERE = {"source": "assembly", "document": "IRN", "span": [SPEECH.index("Iran"), len(SPEECH)], "digest": digest(TEXT)}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    with gzip.open(folder / "assembly.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"id": "IRN", "text": SPEECH}) + "\n")
    return folder


def test_silver_labels_come_back_with_the_sentence_they_stand_off_from(tmp_path: Path, texts: Path) -> None:
    write_silver([silver_row(WHERE, PAIRS, LEVELS)], tmp_path / "silver")
    (sentence,) = read_silver(tmp_path / "silver", texts)
    assert (sentence.text, sentence.pairs, sentence.mentions) == (TEXT, PAIRS, None)
    assert np.asarray(sentence.labels) == pytest.approx(LEVELS, abs=0.6 / 255)
    assert sentence.relations == [None] * 3
    assert TEXT.encode() not in gzip.decompress((tmp_path / "silver" / "train.jsonl.gz").read_bytes())


def test_the_same_silver_labels_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_silver([silver_row(WHERE, PAIRS, LEVELS)], tmp_path / name)
    one, other = ((tmp_path / name / "train.jsonl.gz").read_bytes() for name in ("one", "other"))
    assert one == other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": digest("Iran left.")}, "expected the sentence annotated as 'IRN'; got 'Iran thanks China"),
        ({"document": "CHN"}, "expected the source of 'CHN' to hold it"),
        ({"pairs": [[0, 9], [0, 1], [1, 2]]}, "expected a row of silver labels; got IndexError"),
        ({"probabilities": "ff"}, "expected a row of silver labels; got ValueError"),
        ({"source": "nowhere"}, r"expected nowhere.jsonl.gz or a corpus 'nowhere' here"),
    ],
)
def test_faulty_row_of_silver_labels_is_named(
    tmp_path: Path, texts: Path, change: dict[str, Any], message: str
) -> None:
    write_silver([silver_row(WHERE, PAIRS, LEVELS) | change], tmp_path / "silver")
    with pytest.raises(DataError, match=message):
        read_silver(tmp_path / "silver", texts)


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"[]\n", mtime=0), gzip.compress(b"{\n", mtime=0)])
def test_file_that_holds_no_silver_labels_is_refused(tmp_path: Path, texts: Path, content: bytes) -> None:
    (tmp_path / "train.jsonl.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"get the file anew"):
        read_silver(tmp_path, texts)


def test_silver_labels_are_soft_targets_and_likely_ones_are_shown_first(
    tmp_path: Path, texts: Path, tiny_classifier: StanceClassifier
) -> None:
    write_silver([silver_row(WHERE, PAIRS, LEVELS)], tmp_path / "silver")
    (record,) = make_dataset(read_silver(tmp_path / "silver", texts), tiny_classifier.scorer, 2)
    assert record["kinds"] == [EXACT] * 3
    assert np.asarray(record["targets"]) == pytest.approx(LEVELS, abs=0.6 / 255)
    doubtful = replace(
        read_silver(tmp_path / "silver", texts)[0], labels=[(0.9, 0.0, 0.4), (0.05, 0.0, 0.0), (1.0, 0.0, 0.6)]
    )
    (record,) = make_dataset([doubtful], tiny_classifier.scorer, 2)
    for seed in range(10):
        assert min(max(t) for t in draw_pairs(record, 2, np.random.default_rng(seed))["targets"]) > 0.5


@pytest.mark.parametrize("known", [DEV[0], TRAIN[0]], ids=["held out", "annotated in full"])
def test_silver_sentences_are_trained_on_unless_they_are_held_out_or_annotated(
    workshop: Path, tmp_path: Path, texts: Path, known: Excerpt
) -> None:
    assert known.complete
    where = {**WHERE, "document": "KNOWN", "span": [0, len(known.text)], "digest": digest(known.text)}
    with gzip.open(texts / "assembly.jsonl.gz", "at", encoding="utf-8") as file:
        file.write(json.dumps({"id": "KNOWN", "text": known.text}) + "\n")
    known_pair = Pair(known.sentence, ANY, known.mentions[0])
    rows = [silver_row(WHERE, PAIRS, LEVELS), silver_row(where, [known_pair], LEVELS[:1])]
    write_silver(rows, tmp_path / "silver")
    write_corpus(tmp_path / "tiny", TRAIN, DEV)
    corpora = {
        "tiny": CorpusSettings("excerpts", "tiny"),
        "silver": CorpusSettings("silver", "silver", texts="texts"),
    }
    stages = (StageSettings("only", {"tiny": 1.0, "silver": 2.0}),)
    planned = settings_for(workshop, tmp_path, corpora=corpora, stages=stages, corpora_folder=str(tmp_path))
    read = load_corpora(planned)
    assert list(read.second) == ([known.text] if known is TRAIN[0] else [])
    assert [s.text for s in read.silver["silver"]] == [TEXT]
    assert read.fingerprints["silver"]["rows"] == 1
    assert "silver" not in read.train
    (tmp_path / "silver" / "train.jsonl.gz").write_bytes(b"")
    with pytest.raises(ConfigError, match="expected sentences to train on in corpus 'silver'; got none"):
        load_corpora(planned)
    (tmp_path / "silver" / "train.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(ConfigError, match="expected corpus 'silver' to be readable"):
        load_corpora(planned)


def test_second_opinion_on_an_annotated_pair_is_averaged(tiny_classifier: StanceClassifier) -> None:
    known = TRAIN[0]
    (pair, *_), (label, *_) = known.to_pairs()
    other = JudgedSentence(known.text, [pair], [(0.5, 0.5, 0.0)], [None])
    stranger = JudgedSentence(TRAIN[1].text, list(TRAIN[1].to_pairs()[0]), list(TRAIN[1].to_pairs()[1]), [None, None])
    (first, second) = with_second([judged_sentences([known])[0], stranger], {other.text: other})
    place = first.pairs.index(pair)
    assert first.labels[place] == tuple((float(s in label) + p) / 2 for s, p in zip(Stance, (0.5, 0.5, 0), strict=True))
    assert [x for i, x in enumerate(first.labels) if i != place] == judged_sentences([known])[0].labels[:place] + (
        judged_sentences([known])[0].labels[place + 1 :]
    )
    assert second == stranger
    polar = JudgedSentence(known.text, [pair], [Polarity.POSITIVE], [None])
    assert with_second([polar], {other.text: other}) == [polar]
    (record,) = make_dataset([first], tiny_classifier.scorer, 99)
    assert record["targets"][place][1] in {0.25, 0.75}


def test_recipe_reads_silver_labels_with_their_texts(tmp_path: Path) -> None:
    settings = tmp_path / "run.toml"
    corpus, stage = 's = { reader = "silver", folder = "s" }', 'name = "a"\nweights = { s = 1 }'
    settings.write_text(f'output = "m"\n[corpora]\n{corpus}\n[[stages]]\n{stage}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"corpora\.s\.texts with the readers 'standoff' and 'silver' and no other"):
        load_settings(settings)


# Teachers


def corpora_of(train: dict[str, list[Excerpt]], development: dict[str, list[Excerpt]]) -> Corpora:
    return Corpora(train, development)


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """Archives and news corpora of few sentences, and a folder of either."""
    for folder in ("texts", "news/dse", "news/ngec", "news/basil/2010"):
        (tmp_path / folder).mkdir(parents=True)
    document = " ".join(f"Iran number {n} thanked China and Russia for their help." for n in range(30))
    for source in ("un_general_debate", "white_house_statements"):
        lines = [
            {"id": f"{source}-{n}", "text": document.replace("number", f"round {n} {source} of")} for n in range(3)
        ]
        with gzip.open(tmp_path / "texts" / f"{source}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines))
    stories = "".join(
        f'"{"".join(f"France sued Chad in court {s}{n} over the border. " for n in range(5))}"\n' for s in "ab"
    )
    (tmp_path / "news" / "ngec" / "gpt_synthetic_events.csv").write_text(f"text\n{stories}", encoding="utf-8")
    article = {"body-paragraphs": [["The United States and Cuba  resumed talks on Tuesday.", " ", "Too short."]]}
    (tmp_path / "news" / "basil" / "2010" / "a_1.json").write_text(json.dumps(article), encoding="utf-8")
    (tmp_path / "news" / "basil" / "2010" / "a_1_ann.json").write_text("{}", encoding="utf-8")
    return tmp_path


def draw(archives: Path, corpora: Corpora, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str | None]]:
    monkeypatch.setattr("training.teach.NEWS", ("basil", "ngec"))
    drawn = draw_pool(corpora, archives / "texts", archives / "news")
    return [(d.text, d.where["source"], d.where["document"]) for d in drawn]


def test_pool_is_drawn_alike_each_time_and_evenly_over_documents(
    archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = draw(archives, corpora_of({}, {}), monkeypatch)
    assert pool == draw(archives, corpora_of({}, {}), monkeypatch)
    counts: dict[tuple[str, str | None], int] = {}
    for _, source, document in pool:
        counts[source, document] = counts.get((source, document), 0) + 1
    assert counts == {
        **{("un_general_debate", f"un_general_debate-{n}"): 14 for n in range(3)},
        **{("white_house_statements", f"white_house_statements-{n}"): 6 for n in range(3)},
        ("basil", "a_1.json"): 1,
        ("ngec", "0"): 3,
        ("ngec", "1"): 3,
    }
    assert ("The United States and Cuba resumed talks on Tuesday.", "basil", "a_1.json") in pool


def test_pool_has_no_annotated_sentence_and_no_document_of_the_development_split(
    archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = replace(DEV[0], origin=replace(DEV[0].origin, document="un_general_debate-1"))
    annotated = replace(TRAIN[0], text="THE UNITED STATES and Cuba resumed talks, on Tuesday")
    unlabelled = replace(annotated, complete=False)
    developed = replace(DEV[1], text="France sued Chad in court a0 over the border.")
    corpora = corpora_of({"tiny": [annotated]}, {"diplomatic": [held_out], "tiny": [developed]})
    pool = draw(archives, corpora, monkeypatch)
    assert not [d for _, _, d in pool if d in {"un_general_debate-1", "a_1.json"}]
    assert developed.text not in [text for text, _, _ in pool]
    assert [d for _, _, d in draw(archives, corpora_of({"tiny": [unlabelled]}, {}), monkeypatch) if d == "a_1.json"]


def test_pool_takes_its_place_with_each_sentence(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.teach.NEWS", ())
    drawn = draw_pool(corpora_of({}, {}), archives / "texts", archives / "news")
    rows = [
        silver_row(d.where, [Pair(Sentence.of(d.text), ANY, Mention(0, 4, Target("Iran")))], LEVELS[:1]) for d in drawn
    ]
    write_silver(rows, archives / "silver")
    assert [s.text for s in read_silver(archives / "silver", archives / "texts")] == [d.text for d in drawn]
    assert all(d.political for d in drawn)


def test_what_is_to_be_judged_is_what_the_library_judges(tiny_classifier: StanceClassifier) -> None:
    text = "Iran thanks China , and they oppose Russia ."
    (pairs,) = pairs_to_judge([text], tiny_classifier.scorer)
    document = tiny_classifier.predict(text, holders=True)
    shown = {(str(p.holder), p.target.name) for p in document.predictions}
    assert {(str(p.holder), p.target.name) for p in pairs if p.holder is not ANY} == shown
    assert sum(p.holder is ANY for p in pairs) == 3


def loud_scorer(seed: int) -> PairScorer:
    """Make a tiny model whose answers are not near 0.5 everywhere, other ones with another seed."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer)
    with torch.no_grad():
        model.stances.weight.normal_(generator=torch.Generator().manual_seed(seed))
    return PairScorer(tokenizer, tiny_settings(), TorchForward(model, torch.device("cpu")))


def test_silver_labels_are_the_mean_of_what_the_teachers_say() -> None:
    one, other = loud_scorer(1), loud_scorer(2)
    alone = [mean_probabilities([teacher], PAIRS) for teacher in (one, other)]
    assert np.abs(alone[0] - alone[1]).max() > 0.05
    assert mean_probabilities([one, other], PAIRS) == pytest.approx((alone[0] + alone[1]) / 2)


def test_command_labels_what_it_drew(
    archives: Path, workshop: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.teach.NEWS", ("ngec",))
    write_corpus(archives / "news" / "tiny", TRAIN, DEV)
    plan = archives / "teacher.toml"
    plan.write_text(
        f'output = "m"\nencoder = "{(workshop / "encoder").as_posix()}"\n'
        '[corpora]\ntiny = { reader = "excerpts", folder = "tiny" }\n[[stages]]\nname = "a"\nweights = { tiny = 1 }\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("training.teach.locate_model", lambda _: tiny_folder)
    options = ["--settings", str(plan), "--corpora", str(archives / "news"), "--texts", str(archives / "texts")]
    assert main([str(tiny_folder), *options, "--output", str(archives / "out")]) == 0
    political = read_silver(archives / "out" / "silver_political", archives / "texts")
    news = read_silver(archives / "out" / "silver_news", archives / "news")
    assert len(political) == 60
    assert {s.text[:17] for s in news} == {"France sued Chad "}
    expected = mean_probabilities([load_scorer(tiny_folder, backend="torch")], news[0].pairs)
    assert np.asarray(news[0].labels) == pytest.approx(expected, abs=0.01)
