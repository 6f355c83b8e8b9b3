"""Readers of published corpora: invented rows in each publisher's format, then counts of the real files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stance.errors import DataError
from stance.excerpts import Excerpt, save_excerpts
from stance.formats.dse import read_dse_file
from stance.formats.newsmtsc import read_newsmtsc_file
from stance.formats.plv import read_plv_file
from stance.formats.re3d import read_re3d_folder
from stance.formats.rows import make_excerpt
from stance.formats.spans import detokenise, mend_span
from stance.formats.unscon import read_unscon_file
from stance.labels import PLOVER_ROOTS, Polarity, Stance
from stance.pairs import ANY, AUTHOR
from training.corpora import READERS, Splits, read_basil, read_newsmtsc, read_plover_gsr_file, split_excerpts

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"

Row = tuple[str, str, str | frozenset[Stance]]


def triples(excerpt: Excerpt) -> list[Row]:
    """Holder, target and label of each pair, by name; an open holder stands as ``@author`` or ``@any``."""
    return [(str(p.holder), p.target.name, p.label) for p in excerpt.pairs]


def write(path: Path, lines: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def check_sane(excerpts: Iterable[Excerpt]) -> None:
    ids = set()
    for excerpt in excerpts:
        ids.add(excerpt.id)
        spans = [(m.start, m.end) for m in excerpt.mentions]
        assert len(set(spans)) == len(spans), excerpt
        held = [p.holder for p in excerpt.pairs if p.holder not in (ANY, AUTHOR)]
        for mention in (*excerpt.mentions, *held):
            assert not isinstance(mention, str)
            words = excerpt.text[mention.start : mention.end]
            assert words == mention.name == words.strip(), excerpt
            assert any(c.isalnum() for c in words), excerpt
        places = [(p.holder, p.target) for p in excerpt.pairs]
        assert len(set(places)) == len(places), excerpt
        assert all(p.target in excerpt.mentions and p.holder != p.target for p in excerpt.pairs), excerpt


# --- PLV


def plv(tmp_path: Path, *rows: tuple[str, str]) -> list[Excerpt]:
    lines = ["\tmarked_sentence\tgold_root", *(f"{i}\t{text}\t{root}" for i, (text, root) in enumerate(rows))]
    return read_plv_file(write(tmp_path / "PLV_train.tsv", lines))


def test_plv_takes_the_marks_out_and_keeps_the_spans_as_published(tmp_path: Path) -> None:
    (excerpt,) = plv(tmp_path, ("<t>The Borduria Guard</t> was praised by <s>King Ottokar</s>.", "SUPPORT"))
    assert excerpt.text == "The Borduria Guard was praised by King Ottokar."
    assert triples(excerpt) == [("King Ottokar", "The Borduria Guard", frozenset({Stance.SUPPORT}))]
    assert excerpt.pairs[0].relation == "SUPPORT"
    assert excerpt.id == "plv-PLV_train-000002"
    assert not excerpt.complete


def test_plv_reads_nested_and_repeated_marks(tmp_path: Path) -> None:
    nested, repeated, spaced = plv(
        tmp_path,
        ("<s><t>Syldavian</t> rebels</s> laid down arms.", "YIELD"),
        ("<s>Borduria</s> hit <t>Syldavia</t> and left <t>Syldavia</t>.", "ASSAULT"),
        ("<s>The Klow Court (KC) </s>fined <t>Sprodj</t>.", "SANCTION"),
    )
    assert triples(nested) == [("Syldavian rebels", "Syldavian", frozenset({Stance.COOPERATE}))]
    assert [p.target.start for p in repeated.pairs] == [13]
    assert triples(spaced)[0][0] == "The Klow Court (KC)"


def test_plv_without_a_source_asks_for_anybody_and_without_a_target_for_nothing(tmp_path: Path) -> None:
    nobody, untargeted = plv(
        tmp_path, ("<t>Two Klow dailies</t> were shut.", "COERCE"), ("<s>Klow teachers</s> struck.", "PROTEST")
    )
    assert triples(nobody) == [("@any", "Two Klow dailies", frozenset({Stance.OPPOSE}))]
    assert untargeted.pairs == ()


@pytest.mark.parametrize(
    "row",
    ["1\t<s>Klow met <t>Zileheroum</t>.\tCONSULT", "1\t<s>Klow</s> met <t>Zileheroum</t>.\tGREET", "1\tno third field"],
)
def test_plv_names_the_line_of_a_malformed_row(tmp_path: Path, row: str) -> None:
    good = "0\t<s>Klow</s> met <t>Zileheroum</t>.\tCONSULT"
    path = write(tmp_path / "PLV_train.tsv", ["\tmarked_sentence\tgold_root", good, row])
    with pytest.raises(DataError, match=r"PLV_train\.tsv:3: expected"):
        read_plv_file(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "PLV_train.tsv", ["\tsentence", "0\tKlow met Zileheroum."])
    with pytest.raises(DataError, match=r":1: expected the columns .* got no 'marked_sentence'"):
        read_plv_file(path)


# --- DSE


def dse(tmp_path: Path, *rows: str) -> list[Excerpt]:
    return read_dse_file(write(tmp_path / "train.txt", rows))


@pytest.mark.parametrize(
    ("kind", "forth", "back"),
    [
        ("0", Polarity.NEUTRAL, Polarity.NEUTRAL),
        ("1", Polarity.POSITIVE, Polarity.NEUTRAL),
        ("2", Polarity.NEUTRAL, Polarity.POSITIVE),
        ("3", Polarity.NEGATIVE, Polarity.NEUTRAL),
        ("4", Polarity.NEUTRAL, Polarity.NEGATIVE),
    ],
)
def test_dse_gives_both_directions(tmp_path: Path, kind: str, forth: Polarity, back: Polarity) -> None:
    (excerpt,) = dse(tmp_path, f"[Ottokar] and [Müsstler] spoke.\tOttokar\tMüsstler\t{kind}")
    assert excerpt.text == "Ottokar and Müsstler spoke."
    assert triples(excerpt) == [("Ottokar", "Müsstler", forth), ("Müsstler", "Ottokar", back)]
    assert excerpt.id == "dse-train-000001"


@pytest.mark.parametrize(
    ("marked", "name"),
    [
        ("[Congre]ss", "Congress"),
        ("the [Bordurian]s", "Bordurians"),
        ("[Ottokar’]s", "Ottokar"),
        ("[Ottokar]'s", "Ottokar"),
        ("[the U. S.]", "the U. S."),
        ("a s[ecret]", "secret"),
        ("the town[’s Klow Palace]", "Klow Palace"),
        ("[Ottokar —]", "Ottokar"),
        ("[Sprodj]Later", "Sprodj"),
        ("at [Klow.The Royal Court]", "The Royal Court"),
        ("[ Ottokar]", "Ottokar"),
    ],
)
def test_dse_moves_brackets_to_whole_words(tmp_path: Path, marked: str, name: str) -> None:
    p = marked[marked.index("[") + 1 : marked.index("]")]
    (excerpt,) = dse(tmp_path, f"{marked} saw [Müsstler] off.\t{p.strip()}\tMüsstler\t3")
    assert triples(excerpt)[0] == (name, "Müsstler", Polarity.NEGATIVE)


def test_dse_reads_quoted_fields_own_brackets_and_one_name_twice(tmp_path: Path) -> None:
    quoted, own, twice = dse(
        tmp_path,
        '"""No,"" [Ottokar] told [Müsstler]."\tOttokar\tMüsstler\t3',
        "[Ottokar] [the king] met [Müsstler].\tOttokar\tMüsstler\t1",
        "[Klow] is not [Klow].\tKlow\tKlow\t0",
    )
    assert quoted.text == '"No," Ottokar told Müsstler.'
    assert own.text == "Ottokar [the king] met Müsstler."
    assert [p.holder.start for p in twice.pairs if p.holder is not ANY and p.holder is not AUTHOR] == [0, 12]  # type: ignore[union-attr]


def test_dse_leaves_out_pairs_with_a_bracketed_comma(tmp_path: Path) -> None:
    (excerpt,) = dse(tmp_path, "Klow[,] said [Müsstler], fell.\t,\tMüsstler\t0")
    assert excerpt.text == "Klow, said Müsstler, fell."
    assert excerpt.pairs == ()


@pytest.mark.parametrize("row", ["[Klow] met [Istow].\tKlow\tIstow\t5", "[Klow] met Istow.\tKlow\tIstow\t0", "Klow"])
def test_dse_names_the_line_of_a_malformed_row(tmp_path: Path, row: str) -> None:
    with pytest.raises(DataError, match=r"train\.txt:2: expected"):
        dse(tmp_path, "[Klow] met [Istow].\tKlow\tIstow\t0", row)


# --- NewsMTSC


def newsmtsc_row(text: str, *targets: tuple[str, float], gid: str = "polusa_v1_1_-1_4_X_0_1") -> dict[str, Any]:
    rows = [
        {"Input.gid": gid, "from": text.index(m), "to": text.index(m) + len(m), "mention": m, "polarity": polarity}
        for m, polarity in targets
    ]
    return {"primary_gid": gid, "sentence_normalized": text, "targets": rows}


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    return write(path, (json.dumps(row) for row in rows))


def test_newsmtsc_asks_for_anybody_and_leaves_further_mentions_out(tmp_path: Path) -> None:
    row = newsmtsc_row("Castafiore sang, and she charmed Calys.", ("Castafiore", 6.0), ("Calys", 4.0))
    row["targets"][0]["further_mentions"] = [{"from": 21, "to": 24, "mention": "she"}]
    (excerpt,) = read_newsmtsc_file(write_rows(tmp_path / "train.jsonl", [row]))
    assert triples(excerpt) == [("@any", "Castafiore", Polarity.POSITIVE), ("@any", "Calys", Polarity.NEUTRAL)]
    assert [m.name for m in excerpt.mentions] == ["Castafiore", "Calys"]
    assert excerpt.origin.document == "polusa_v1_1"


def test_newsmtsc_counts_a_span_once_and_not_at_all_when_its_polarities_differ(tmp_path: Path) -> None:
    rows = [
        newsmtsc_row("Nestor sighed.", ("Nestor", 2.0), ("Nestor", 2.0)),
        newsmtsc_row("Bianca sighed.", ("Bianca", 2.0), ("Bianca", 6.0)),
    ]
    once, never = read_newsmtsc_file(write_rows(tmp_path / "train.jsonl", rows))
    assert triples(once) == [("@any", "Nestor", Polarity.NEGATIVE)]
    assert triples(never) == []


def test_newsmtsc_splits_by_story_and_by_sentence(tmp_path: Path) -> None:
    rows = [
        newsmtsc_row(f"Nestor left {i}.", ("Nestor", 4.0), gid=f"allsides_{i}_{i // 3}_2_Nestor_0_6")
        for i in range(600)
    ]
    repeated = [newsmtsc_row(f"Nestor left {i}!", ("Nestor", 4.0), gid=f"polusa_v1_{i}_-1_2_X_0_6") for i in range(50)]
    write_rows(tmp_path / "train.jsonl", [*rows, *repeated])
    parts = read_newsmtsc(tmp_path)
    stories = {
        name: {str(e.origin.document).split("_")[2] for e in part if "_v1_" not in str(e.origin.document)}
        for name, part in parts.items()
    }
    assert not stories["train"] & stories["dev"]
    assert not {e.text[:-1] for e in parts["train"]} & {e.text[:-1] for e in parts["dev"]}
    assert 0.03 < len(parts["dev"]) / 650 < 0.2


@pytest.mark.parametrize("change", [{"from": 1}, {"polarity": 3.0}, {"to": None}, {"mention": "Nester"}])
def test_newsmtsc_names_the_line_of_a_malformed_row(tmp_path: Path, change: dict[str, Any]) -> None:
    row = newsmtsc_row("Nestor sighed.", ("Nestor", 2.0))
    row["targets"][0] |= change
    path = write_rows(tmp_path / "train.jsonl", [newsmtsc_row("Nestor left.", ("Nestor", 2.0)), row])
    with pytest.raises(DataError, match=r"train\.jsonl:2: expected"):
        read_newsmtsc_file(path)


# --- re3d


TEXT = "The Klow Guard fought the Zzyrd.\nDr Sprodj met Calys in Iraq. Reporters left."


def re3d(folder: Path, relations: Iterable[tuple[str, str, str, str]], entities: Mapping[str, str]) -> Path:
    def place(words: str, begin: str = "begin", end: str = "end") -> dict[str, Any]:
        return {begin: TEXT.index(words), end: TEXT.index(words) + len(words)}

    write_rows(folder / "documents.json", [{"_id": "d1", "text": TEXT}])
    write_rows(
        folder / "entities.json",
        [{"documentId": "d1", "type": kind, "value": words, **place(words)} for words, kind in entities.items()],
    )
    rows = [
        {"documentId": "d1", "type": kind, "source": source, "target": target, "value": trigger}
        | place(source, "sourceBegin", "sourceEnd")
        | place(target, "targetBegin", "targetEnd")
        for kind, source, trigger, target in relations
    ]
    write_rows(folder / "relations.json", rows)
    return folder


ENTITIES = {
    "The Klow Guard": "Organisation",
    "Guard": "Organisation",
    "the Zzyrd": "Organisation",
    "Dr Sprodj": "Person",
    "Calys": "Person",
    "Iraq": "Location",
    "Reporters": "Quantity",
}


def test_re3d_cuts_documents_into_sentences_with_names_and_directed_pairs(tmp_path: Path) -> None:
    relations = [
        ("FightingAgainst", "The Klow Guard", "fought", "the Zzyrd"),
        ("CommWith", "Dr Sprodj", "met", "Calys"),
        ("AlliesOf", "Dr Sprodj", "met", "The Klow Guard"),
        ("CoLocated", "Calys", "in", "Iraq"),
    ]
    first, second, third = read_re3d_folder(re3d(tmp_path / "UK Office", relations, ENTITIES))
    assert triples(first) == [("Klow Guard", "Zzyrd", frozenset({Stance.OPPOSE}))]
    assert [m.name for m in first.mentions] == ["Klow Guard", "Zzyrd"]
    cooperate = frozenset({Stance.COOPERATE})
    assert triples(second) == [("Dr Sprodj", "Calys", cooperate), ("Calys", "Dr Sprodj", cooperate)]
    assert [m.name for m in second.mentions] == ["Dr Sprodj", "Calys", "Iraq"]
    assert (third.text, third.mentions, third.pairs) == ("Reporters left.", (), ())
    assert second.id == "re3d-UK_Office-000001-001"
    assert second.origin.document == "d1"


def test_re3d_takes_no_stance_from_telling_and_keeps_allies_open(tmp_path: Path) -> None:
    relations = [("CommWith", "Dr Sprodj", "told", "Calys"), ("AlliesOf", "The Klow Guard", "with", "the Zzyrd")]
    first, second, _ = read_re3d_folder(re3d(tmp_path / "x", relations, ENTITIES))
    assert triples(first) == [("Klow Guard", "Zzyrd", Polarity.POSITIVE), ("Zzyrd", "Klow Guard", Polarity.POSITIVE)]
    assert triples(second) == []


def test_re3d_names_the_line_of_a_malformed_row(tmp_path: Path) -> None:
    folder = re3d(tmp_path / "x", [], ENTITIES)
    rows = (folder / "entities.json").read_text(encoding="utf-8").replace('"value": "Guard"', '"value": "Gourd"')
    (folder / "entities.json").write_text(rows, encoding="utf-8")
    with pytest.raises(DataError, match=r"entities\.json:2: expected 'Gourd'"):
        read_re3d_folder(folder)


# --- UNSCon


HEADER = "file_id,sentence_text,A0,A2,A4,B1,B2,B3,filename,country"


def unscon(tmp_path: Path, *rows: str) -> list[Excerpt]:
    return read_unscon_file(write(tmp_path / "sentences.csv", [HEADER, *rows]))


def unscon_row(
    text: str, labels: str = "Direct_NegEval,Country,russian_federation,_,_,_", who: str = "Chile_00"
) -> str:
    quoted = text.replace('"', '""')
    return f'UNSC_2014_SPV.7000_spch003_{who}.txt,"{quoted}",{labels},UNSC_2014_SPV.6_spch001,France'


def test_unscon_takes_the_speaker_from_the_file_id_and_joins_the_tokens(tmp_path: Path) -> None:
    (excerpt,) = unscon(tmp_path, unscon_row("We deplore ,  with all here , Russia 's build - up  - and its veto .  "))
    assert excerpt.text == "We deplore, with all here, Russia's build-up - and its veto."
    assert triples(excerpt) == [("@author", "Russia", frozenset({Stance.OPPOSE}))]
    assert excerpt.pairs[0].holder is AUTHOR
    assert (excerpt.author, excerpt.origin.document) == ("Chile", "UNSC_2014_SPV.7000_spch003")


@pytest.mark.parametrize(
    ("who", "author"),
    [
        ("Ukraine2_neg_03", "Ukraine"),
        ("United_States_Of_AmericaA2_01", "United States of America"),
        ("NAMIBIA_00_GD", "Namibia"),
        ("Chile_neg%2000", "Chile"),
        ("China_pos_02", "China"),
    ],
)
def test_unscon_knows_the_speaker_behind_the_part_number(tmp_path: Path, who: str, author: str) -> None:
    assert unscon(tmp_path, unscon_row("Russia errs .", who=who))[0].author == author


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("In Russia , people know what Moscow did .", "Moscow"),
        ("The pro - Russian gangs serve Russian aims .", "Russian"),
        ("The Russian - speaking south suffers .", None),
        ("That must end .", None),
    ],
)
def test_unscon_finds_the_state_in_the_sentence(tmp_path: Path, text: str, name: str | None) -> None:
    names = [p.target for e in unscon(tmp_path, unscon_row(text)) for p in e.pairs]
    assert [m.name for m in names] == ([name] if name else [])
    if text.startswith("The pro"):
        assert names[0].start > len("The pro-Russian")


def test_unscon_reads_challenges_and_drops_sentences_without_conflict(tmp_path: Path) -> None:
    excerpts = unscon(
        tmp_path,
        unscon_row("Ukraine lies .", "_,_,_,Challenge,Country,ukraine"),
        unscon_row("Ukraine is large .", "_,_,_,_,_,_"),
        unscon_row("The Council failed .", "Direct_NegEval,UNSC,-NONE-,_,_,_"),
        unscon_row(
            "What Ukraine said is false .", "_,_,_,Challenge,Country,UNSC_2014_SPV.7_spch019_Ukraine_neg_04.txt"
        ),
    )
    assert [p.target.name for e in excerpts for p in e.pairs] == ["Ukraine", "Council"]


def test_unscon_names_the_line_of_a_malformed_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sentences\.csv:4: expected A0"):
        unscon(tmp_path, unscon_row("Russia\nerrs ."), unscon_row("Russia errs .", "NegEval,Country,_,_,_,_"))


# --- PLOVER gold records


def gsr_record(text: str, markup: str, **fields: Any) -> dict[str, Any]:
    return {"id": "GSR-1", "event": "AGREE", "text": text, "textInfo": {"markup": markup}, **fields}


def gsr(tmp_path: Path, *records: Mapping[str, Any]) -> list[Excerpt]:
    path = tmp_path / "PLOVER_GSR_CAMEO.json"
    path.write_text(json.dumps(records, indent=1), encoding="utf-8")
    return read_plover_gsr_file(path)


def test_gsr_pairs_the_actors_it_names(tmp_path: Path) -> None:
    fields = {
        "event": "FIGHT",
        "source": [{"actorText": "Borduria"}],
        "target": [{"actorText": "Klow"}, {"actorText": "Istow"}],
    }
    (excerpt,) = gsr(tmp_path, gsr_record("{Borduria shelled Klow and Istow.}", "", **fields))
    oppose = frozenset({Stance.OPPOSE})
    assert triples(excerpt) == [("Borduria", "Klow", oppose), ("Borduria", "Istow", oppose)]
    assert {p.relation for p in excerpt.pairs} == {"ASSAULT"}


def test_gsr_falls_back_on_the_markup_and_reads_mutual_events(tmp_path: Path) -> None:
    mutual, renamed = gsr(
        tmp_path,
        gsr_record("Klow and Istow signed.", "(SRC/TAR: Klow) and (SRC/TAR: Istow) (EVT: signed).", target=""),
        gsr_record(
            "Klow hit Bordurian goods.",
            "(SRC: Klow) hit (TAR: Bordurian) goods.",
            id="GSR-2",
            source=[{"actorText": "Klow"}],
            target=[{"actorText": "West Bordurian"}],
        ),
    )
    assert [row[:2] for row in triples(mutual)] == [("Klow", "Istow"), ("Istow", "Klow")]
    assert [row[:2] for row in triples(renamed)] == [("Klow", "Bordurian")]


def test_gsr_passes_over_events_that_are_no_root_and_names_the_line_of_a_malformed_record(tmp_path: Path) -> None:
    assert gsr(tmp_path, {"id": "GSR-0", "event": "DOCUMENT"}) == []
    with pytest.raises(DataError, match=r"PLOVER_GSR_CAMEO\.json:8: expected 'text'"):
        gsr(tmp_path, {"id": "GSR-0", "event": "DOCUMENT"}, {"event": "AGREE", "id": "GSR-1"})


def test_gsr_names_the_line_of_broken_json(tmp_path: Path) -> None:
    path = write(tmp_path / "PLOVER_GSR_CAMEO.json", ["[", '{"id": "GSR-0",}', "]"])
    with pytest.raises(DataError, match=r"\.json:2: expected a JSON list"):
        read_plover_gsr_file(path)


# --- What readers share


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for reader in READERS.values():
        with pytest.raises(DataError, match="nowhere"):
            reader(tmp_path / "nowhere")


def test_a_file_that_is_no_article_is_named(tmp_path: Path) -> None:
    (tmp_path / "2010").mkdir()
    for content in ("[]", "{", '{"body-paragraphs": [[1]]}'):
        (tmp_path / "2010" / "a.json").write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"a\.json.*expected an article with 'body-paragraphs'"):
            read_basil(tmp_path)


def test_own_format_comes_back_complete(tmp_path: Path) -> None:
    excerpt = make_excerpt("x", Path("a.txt"), 1, "Klow left.", [])
    for name in ("train", "dev"):
        save_excerpts([excerpt], tmp_path / f"{name}.jsonl")
    assert READERS["excerpts"](tmp_path) == {"train": [excerpt], "dev": [excerpt]}


def test_split_depends_on_no_order() -> None:
    excerpts = [make_excerpt("x", Path("a.txt"), i, f"Line {i // 2}.", [], document=f"d{i % 300}") for i in range(900)]
    there, back = split_excerpts(excerpts), split_excerpts(excerpts[::-1])
    assert {e.id for e in there["dev"]} == {e.id for e in back["dev"]}


def test_mend_span_marks_no_word_where_there_is_none() -> None:
    assert mend_span("he’s here", 2, 4) is None
    assert mend_span("Klow , too", 4, 6) is None


def test_detokenise_keeps_normal_text() -> None:
    text = 'In 2014, "they" (all of us) paid $5 - or so: 10% of it; why?'
    assert detokenise(text) == text


# --- The real files


@pytest.fixture(scope="module")
def corpora() -> Callable[[str], Splits]:
    if not CORPORA.is_dir():
        pytest.skip(f"the corpora are not in {CORPORA}: real counts are NOT checked")
    read: dict[str, Splits] = {}

    def get(name: str) -> Splits:
        return read.setdefault(name, READERS[name](CORPORA / name))

    return get


def labels(parts: Splits) -> Counter[str]:
    return Counter(
        str(p.label) if isinstance(p.label, Polarity) else "+".join(p.label)
        for part in parts.values()
        for e in part
        for p in e.pairs
    )


SIZES = {
    "plv": (964, 86),
    "dse": (13144, 1461),
    "newsmtsc": (6959, 799),
    "re3d": (646, 57),
    "unscon": (263, 29),
    "plover_gsr": (58, 0),
}
LABELS = {
    "plv": {"oppose": 579, "cooperate": 372, "support": 79},
    "dse": {"neutral": 23798, "positive": 1782, "negative": 3276},
    "newsmtsc": {"neutral": 3024, "negative": 3279, "positive": 2380},
    "re3d": {"oppose": 120, "cooperate": 61, "positive": 46, "support": 29},
    "unscon": {"oppose": 292},
    "plover_gsr": {"oppose": 42, "cooperate": 15, "support": 7},
}


@pytest.mark.parametrize("name", SIZES)
def test_real_corpora_have_their_counts_and_sane_offsets(corpora: Callable[[str], Splits], name: str) -> None:
    parts = corpora(name)
    assert (len(parts["train"]), len(parts.get("dev", []))) == SIZES[name]
    assert labels(parts) == LABELS[name]
    excerpts = [e for part in parts.values() for e in part]
    assert len({e.id for e in excerpts}) == len(excerpts)
    assert {e.origin.source for e in excerpts} == {name}
    assert not any(e.complete for e in excerpts)
    check_sane(excerpts)


@pytest.mark.parametrize("name", ["plv", "newsmtsc", "re3d", "unscon"])
def test_real_splits_share_no_document_and_no_sentence(corpora: Callable[[str], Splits], name: str) -> None:
    parts = corpora(name)
    for key in (lambda e: e.origin.document or e.text, lambda e: e.text.casefold()):
        assert not set(map(key, parts["train"])) & set(map(key, parts["dev"]))


def test_real_rows_become_one_excerpt_each(corpora: Callable[[str], Splits]) -> None:
    assert sum(map(len, corpora("plv").values())) == 1050
    assert sum(map(len, corpora("newsmtsc").values())) == 7758
    documents = {e.origin.document for part in corpora("re3d").values() for e in part}
    assert len(documents) == 90
    roots = {p.relation for part in corpora("plv").values() for e in part for p in e.pairs}
    assert roots == set(PLOVER_ROOTS)


def test_real_newsmtsc_keeps_every_target_but_spans_listed_twice(corpora: Callable[[str], Splits]) -> None:
    lines = (CORPORA / "newsmtsc" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    spans = [[(t["from"], t["to"]) for t in json.loads(line)["targets"]] for line in lines if line]
    assert sum(map(len, spans)) == 8739
    assert sum(len(set(row)) for row in spans) == sum(labels(corpora("newsmtsc")).values())


def test_real_unscon_has_no_speaker_against_himself(corpora: Callable[[str], Splits]) -> None:
    names = {
        "Russian Federation": {"Russia", "Moscow", "Russian", "Kremlin"},
        "Ukraine": {"Ukraine", "Kyiv", "Ukrainian"},
    }
    for part in corpora("unscon").values():
        for excerpt in part:
            assert not {p.target.name for p in excerpt.pairs} & names.get(str(excerpt.author), set())


@pytest.mark.parametrize("folder", ["diplomatic", "news"])
def test_real_own_corpora_load(corpora: Callable[[str], Splits], folder: str) -> None:
    parts = READERS["excerpts"](CORPORA / folder)
    assert all(parts.values())
    assert all(e.complete for part in parts.values() for e in part)
