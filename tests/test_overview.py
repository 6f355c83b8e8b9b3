"""The document view, on gold and synthetic judgements."""

from __future__ import annotations

from pathlib import Path

import pytest

from stance import ANY, AUTHOR, Document, Mention, Pair, Prediction, Sentence, Stance, StanceError, Target
from stance.excerpts import load_excerpts
from stance.overview import OVERVIEW_COLUMNS
from stance.resolution import How, resolve_holders
from stance.sentences import split_sentences
from stance.targets import find_holders, find_mentions

SEEDS = Path(__file__).parents[1] / "seeds"
SUPPORT, OPPOSE, COOPERATE = Stance.SUPPORT, Stance.OPPOSE, Stance.COOPERATE
IRAN, CHINA, XI = Target("Iran", id="IRN"), Target("China", id="CHN"), Target("Xi Jinping", id="xi-jinping")
TEXT = "China backs Iran. Xi backs Iran. They met."
FIRST, SECOND, THIRD = split_sentences(TEXT)


def judged(sentence: Sentence, holder: Mention, target: Mention, *stances: Stance, p: float = 0.9) -> Prediction:
    probabilities = {s: p if s in stances else 0.1 for s in Stance}
    return Prediction(Pair(sentence, holder, target), probabilities, frozenset(stances))


@pytest.fixture
def document() -> Document:
    iran = Mention(12, 16, IRAN)
    they = Prediction(
        Pair(THIRD, Mention(0, 4, Target("They", expand=False)), Mention(5, 8, IRAN)),
        {SUPPORT: 0.2, OPPOSE: 0.1, COOPERATE: 0.7},
        frozenset([COOPERATE]),
        resolved=(CHINA, IRAN),
        resolution=How.PAIR,
    )
    directed = (
        judged(FIRST, Mention(0, 5, CHINA), iran, SUPPORT),
        judged(SECOND, Mention(0, 2, XI), Mention(9, 13, IRAN), SUPPORT, p=0.7),
        judged(SECOND, Mention(0, 2, XI), Mention(0, 2, CHINA), SUPPORT),
        they,
    )
    return Document(TEXT, (FIRST, SECOND, THIRD), (), directed=directed, states={XI: CHINA})


def test_by_actor_counts_sentences_and_means_probabilities(document: Document) -> None:
    rows = {(str(r.holder), str(r.target)): r for r in document.stances()}
    assert set(rows) == {("China", "Iran"), ("Xi Jinping", "Iran"), ("Xi Jinping", "China")}
    row = rows["China", "Iran"]
    assert row.counts == {SUPPORT: 1, OPPOSE: 0, COOPERATE: 1}
    assert row.probabilities[SUPPORT] == pytest.approx((0.9 + 0.2) / 2)
    assert row.sentences == (FIRST, THIRD)
    assert row.indices == (0, 2)


def test_by_state_rolls_persons_up_and_drops_self_pairs(document: Document) -> None:
    (row,) = document.stances(by="state")
    assert (str(row.holder), str(row.target)) == ("China", "Iran")
    assert row.counts == {SUPPORT: 2, OPPOSE: 0, COOPERATE: 1}
    assert document.stances("state").between("China", "Iran") == {SUPPORT, COOPERATE}
    assert document.stances("state").between("CHN", "IRN") == {SUPPORT, COOPERATE}
    assert document.stances("state").between("Iran", "China") == set()


def test_unresolved_words_and_the_author_stay() -> None:
    text = "He backs Iran. he backs Iran."
    one, two = Sentence(text[:14], 0, 14), Sentence(text[15:], 15, 29)
    holders = [Mention(0, 2, Target("He", expand=False)), Mention(0, 2, Target("he", expand=False))]
    said = [judged(s, h, Mention(9, 13, IRAN), SUPPORT) for s, h in zip((one, two), holders, strict=True)]
    author = Prediction(Pair(one, AUTHOR, Mention(9, 13, IRAN)), dict.fromkeys(Stance, 0.6), frozenset([OPPOSE]))
    overview = Document(text, (one, two), (*said, author)).stances()
    assert [(str(r.holder), len(r.indices)) for r in overview] == [("He", 2), ("@author", 1)]


def test_judgements_of_anybody_do_not_count() -> None:
    anybody = Prediction(Pair(FIRST, ANY, Mention(12, 16, IRAN)), dict.fromkeys(Stance, 0.9), frozenset(Stance))
    assert len(Document(TEXT, (FIRST,), (anybody,)).stances()) == 0


def test_records_and_frame_say_the_same(document: Document) -> None:
    records = document.stances().to_records()
    frame = document.stances().to_frame()
    assert list(frame.columns) == OVERVIEW_COLUMNS
    assert list(frame["n_support"]) == [r["counts"]["support"] for r in records]
    assert frame.iloc[0]["sentences"] == "0|2"
    for r in records:
        assert all(TEXT[s["start"] : s["end"]] for s in r["sentences"])
    assert Document("", (), ()).stances().to_frame().empty


def test_another_by_is_refused(document: Document) -> None:
    with pytest.raises(StanceError, match="by='actor'"):
        document.stances("country")  # type: ignore[arg-type]


def test_gold_of_the_seed_article() -> None:
    """The annotated stances, put through resolution and the document view, say what the article says."""
    text = (SEEDS / "seed_article.txt").read_text(encoding="utf-8")
    sentences = split_sentences(text)
    named = find_mentions(sentences, ["Iran", "China", "unilateralism"])
    free = find_mentions(sentences)
    names = [
        sorted(
            {*rows, *(m for m in more if all(m.end <= r.start or r.end <= m.start for r in rows))},
            key=lambda m: m.start,
        )
        for rows, more in zip(named, free, strict=True)
    ]
    phrases = [find_holders(s, n) for s, n in zip(sentences, names, strict=True)]
    resolved = resolve_holders(sentences, names, phrases)
    directed = []
    for sentence, known, nameless, excerpt in zip(
        sentences, names, phrases, load_excerpts(SEEDS / "seed_article.jsonl"), strict=True
    ):
        places = {(m.start, m.end): m for m in [*nameless, *known]}
        for pair, label in zip(*excerpt.to_pairs(), strict=True):
            holder, target = pair.holder, places.get((pair.target.start, pair.target.end))
            mention = places.get((holder.start, holder.end)) if isinstance(holder, Mention) else None
            if label and isinstance(label, frozenset) and mention is not None and target is not None:
                found = resolved.of(sentence, mention)
                actors = found.actors if found else ()
                how = found.how if found else None
                said = Prediction(Pair(sentence, mention, target), {s: float(s in label) for s in Stance}, label)
                directed.append(
                    Prediction(
                        said.pair,
                        said.probabilities,
                        said.stances,
                        resolved=actors,
                        resolution=how,
                    )
                )
    at = sentences[14]
    iran, against = (next(m for m in names[14] if m.name == name) for name in ("Iran", "unilateralism"))
    directed.append(judged(at, iran, against, OPPOSE))
    overview = Document(text, tuple(sentences), (), directed=tuple(directed), states=resolved.states).stances("state")
    assert overview.between("China", "Iran") == {SUPPORT, COOPERATE}
    assert overview.between("Iran", "China") == {SUPPORT, COOPERATE}
    assert overview.between("Iran", "unilateralism") == {OPPOSE}
    assert not any(OPPOSE in r.stances for r in overview if {str(r.holder), str(r.target)} == {"China", "Iran"})
