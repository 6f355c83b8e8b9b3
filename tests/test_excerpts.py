from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair, Origin, load_excerpts, save_excerpts
from stance.labels import PLOVER_ROOTS, Label, Polarity, Stance
from stance.pairs import ANY, AUTHOR, Holder
from stance.targets import Mention, Target

GOOD: dict[str, Any] = {
    "id": "x-1",
    "text": "Iran thanked China.",
    "mentions": [[0, 4], [13, 18]],
    "pairs": [{"holder": [0, 4], "target": [13, 18], "stances": ["support"]}],
    "complete": True,
}
PAIR = GOOD["pairs"][0]

SETS = st.frozensets(st.sampled_from(list(Stance)))
WORDS = st.text(st.characters(exclude_categories=("Cc", "Z")), min_size=1, max_size=6).filter(
    lambda w: w == w.strip() and any(c.isalnum() for c in w)
)
GAPS = st.sampled_from([" ", "  ", "\n", "\r\n", "\t", "\u2028", "\u00a0", "\x85"])
TEXTS = st.none() | st.text(st.characters(), max_size=8)


@st.composite
def excerpts(draw: st.DrawFn, complete: bool | None = None) -> Excerpt:
    words = draw(st.lists(WORDS, min_size=1, max_size=6))
    text, places = "", []
    for word in words:
        text += draw(GAPS)
        places.append((len(text), len(text) + len(word)))
        text += word
    spans = sorted({(a, b) for a, _ in places for _, b in places if a < b})
    chosen = draw(st.lists(st.sampled_from(spans), unique=True, max_size=4))
    mentions = [Mention(a, b, Target(text[a:b])) for a, b in chosen]
    further = [Mention(a, b, Target(text[a:b])) for a, b in draw(st.lists(st.sampled_from(spans), max_size=2))]
    is_complete = draw(st.booleans()) if complete is None else complete
    holders: list[Holder] = [*mentions, *further, AUTHOR]
    if not is_complete:
        holders.append(ANY)
    pairs = []
    if mentions:
        labels: st.SearchStrategy[Label] = SETS if is_complete else SETS | st.sampled_from(list(Polarity))
        directed = st.tuples(st.sampled_from(holders), st.sampled_from(mentions)).filter(lambda d: d[0] != d[1])
        relations = st.none() | st.sampled_from(list(PLOVER_ROOTS))
        for holder, target in draw(st.lists(directed, unique=True, max_size=5)):
            pairs.append(GoldPair(holder, target, draw(labels), draw(relations)))
    return Excerpt(
        id=draw(st.text(st.characters(), max_size=8)),
        text=text,
        context=draw(TEXTS) or "",
        author=draw(TEXTS),
        mentions=tuple(mentions),
        pairs=tuple(pairs),
        complete=is_complete,
        origin=Origin(draw(TEXTS), draw(TEXTS), draw(TEXTS)),
    )


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@given(st.lists(excerpts(), max_size=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_saved_excerpts_load_equal(tmp_path: Path, given_excerpts: list[Excerpt]) -> None:
    save_excerpts(given_excerpts, tmp_path / "x.jsonl")
    assert load_excerpts(tmp_path / "x.jsonl") == given_excerpts


def test_file_is_utf8_with_unix_line_ends_and_readable_letters(tmp_path: Path) -> None:
    save_excerpts([Excerpt(id="1", text="Türkiye’s Erdoğan")], tmp_path / "x.jsonl")
    data = (tmp_path / "x.jsonl").read_bytes()
    assert "Türkiye’s Erdoğan".encode() in data
    assert data.endswith(b"}\n")
    assert b"\r" not in data


def test_optional_keys_may_be_left_out_or_null(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", GOOD, {**GOOD, "context": None, "author": None, "source": None})
    plain, null = load_excerpts(path)
    assert plain == null
    assert (plain.context, plain.author, plain.origin) == ("", None, Origin())


def test_byte_order_mark_blank_lines_and_crlf_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + f"{json.dumps(GOOD)}\r\n\r\n{json.dumps(GOOD)}".encode())
    assert [e.id for e in load_excerpts(path)] == ["x-1", "x-1"]


BAD_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"tags": 1}, "'tags'; remove or rename"),
    "missing id": ({"id": None}, "'id' as str; got None"),
    "missing mentions": ({"mentions": None}, "'mentions' as list; got None"),
    "ill-typed complete": ({"complete": "yes"}, "'complete' as bool; got 'yes'"),
    "ill-typed author": ({"author": 3}, "'author' as text or null; got 3"),
    "blank text": ({"text": " \n"}, "'text' to hold a sentence; got white space"),
    "span of one number": ({"mentions": [[0]]}, r"a mention as \[start, end\]; got \[0\]"),
    "span of strings": ({"mentions": [["0", "4"]]}, r"a mention as \[start, end\]"),
    "span of booleans": ({"mentions": [[False, True]]}, r"a mention as \[start, end\]"),
    "span past the end": ({"mentions": [[0, 20]]}, r"inside the text of 19 characters; got \[0, 20\]"),
    "span backwards": ({"mentions": [[4, 0]]}, r"inside the text of 19 characters; got \[4, 0\]"),
    "negative span": ({"mentions": [[-4, 4]]}, r"inside the text of 19 characters; got \[-4, 4\]"),
    "span with white space": ({"mentions": [[0, 5]]}, r"whole words; got 'Iran ' at \[0, 5\]"),
    "span on punctuation": ({"mentions": [[18, 19]]}, r"whole words; got '\.' at \[18, 19\]"),
    "mention twice": ({"mentions": [[0, 4], [0, 4], [13, 18]]}, "each mention once"),
    "pair that is no object": ({"pairs": [[0, 4]]}, "a pair with 'holder', 'target'"),
    "pair with an unknown key": ({"pairs": [{**PAIR, "score": 1}]}, "correct its keys"),
    "pair without a target": ({"pairs": [{"holder": None, "stances": []}]}, "correct its keys"),
    "pair twice": ({"pairs": [PAIR, PAIR]}, "each directed pair once"),
    "holder that is no span": ({"pairs": [{**PAIR, "holder": "Iran"}]}, r"a holder as \[start, end\]; got 'Iran'"),
    "holder toward itself": ({"pairs": [{**PAIR, "holder": [13, 18]}]}, "holder and target to differ"),
    "target that is no mention": ({"mentions": [[0, 4]]}, r"a target among the mentions; got \[13, 18\]"),
    "unknown stance": ({"pairs": [{**PAIR, "stances": ["praise"]}]}, "stances out of support, .*; got 'praise'"),
    "stances as one name": ({"pairs": [{**PAIR, "stances": "support"}]}, "'stances' as a list of names"),
    "stances of numbers": ({"pairs": [{**PAIR, "stances": [1]}]}, "'stances' as a list of names"),
    "stances and polarity": ({"pairs": [{**PAIR, "polarity": "positive"}]}, "either 'stances' or 'polarity'"),
    "neither of them": ({"pairs": [{"holder": None, "target": [0, 4]}]}, "either 'stances' or 'polarity'"),
    "unknown polarity": (
        {"pairs": [{"holder": None, "target": [0, 4], "polarity": "good"}], "complete": False},
        "a polarity out of positive, neutral, negative; got 'good'",
    ),
    "polarity of a list": (
        {"pairs": [{"holder": None, "target": [0, 4], "polarity": []}], "complete": False},
        r"a polarity out of .*; got \[\]",
    ),
    "unknown relation": ({"pairs": [{**PAIR, "relation": "PRAISE"}]}, "a PLOVER root out of .*; got 'PRAISE'"),
    "relation of a list": ({"pairs": [{**PAIR, "relation": ["AID"]}]}, r"a PLOVER root out of .*; got \['AID'\]"),
    "complete with a polarity": (
        {"pairs": [{"holder": None, "target": [0, 4], "polarity": "positive"}]},
        'complete excerpt to hold exact stances .*; write "complete": false',
    ),
    "complete with anybody": ({"pairs": [{**PAIR, "holder": "any"}]}, 'complete excerpt .* got a polarity or "any"'),
}


@pytest.mark.parametrize(("change", "reason"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_row_is_refused_with_its_place_and_reason(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = write(tmp_path / "x.jsonl", GOOD, {**GOOD, **change})
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}:2: expected .*{reason}") as caught:
        load_excerpts(path)
    assert re.search("expected .+; got .+; .+", str(caught.value))
    assert (caught.value.path, caught.value.line) == (path, 2)


@pytest.mark.parametrize("key", ["id", "text", "mentions", "pairs", "complete"])
def test_required_key_left_out_is_named(tmp_path: Path, key: str) -> None:
    path = write(tmp_path / "x.jsonl", {k: v for k, v in GOOD.items() if k != key})
    with pytest.raises(DataError, match=f":1: expected '{key}' as "):
        load_excerpts(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{'id': 1}", "got Expecting property name .* at column 2"),
        ('{"id": "x-1"', "got Expecting .* at column "),
        ("[1, 2]", "got list"),
        ('"Iran"', "got str"),
    ],
)
def test_line_that_is_no_json_object_is_refused_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}:3: expected one JSON object; {reason}"):
        load_excerpts(path)


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes("Erdoğan".encode("utf-16"))
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: expected UTF-8 text; got .*; save the file as"):
        load_excerpts(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(DataError, match=f"^{re.escape(str(path))}: expected a readable file; got .+; check"):
            load_excerpts(path)


@given(excerpts(complete=True))
def test_complete_excerpt_judges_every_direction_and_unlisted_ones_have_no_stance(excerpt: Excerpt) -> None:
    pairs, labels = excerpt.to_pairs()
    listed = {(p.holder, p.target): p.label for p in excerpt.pairs}
    holders = {*excerpt.mentions, AUTHOR, *(p.holder for p in excerpt.pairs)}
    expected = {(h, t): listed.get((h, t), frozenset()) for h in holders for t in excerpt.mentions if h != t}
    assert {(p.holder, p.target): x for p, x in zip(pairs, labels, strict=True)} == expected
    assert len(pairs) == len(expected)


@given(excerpts(complete=False))
def test_incomplete_excerpt_judges_what_it_lists_in_order(excerpt: Excerpt) -> None:
    pairs, labels = excerpt.to_pairs()
    assert [(p.holder, p.target, x) for p, x in zip(pairs, labels, strict=True)] == [
        (p.holder, p.target, p.label) for p in excerpt.pairs
    ]


@given(excerpts(complete=True))
def test_target_pairs_of_a_complete_excerpt_unite_all_holders(excerpt: Excerpt) -> None:
    pairs, labels = excerpt.to_target_pairs()
    assert [(p.holder, p.target) for p in pairs] == [(ANY, m) for m in excerpt.mentions]
    for pair, label in zip(pairs, labels, strict=True):
        listed = [set(gold.label) for gold in excerpt.pairs if gold.target == pair.target]
        assert set(label) == set().union(*listed)


@given(excerpts(complete=False))
def test_target_pairs_of_an_incomplete_excerpt_are_those_listed_for_anybody(excerpt: Excerpt) -> None:
    pairs, labels = excerpt.to_target_pairs()
    assert [(p.holder, p.target, x) for p, x in zip(pairs, labels, strict=True)] == [
        (ANY, p.target, p.label) for p in excerpt.pairs if p.holder is ANY
    ]


def test_holders_are_the_mentions_and_then_the_others_once() -> None:
    iran, china, they = (Mention(a, b, Target("x")) for a, b in ((0, 4), (13, 18), (20, 24)))
    label = frozenset({Stance.SUPPORT})
    excerpt = Excerpt(
        id="1",
        text="Iran thanked China. They agreed.",
        mentions=(china, iran),
        pairs=(GoldPair(they, iran, label), GoldPair(they, china, label), GoldPair(AUTHOR, iran, label)),
    )
    assert excerpt.holders == (china, iran, they)


def test_excerpts_of_one_document_share_its_key() -> None:
    def key(text: str, **origin: str) -> str:
        return Excerpt(id=text, text=text, origin=Origin(**origin)).document_key

    assert key("One.", source="a", document="1") == key("Two.", source="a", document="1")
    assert key("One.", source="a", document="1") != key("One.", source="b", document="1")
    assert key("One.") == key("One.", source="a") != key("Two.")
