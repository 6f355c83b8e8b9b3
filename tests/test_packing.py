from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.packing import PackingSettings, bucket_rows, collate, pack_sentence
from stance.pairs import ANY, AUTHOR, Holder, Pair
from stance.sentences import Sentence
from stance.targets import Mention, Target

SETTINGS = PackingSettings(cls_id=100, sep_id=101, pad_id=0, marker_ids=(200, 201, 202, 203), max_length=12)


def words(n: int) -> tuple[Sentence, list[int], list[tuple[int, int]]]:
    """Make a sentence of ``n`` one-piece words of three letters, with token ids 1, 2, ..."""
    text = " ".join(f"w{i:02d}" for i in range(n))
    return Sentence.of(text), list(range(1, n + 1)), [(4 * i, 4 * i + 3) for i in range(n)]


def at(word: int, last: int | None = None) -> Mention:
    return Mention(4 * word, 4 * (word if last is None else last) + 3, Target(f"w{word}"))


def pack(n: int, *spans: tuple[Holder, Mention], settings: PackingSettings = SETTINGS):  # type: ignore[no-untyped-def]
    sentence, tokens, offsets = words(n)
    pairs = [Pair(sentence, holder, target) for holder, target in spans]
    return pack_sentence(tokens, offsets, pairs, settings)


def test_layout_of_one_row() -> None:
    batch = collate(pack(4, (at(0, 1), at(3)), (AUTHOR, at(2)), (ANY, at(2))), SETTINGS)
    assert batch.input_ids.tolist() == [[100, 1, 2, 3, 4, 101]]
    assert batch.position_ids.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert batch.marker_ids.tolist() == [[200, 203, 201, 203, 202, 203]]
    assert batch.marker_ends.tolist() == [[[1, 2], [4, 4], [0, 0], [3, 3], [0, 0], [3, 3]]]
    assert batch.groups.tolist() == [[0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3]]
    assert batch.pair_rows.tolist() == [0, 0, 0]
    assert batch.markers.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert batch.spans.tolist() == [[1, 2, 4, 4], [0, 0, 3, 3], [0, 0, 3, 3]]


def test_shorter_rows_are_padded_with_closed_groups() -> None:
    rows = [*pack(4, (at(0), at(3)), (ANY, at(1))), *pack(2, (AUTHOR, at(1)))]
    batch = collate(rows, SETTINGS)
    assert batch.input_ids[1].tolist() == [100, 1, 2, 101, 0, 0]
    assert batch.position_ids[1].tolist() == [0, 1, 2, 3, 0, 0]
    assert batch.marker_ids[1].tolist() == [201, 203, 0, 0]
    assert batch.groups[1].tolist() == [0, 0, 0, 0, -1, -1, 1, 1, -1, -1]
    assert batch.pair_rows.tolist() == [0, 0, 1]
    assert batch.markers.tolist() == [[0, 1], [2, 3], [0, 1]]


def test_position_offset_moves_every_position() -> None:
    moved = PackingSettings(100, 101, 1, (200, 201, 202, 203), 12, position_offset=2)
    plain = collate(pack(4, (at(0), at(3))), SETTINGS)
    assert (collate(pack(4, (at(0), at(3)), settings=moved), moved).position_ids == plain.position_ids + 2).all()


def test_long_sentence_is_windowed_around_the_pair_and_flagged() -> None:
    (row,) = pack(50, (at(30), at(33)))
    assert row.truncated
    assert len(row.tokens) == SETTINGS.max_text
    assert row.tokens[row.spans[0]].tolist() == [31, 31, 34, 34]


def test_pair_further_apart_than_a_window_sees_half_a_window_around_each() -> None:
    (row,) = pack(50, (at(45), at(2)))
    assert row.truncated
    assert len(row.tokens) <= SETTINGS.max_text
    assert row.tokens[row.spans[0]].tolist() == [46, 46, 3, 3]


def test_sentence_that_fits_is_not_flagged() -> None:
    (row,) = pack(10, (at(0), at(9)))
    assert not row.truncated


def test_many_pairs_are_spread_over_rows() -> None:
    few = PackingSettings(100, 101, 0, (200, 201, 202, 203), 12, max_pairs=3)
    rows = pack(9, *((AUTHOR, at(i)) for i in range(8)), settings=few)
    assert [len(r.modes) for r in rows] == [3, 3, 2]
    assert np.concatenate([r.index for r in rows]).tolist() == list(range(8))


@given(st.integers(1, 60), st.data())
def test_markers_always_point_at_their_spans(n: int, data: st.DataObject) -> None:
    place = st.integers(0, n - 1)
    spans = data.draw(st.lists(st.tuples(place, place), min_size=1, max_size=6))
    rows = pack(n, *((at(h), at(t)) for h, t in spans))
    seen: dict[int, list[int]] = {}
    for row in rows:
        assert len(row.tokens) <= SETTINGS.max_text
        for index, span in zip(row.index, row.spans, strict=True):
            seen[int(index)] = row.tokens[span].tolist()
    assert seen == {i: [h + 1, h + 1, t + 1, t + 1] for i, (h, t) in enumerate(spans)}


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 32)), max_size=200), st.integers(1, 500))
@settings(max_examples=50)
def test_buckets_hold_every_row_once_and_keep_the_budget(sizes: list[tuple[int, int]], budget: int) -> None:
    buckets = bucket_rows(sizes, budget)
    assert sorted(i for b in buckets for i in b) == list(range(len(sizes)))
    for bucket in buckets:
        text, markers = (max(sizes[i][k] for i in bucket) for k in (0, 1))
        assert len(bucket) == 1 or len(bucket) * (text + markers) <= budget


def test_buckets_pad_little_where_rows_of_one_length_differ_in_pairs() -> None:
    random = np.random.default_rng(1)
    sizes = np.stack([random.integers(10, 60, 3000), 2 * random.integers(1, 17, 3000)], axis=1)
    taken = sum(len(b) * sizes[b].max(axis=0).sum() for b in bucket_rows(sizes, 512))
    assert taken < 1.06 * sizes.sum()


def test_mention_of_no_word_piece_falls_on_a_neighbour() -> None:
    sentence = Sentence.of("ab  cd")
    pair = Pair(sentence, AUTHOR, Mention(2, 3, Target("gap")))
    (row,) = pack_sentence([1, 2], [(0, 2), (4, 6)], [pair], SETTINGS)
    assert row.spans.tolist() == [[-1, -1, 1, 1]]


def test_no_pairs_no_rows() -> None:
    assert pack(3) == []
