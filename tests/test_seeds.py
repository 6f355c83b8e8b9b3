"""The project's own gold: well formed, split by document, and true to the seed article."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest

from stance.excerpts import Excerpt, load_excerpts
from stance.labels import PLOVER_ROOTS, Polarity, Stance
from stance.sentences import split_sentences

SEEDS = Path(__file__).parents[1] / "seeds"
FILES = {path.stem: load_excerpts(path) for path in sorted(SEEDS.glob("*.jsonl"))}
TRAIN, DEV, ARTICLE = (FILES[name] for name in ("train", "dev", "seed_article"))
TEXT = (SEEDS / "seed_article.txt").read_text(encoding="utf-8")


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def test_there_are_the_files_that_the_readme_lists() -> None:
    assert set(FILES) == {"train", "dev", "seed_article"}
    readme = (SEEDS / "README.md").read_text(encoding="utf-8")
    for name, excerpts in FILES.items():
        counts = [len(excerpts), sum(len(e.mentions) for e in excerpts), sum(len(e.pairs) for e in excerpts)]
        counts += [sum(s in p.label for e in excerpts for p in e.pairs) for s in Stance]
        counts.append(sum(not e.pairs for e in excerpts))
        assert f"| `{name}` | {' | '.join(map(str, counts))} |" in readme


def test_there_are_enough_to_learn_from() -> None:
    assert len(TRAIN) + len(DEV) >= 150


@pytest.mark.parametrize("excerpts", [TRAIN, DEV], ids=["train", "dev"])
def test_every_stance_and_none_is_in_each_part(excerpts: list[Excerpt]) -> None:
    seen: Counter[object] = Counter(s for e in excerpts for p in e.pairs for s in p.label)
    assert set(seen) == set(Stance)
    assert min(seen.values()) >= 50
    assert any(not e.pairs for e in excerpts)
    assert any(len(p.label) > 1 for e in excerpts for p in e.pairs)


def test_every_sentence_is_annotated_in_full() -> None:
    assert all(e.complete for excerpts in FILES.values() for e in excerpts)


def test_no_pair_is_listed_without_a_stance() -> None:
    assert all(p.label for excerpts in FILES.values() for e in excerpts for p in e.pairs)


def test_ids_are_unique() -> None:
    ids = Counter(e.id for excerpts in FILES.values() for e in excerpts)
    assert [i for i, n in ids.items() if n > 1] == []


def test_no_document_and_no_sentence_is_in_two_parts() -> None:
    documents = [{e.origin.document for e in excerpts} for excerpts in FILES.values()]
    sentences = [{letters(e.text) for e in excerpts} for excerpts in FILES.values()]
    for parts in (documents, sentences):
        assert None not in set().union(*parts)
        assert len(set().union(*parts)) == sum(map(len, parts))


def test_every_kind_of_text_is_in_both_parts() -> None:
    assert {e.origin.source for e in TRAIN} == {e.origin.source for e in DEV}


def test_council_is_as_its_readme_says_and_apart_from_all_else() -> None:
    parts = {name: load_excerpts(SEEDS / "council" / f"{name}.jsonl") for name in ("train", "dev", "test")}
    readme = (SEEDS / "council" / "README.md").read_text(encoding="utf-8")
    for name, excerpts in parts.items():
        documents = {e.origin.document for e in excerpts}
        counts = [len(excerpts), len(documents), sum(len(e.mentions) for e in excerpts)]
        counts.append(sum(len(e.pairs) for e in excerpts))
        counts += [sum(s in p.label for e in excerpts for p in e.pairs) for s in Stance]
        counts.append(sum(not e.pairs for e in excerpts))
        assert f"| `{name}` | {' | '.join(map(str, counts))} |" in readme
        assert all(e.complete for e in excerpts)
    both = [*FILES.values(), *parts.values()]
    facets = (
        [{e.id for e in excerpts} for excerpts in both],
        [{letters(e.text) for e in excerpts} for excerpts in both],
        [{f"{e.origin.date}/{e.origin.document}" for e in excerpts} for excerpts in both],
    )
    for facet in facets:
        assert len(set().union(*facet)) == sum(map(len, facet))
    dates = {name: [str(e.origin.date) for e in excerpts] for name, excerpts in parts.items()}
    assert min(dates["test"]) > max(dates["train"] + dates["dev"])


def test_events_are_as_their_readme_says_and_apart_from_all_else() -> None:
    events = load_excerpts(SEEDS / "events" / "train.jsonl")
    pairs = [pair for e in events for pair in e.pairs]
    assert len(pairs) == len(events)
    roots = Counter(pair.relation for pair in pairs)
    readme = (SEEDS / "README.md").read_text(encoding="utf-8")
    assert f"| `events/` | {len(events)} further" in readme
    assert set(roots) == set(PLOVER_ROOTS)
    assert all(f"| {root} | {roots[root]} |" in readme for root in PLOVER_ROOTS)
    for pair in pairs:
        is_oppose = PLOVER_ROOTS[str(pair.relation)] is Stance.OPPOSE
        assert pair.label is (Polarity.NEGATIVE if is_oppose else Polarity.POSITIVE)
    assert not any(e.complete for e in events)
    elsewhere = {letters(e.text) for excerpts in FILES.values() for e in excerpts}
    own = {letters(e.text) for e in events}
    assert len(own) == len(events)
    assert own.isdisjoint(elsewhere)


def test_article_is_cut_as_the_library_cuts_it() -> None:
    assert [e.text for e in ARTICLE] == [s.text for s in split_sentences(TEXT)]
    assert len(ARTICLE) == 16


def test_context_is_the_sentence_before() -> None:
    for before, after in itertools.pairwise(ARTICLE):
        assert after.context == before.text


def test_china_and_iran_do_not_oppose_one_another_in_the_article() -> None:
    assert {s for e in ARTICLE for p in e.pairs for s in p.label} == {Stance.SUPPORT, Stance.COOPERATE}


def test_gold_of_the_article_names_who_thanks_and_who_supports_whom() -> None:
    gold = {(e.text[:20], str(p.holder), p.target.name, s) for e in ARTICLE for p in e.pairs for s in p.label}
    assert ("Chinese President Xi", "China", "Iran", "cooperate") in gold
    assert ("The Iranian presiden", "The Iranian president", "China", "support") in gold
