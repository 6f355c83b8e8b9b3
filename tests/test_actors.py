"""The actor table: what ships, what a user may bring, and who held office when."""

import json
from datetime import date
from pathlib import Path

import pytest

from stance.actors import Actor, ActorTable, Kind
from stance.errors import DataError, TargetError
from stance.offices import Office
from stance.sentences import Sentence
from stance.spelling import folded
from stance.targets import find_mentions
from training.build_actors import build, to_text

FACTS = Path(__file__).parents[2] / "shared" / "facts"
SHIPPED = Path(__file__).parents[1] / "stance" / "data" / "actors.json"


@pytest.fixture(scope="module")
def table() -> ActorTable:
    return ActorTable.load()


class TestShippedTable:
    def test_it_is_read_once(self, table: ActorTable) -> None:
        assert ActorTable.load() is table

    def test_it_is_large_enough(self, table: ActorTable) -> None:
        kinds = [actor.kind for actor in table]
        states = sum(kind in (Kind.STATE, Kind.TERRITORY) for kind in kinds)
        persons = kinds.count(Kind.PERSON)
        assert states >= 250
        assert persons >= 500
        assert len(table) - states - persons >= 250

    def test_every_iso_state_has_a_three_letter_id(self, table: ActorTable) -> None:
        ids = {actor.id for actor in table if actor.kind is Kind.STATE and actor.id.isupper()}
        assert {"USA", "CHN", "IRN", "XKX", "TWN", "PSE", "VAT"} <= ids
        assert len(ids) >= 249

    def test_names_are_clean(self, table: ActorTable) -> None:
        for actor in table:
            for name in (*actor.spellings, *actor.short_names):
                assert name == name.strip(), actor.id
                assert folded(name), actor.id

    def test_no_name_has_two_bearers_without_a_rule(self, table: ActorTable) -> None:
        bearers: dict[str, str] = {}
        for actor in table:
            for name in actor.spellings:
                if name not in table.shared:
                    assert bearers.setdefault(name, actor.id) == actor.id, name

    def test_rules_name_known_actors(self, table: ActorTable) -> None:
        assert all(i in table for ids in table.shared.values() for i in ids)

    def test_states_of_persons_are_known(self, table: ActorTable) -> None:
        assert all(actor.state in table for actor in table if actor.state is not None)

    def test_no_two_presidents_of_one_state_at_once(self, table: ActorTable) -> None:
        for day in ("1995-06-01", "2005-06-01", "2015-06-01", "2021-08-16", "2025-06-01"):
            for state in ("USA", "FRA", "CHN", "RUS", "BRA", "IRN", "TUR", "MEX", "KOR", "ZAF"):
                holders = table.holders_of_office(state, day)
                assert sum(o.title == "President" for a in holders for o in a.in_office(day)) <= 1, (state, day)

    def test_its_sources_are_recorded(self) -> None:
        content = json.loads(
            (Path(__file__).parents[1] / "stance" / "data" / "actors.json").read_text(encoding="utf-8")
        )
        assert "Open Database Licence" in " ".join(content["about"]["sources"])
        assert date.fromisoformat(content["about"]["known_on"])

    @pytest.mark.skipif(not FACTS.is_dir(), reason="the fact files stand beside the checkout only")
    def test_it_is_what_the_script_builds(self) -> None:
        assert to_text(build(FACTS)) == SHIPPED.read_text(encoding="utf-8")


class TestFind:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("Iran", "IRN"),
            ("iranian", "IRN"),
            ("TEHRAN", "IRN"),
            ("Kremlin", "RUS"),
            ("Cote d’Ivoire", "CIV"),
            ("Turkiye", "TUR"),
            ("Hassan Rohani", "hassan-rouhani"),
            ("Rouhani", "hassan-rouhani"),
            ("Erdogan", "recep-tayyip-erdogan"),
            ("JCPOA", "jcpoa"),
            ("Iran nuclear deal", "jcpoa"),
            ("Congo", "COD"),
            ("Georgia", "GEO"),
            ("Jordan", "JOR"),
            ("Chad", "TCD"),
            ("Washington", "USA"),
            ("Washington State", "US-WA"),
            ("Nobody Known", None),
            ("", None),
            ("Bush", None),
        ],
    )
    def test_by_name(self, table: ActorTable, name: str, expected: str | None) -> None:
        actor = table.find(name)
        assert (actor.id if actor else None) == expected

    @pytest.mark.parametrize(
        ("name", "on", "expected"),
        [
            ("Rouhani", "2021-08-01", "Hassan Rouhani"),
            ("Bush", "1991-01-01", "George H. W. Bush"),
            ("Bush", "2005-01-01", "George W. Bush"),
            ("Park", "2015-01-01", "Park Geun-hye"),
            ("Kaczyński", "2008-06-01", "Lech Kaczyński"),
            ("Aoun", "2020-01-01", "Michel Aoun"),
            ("Aoun", "2025-06-01", "Joseph Aoun"),
        ],
    )
    def test_by_day(self, name: str, on: str, expected: str) -> None:
        actor = Actor.find(name, on=on)
        assert actor is not None
        assert actor.name == expected

    def test_day_as_a_date(self, table: ActorTable) -> None:
        raisi = table.find("Raisi")
        assert raisi is not None
        assert raisi.in_office(date(2021, 8, 16))
        assert not raisi.in_office(date(2021, 8, 1))

    @pytest.mark.parametrize("on", ["2021", "2021-13-01", "yesterday", "2021-02-30"])
    def test_a_day_that_is_none(self, table: ActorTable, on: str) -> None:
        with pytest.raises(TargetError, match="YYYY-MM-DD"):
            table.find("Bush", on)

    def test_holders_of_office(self, table: ActorTable) -> None:
        names = {actor.name for actor in table.holders_of_office("IRN", "2021-08-01")}
        assert {"Hassan Rouhani", "Ali Khamenei"} <= names
        assert "Ebrahim Raisi" not in names


class TestOffice:
    def test_written_form_goes_both_ways(self) -> None:
        office = Office("Foreign Minister", "2013-08", None)
        assert Office.parse(str(office)) == office

    @pytest.mark.parametrize(
        ("day", "held"), [("2012-12-31", False), ("2013-01-01", True), ("2015-06-30", True), ("2015-07-01", False)]
    )
    def test_a_year_or_month_counts_whole(self, day: str, held: bool) -> None:
        assert Office("President", "2013", "2015-06").held_on(day) is held

    @pytest.mark.parametrize(
        "text", ["President", "President 2013-2015", "President 2015..2013", "President 2013-31..", "X ..20"]
    )
    def test_bad_offices_are_refused(self, text: str) -> None:
        with pytest.raises(TargetError):
            Office.parse(text)


class TestOwnTable:
    def test_json_and_csv_read_alike(self, tmp_path: Path) -> None:
        record = {
            "id": "x",
            "name": "Xanadu",
            "kind": "state",
            "aliases": ["Land of X", "Xa"],
            "adjectives": ["Xanadian"],
            "offices": ["King 1999..2001"],
        }
        as_json, as_csv = tmp_path / "own.json", tmp_path / "own.csv"
        as_json.write_text(json.dumps([record]), encoding="utf-8")
        as_csv.write_text(
            "id,name,kind,aliases,adjectives,offices\nx,Xanadu,state,Land of X|Xa,Xanadian,King 1999..2001\n", "utf-8"
        )
        (actor,) = ActorTable.from_file(as_json)
        assert [actor] == list(ActorTable.from_file(as_csv))
        assert actor.spellings == ("Xanadu", "Land of X", "Xa", "Xanadian")

    def test_own_records_win(self, table: ActorTable) -> None:
        own = ActorTable([Actor("IRN", "Persia", Kind.STATE), Actor("new", "Tehran", Kind.COMPANY)])
        merged = table.merged_with(own)
        assert merged["IRN"].name == "Persia"
        assert len(merged) == len(table) + 1
        assert merged.find("Tehran") == own["new"]
        assert table["IRN"].name == "Iran"

    def test_own_record_wins_a_name_that_several_of_ours_share(self, table: ActorTable) -> None:
        assert "Georgia" in table.shared
        merged = table.merged_with(ActorTable([Actor("acme", "Georgia", Kind.COMPANY)]))
        assert merged.find("Georgia") == merged["acme"]
        (found,) = find_mentions([Sentence.of("Georgia sued Iran.")], table=merged)
        assert [m.target.id for m in found] == ["acme", "IRN"]

    @pytest.mark.parametrize(
        ("name", "text", "row", "message"),
        [
            (
                "a.json",
                '[{"id": "x", "name": "X", "kind": "state"}, {"id": "x", "name": "Y", "kind": "state"}]',
                2,
                "once",
            ),
            ("a.json", '[{"id": "x", "name": "X", "kind": "state", "aliases": [""]}]', 1, "letter or digit"),
            ("a.json", '[{"id": "x", "name": "X", "kind": "planet"}]', 1, "kind"),
            ("a.json", '[{"id": "x", "name": "X", "kind": "state", "alias": ["Y"]}]', 1, "'alias'"),
            ("a.json", '[{"id": "x", "name": "X", "kind": "state", "aliases": "Y"}]', 1, "list"),
            ("a.json", '[{"id": "x", "kind": "state"}]', 1, "'name'"),
            ("a.json", '[{"id": " ", "name": "X", "kind": "state"}]', 1, "id"),
            ("a.json", '[{"id": "x", "name": "X", "kind": "person", "offices": ["King 2000..1999"]}]', 1, "begin"),
            ("a.json", '[{"id": "x", "name": "X", "kind": "person", "offices": ["King"]}]', 1, "since..until"),
            ("a.json", "[\n{,}]", 2, "JSON"),
            ("a.json", '["x"]', 1, "object"),
            ("a.csv", "id,name,kind\nx,X,state\nx,Y,state\n", 3, "once"),
            ("a.csv", "id,name,kind,aliases\nx,X,state,A||B\n", 2, "letter or digit"),
            ("a.csv", "id,name,kind,offices\nx,X,person,King 1999-31..\n", 2, "YYYY"),
            ("a.csv", "id,name,kind,aliases\ny,Y,state,\nx,X,state,A,B\n", 3, "beyond"),
            ("a.csv", 'id,name,kind\nx,"X"Y,state\n', 2, "CSV"),
            ("a.json", '[{"id": "x", "name": "X", "kind": "person", "state": 7}]', 1, "'state'"),
        ],
    )
    def test_bad_tables_name_file_and_row(self, tmp_path: Path, name: str, text: str, row: int, message: str) -> None:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=message) as caught:
            ActorTable.from_file(path)
        assert str(caught.value).startswith(f"{path}:{row}:")

    def test_unreadable_files(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="readable"):
            ActorTable.from_file(tmp_path / "missing.json")
        (tmp_path / "object.json").write_text('{"people": []}', encoding="utf-8")
        with pytest.raises(DataError, match="list of actors"):
            ActorTable.from_file(tmp_path / "object.json")

    @pytest.mark.parametrize("rules", ['"shared": ["X"]', '"shared": {"X": "x"}', '"not_names": "X"'])
    def test_bad_rules_name_the_file(self, tmp_path: Path, rules: str) -> None:
        path = tmp_path / "own.json"
        path.write_text(f'{{"actors": [], {rules}}}', encoding="utf-8")
        with pytest.raises(DataError, match="expected") as caught:
            ActorTable.from_file(path)
        assert str(caught.value).startswith(f"{path}:")

    def test_an_id_twice_is_refused(self) -> None:
        with pytest.raises(TargetError, match="each id once"):
            ActorTable([Actor("x", "X", Kind.STATE), Actor("x", "Y", Kind.STATE)])
