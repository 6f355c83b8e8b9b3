"""Targets, the finder that looks for given ones, and the finder that looks on its own."""

import re
import string
import time
import unicodedata
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.actors import Actor, ActorTable, Kind
from stance.errors import TargetError
from stance.sentences import Sentence, split_sentences
from stance.targets import (
    Mention,
    MentionFinder,
    Target,
    as_target,
    expand_targets,
    find_holders,
    find_mentions,
    target_finder,
)
from tests.conftest import quickest

# Invented sentences. [words|id] is a mention of that actor, [words] one under its own name; nothing else is named.
# Sentences of one document are divided by //.
MARKED = """
[Iran|IRN] thanked [China|CHN] for its help.
The [Iranian|IRN] ambassador met two [Iranians|IRN].
[Iranian|IRN] President [Hassan Rouhani|hassan-rouhani] called. // Later [Rouhani|hassan-rouhani] wrote.
We left the [Iran nuclear deal|jcpoa] and blamed [Iran|IRN].
The [JCPOA|jcpoa] is not a treaty with [Tehran|IRN].
Crowds gathered in [Tehran] on Monday.
[South Korea|KOR] answered [North Korea|PRK].
The [Republic of Korea|KOR] and the [DPRK|PRK] spoke.
[South Sudan|SSD] borders [Sudan|SDN].
[Papua New Guinea|PNG] wrote to [Guinea|GIN], [Guinea-Bissau|GNB] and [Equatorial Guinea|GNQ].
[Nigerian|NGA] and [Nigerien|NER] officers met; [Niger|NER] thanked [Nigeria|NGA].
[Dominica|DMA] is an island. // The [Dominican|DMA] prime minister said so.
The [Dominican|DOM] president flew home.
The [Democratic Republic of the Congo|COD] accused [Rwanda|RWA].
[Brazzaville|COG] replied. // The [Congolese|COG] minister agreed.
[Congolese|COD] troops fled.
The [Republic of the Congo|COG] signed.
[Georgia|GEO] thanked [Ukraine|UKR].
Voters in [Georgia|US-GA] and [Florida|US-FL] queued, said Gov. [Brian Kemp].
[Jordan|JOR] hosts many refugees from [Syria|SYR].
Fans of [Michael Jordan] cheered.
Jordan Peele made a film.
King [Abdullah|king-abdullah-ii] of [Jordan|JOR] flew home.
[Chad|TCD] closed its border with [Libya|LBY].
Fish in Lake Chad die.
[Turkey|TUR] objected, and turkey was served.
The [Turkish|TUR] lira fell.
Turkish Airlines cancelled a flight.
He ate french fries and French fries.
The [US|USA] and the [U.S.|USA] are one; tell us why.
The [U.S.|USA]-[China|CHN] talks failed.
American Airlines lost money.
[American|USA] troops left; many [Americans|USA] cheered.
African Americans and Native Americans voted.
[Washington|USA] rejected the offer.
The [Washington Post|washington-post] reported it.
[George Washington] slept here.
He landed in Washington, D.C. on Friday.
[Moscow|RUS] warned [Kyiv|UKR].
They flew from [Moscow] to [Kyiv].
The [Kremlin|RUS] denied it.
The [White House|USA] welcomed the vote.
They met at the White House.
[Brussels|eu] fined nobody.
[Paris|FRA] and [Berlin|DEU] disagreed.
The [Paris Agreement|paris-agreement] binds [France|FRA].
Paris Hilton sang.
[New Mexico|US-NM] is not [Mexico|MEX], nor is New England [England|england].
[Northern Ireland|northern-ireland] is not [Ireland|IRL].
The state of Israel Ortega's health is bad.
[Israel|ISR] and the State of [Palestine|PSE] talked about a [two-state solution|two-state-solution].
The [Palestinian Authority|palestinian-authority] paid.
[Hamas|hamas] and [Hezbollah|hezbollah] denied it; the [Houthis|houthis] did not.
The [Taliban|taliban] and [al-Qaeda|al-qaeda] split, as [Al Qaeda|al-qaeda] said.
[ISIS|islamic-state], also called [Da’esh|islamic-state] or [Daesh|islamic-state], lost.
The [UN|un] and its [Security Council|un-security-council] condemned it.
[UN Security Council|un-security-council] members left.
[NATO|nato] and the [European Union|eu] agreed with the [AU|african-union].
Au revoir, who said so?
The [WHO|who] asked who did it.
He went West and west, but the [West|west] did not.
President [Xi|xi-jinping] spoke. // Then [Xi|xi-jinping] left.
Xi is a letter.
[Theresa May|theresa-may] spoke in May. // Later [May|theresa-may] resigned; it was 3 May 2019.
He may go in May.
Prime Minister [Narendra Modi|narendra-modi] met President [Biden|joe-biden].
[Joseph R. Biden, Jr.|joe-biden] signed.
[Emmanuel Macron|emmanuel-macron]'s aide and [Erdogan|recep-tayyip-erdogan]’s aide met [Erdoğan|recep-tayyip-erdogan].
Foreign Minister [Jane Doe] met spokesman [John Roe]. // [Doe] smiled.
Ambassador Extraordinary to [Chile|CHL].
The [Ministry of Rural Affairs] and the [Blue Prosperity Coalition] signed.
The [Joint Grain Initiative] ([JGI]) began, and the [Grain Trade Council] ([GTC]) met. // The [GTC] adjourned.
The [Belt and Road Initiative|belt-and-road] and [AUKUS|aukus] differ.
The [Communist Party of China|ccp] runs [China|CHN].
The South China Sea is wide, and so is the Indo-Pacific.
The People's Republic of [China|CHN] and the Kingdom of [Morocco|MAR] signed.
[Côte d’Ivoire|CIV] and [Cote d'Ivoire|CIV] are one; so are [Türkiye|TUR] and [Turkey|TUR].
[Myanmar|MMR], once [Burma|MMR]; [Eswatini|SWZ], once [Swaziland|SWZ].
[Britain|GBR] and the [UK|GBR] and the [British|GBR].
[Gaza|gaza] and the [West Bank|west-bank] and [Crimea|crimea].
[SOUTH KOREA|KOR] HITS BACK AT [NORTH KOREA|PRK], TELLS US WHO MET JANE DOE.
"""


def marked(line: str) -> tuple[list[Sentence], list[list[tuple[int, int, str]]]]:
    sentences, expected = [], []
    for part in line.split(" // "):
        text, spans, position = "", [], 0
        for match in re.finditer(r"\[([^\]|]+)(?:\|([^\]]+))?\]", part):
            text += part[position : match.start()]
            spans.append((len(text), len(text) + len(match[1]), match[2] or ""))
            text += match[1]
            position = match.end()
        sentences.append(Sentence.of(text + part[position:]))
        expected.append(spans)
    return sentences, expected


@pytest.mark.parametrize("line", MARKED.strip().splitlines())
def test_names_are_found_without_targets(line: str) -> None:
    sentences, expected = marked(line)
    found = [[(m.start, m.end, m.target.id or "") for m in row] for row in find_mentions(sentences)]
    assert found == expected


def spelt(text: str, mentions: list[Mention]) -> list[str]:
    return [text[m.start : m.end] for m in mentions]


def finds(targets: list[str | Target], text: str) -> list[str]:
    return spelt(text, find_mentions([Sentence.of(text)], targets)[0])


class TestMentionFinder:
    @pytest.mark.parametrize(
        ("name", "text", "expected"),
        [
            ("Iran", "Iranian, Iran's, Iran, Tirana, Iran-backed, non-Iran", ["Iran"] * 4),
            ("Turkey", "turkey Turkey TURKEY", ["Turkey", "TURKEY"]),
            ("US", "us US Us", ["US"]),
            ("AfD", "AfD AFD afd Afd", ["AfD", "AFD"]),
            (
                "nuclear deal",
                "nuclear deal, Nuclear Deal, NUCLEAR DEAL",
                ["nuclear deal", "Nuclear Deal", "NUCLEAR DEAL"],
            ),
            ("Erdogan", "Erdoğan ERDOĞAN Erdogan", ["Erdoğan", "ERDOĞAN", "Erdogan"]),
            ("Erdoğan", "Erdogan", ["Erdogan"]),
            ("Côte d'Ivoire", "Côte d’Ivoire, Co\u0302te d'Ivoire, Cote d`Ivoire", 3),
            ("Sana'a", "Sana’a, Sanaʻa, Sana'a's", ["Sana’a", "Sanaʻa", "Sana'a"]),
            ("Guinea-Bissau", "Guinea‑Bissau, Guinea–Bissau, Guinea Bissau", 3),
            ("South Korea", "South\r\nKorea, South\u00a0Korea, South  Korea, the South. Korea", 3),
            ("U.S.", "U.S. and U.S.-led and the U.S.' aim", ["U.S.", "U.S.", "U.S."]),
            ("OPEC", "OPEC+ and OPEC", ["OPEC", "OPEC"]),
            ("OPEC+", "OPEC+ and OPEC", ["OPEC+"]),
            ("St. Lucia", "St. Lucia and St Lucia", ["St. Lucia", "St Lucia"]),
            ("Xi Jinping", "Xi\nJinping; XI JINPING; Xi, Jinping", ["Xi\nJinping", "XI JINPING"]),
            ("中国", "中国外交部对中国说", ["中国", "中国"]),
            ("イラン", "イランとイラク", ["イラン"]),
            ("이란", "이란은 핵합의를", ["이란"]),
            ("Иран", "Иран и ИРАН, иранский", ["Иран", "ИРАН"]),
            ("إيران", "قالت إيران إن إيرانيا", ["إيران"]),
            ("ایران", "ایران و چین", ["ایران"]),
            ("ประเทศไทย", "ในประเทศไทยวันนี้", ["ประเทศไทย"]),
        ],
    )
    def test_spellings(self, name: str, text: str, expected: list[str] | int) -> None:
        found = spelt(text, MentionFinder([Target(name)]).find(text))
        if isinstance(expected, int):
            assert len(found) == expected
        else:
            assert found == expected

    def test_possessive_is_no_part(self) -> None:
        assert spelt(
            "Iran’s and China's", MentionFinder([Target("Iran"), Target("China")]).find("Iran’s and China's")
        ) == [
            "Iran",
            "China",
        ]

    def test_longest_wins(self) -> None:
        finder = MentionFinder([Target("A B"), Target("B C D"), Target("D"), Target("B")])
        text = "A B C D"
        assert spelt(text, finder.find(text)) == ["B C D"]

    def test_one_spelling_of_two_targets_names_both(self) -> None:
        finder = MentionFinder([Target("JCPOA", aliases=["the deal"]), Target("Accord", aliases=["the deal"])])
        assert [m.name for m in finder.find("They hate the deal.")] == ["Accord", "JCPOA"]

    def test_case_can_be_ignored(self) -> None:
        assert len(MentionFinder([Target("Iran")], case_aware=False).find("iran IRAN Iran")) == 3

    def test_offsets_survive_invisible_characters(self) -> None:
        text = "\ufeffSie sprach mit I\u00adran und E\u0301gypt.\r\n"
        found = MentionFinder([Target("Iran"), Target("Egypt")]).find(text)
        assert spelt(text, found) == ["I\u00adran", "E\u0301gypt"]

    def test_nothing_to_find(self) -> None:
        assert MentionFinder([]).find("Iran") == []
        assert MentionFinder([Target("Iran")]).find("") == []

    def test_cost_does_not_grow_with_targets(self) -> None:
        text = "The ministers of Iran met again and spoke about the water of the great river. " * 2500
        few = MentionFinder([Target("Iran")])
        many = MentionFinder([Target("Iran"), *(_nonsense(i) for i in range(1000))])
        few.find(text)
        ratio = quickest(lambda: many.find(text)) / quickest(lambda: few.find(text))
        assert ratio < 4

    @pytest.mark.slow
    def test_a_thousand_targets_cost_less_than_a_tenth_more(self) -> None:
        """A megabyte of varied text, splitting and finding as ``predict`` does both; compiling the names included."""
        words = "ministers of {} met again in the {} hall and spoke about the water of the great river {} times. "
        text = "".join("The " + words.format(("Iran", "China", "Chile")[i % 3], i % 97, i % 31) for i in range(12_000))[
            :1_000_000
        ]
        few: list[str | Target] = ["Iran"]
        many: list[str | Target] = ["Iran", *(_nonsense(i) for i in range(1000))]
        assert not find_mentions(split_sentences("Nobody."), ["Iran"])[0]  # the table is read once and for all
        seconds = {1: [], 1000: []}  # type: dict[int, list[float]]
        for _ in range(5):
            for number, targets in ((1, few), (1000, many)):
                start = time.process_time()
                find_mentions(split_sentences(text), targets)
                seconds[number].append(time.process_time() - start)
        extra = min(seconds[1000]) / min(seconds[1]) - 1
        print(f"1 target {min(seconds[1]):.2f} s, 1001 targets {min(seconds[1000]):.2f} s: {100 * extra:.1f} % extra")
        assert extra < 0.1


def _nonsense(i: int) -> Target:
    return Target(f"Quux{i} Council", aliases=[f"Quux{i} Body{j}" for j in range(10)])


NAMES = st.lists(
    st.text(alphabet=string.ascii_letters + "éğß中北한이'’-. ", min_size=1, max_size=12).filter(
        lambda name: any(c.isalnum() for c in name)
    ),
    min_size=1,
    max_size=5,
    unique=True,
)


@given(NAMES, st.text(alphabet=" ,;!?\n\u00a0", max_size=3), st.booleans())
def test_every_mention_is_a_spelling_of_its_target(names: list[str], gap: str, decomposed: bool) -> None:
    targets = [Target(name) for name in names]
    text = f" {gap}; ".join(names * 2)
    if decomposed:
        text = unicodedata.normalize("NFD", text)
    found = MentionFinder(targets).find(text)
    for mention in found:
        again = MentionFinder([mention.target]).find(text[mention.start : mention.end])
        assert [m.target for m in again] == [mention.target]
    assert found == MentionFinder(reversed(targets)).find(text)


@settings(deadline=None)  # the first example may load the table
@given(st.text(max_size=200))
def test_free_finder_takes_any_text(text: str) -> None:
    sentence = Sentence.of(text)
    places = [(m.start, m.end) for m in find_mentions([sentence])[0]]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(text) for start, end in places)


def test_free_finder_is_linear_in_one_long_sentence() -> None:
    text = "Iran and the Ministry of Water met Jane Doe in Tehran, China, and Jordan (JWC) "
    short, long = (quickest(partial(find_mentions, [Sentence.of(text * n)])) for n in (100, 800))
    assert long < 24 * short


class TestExpandTargets:
    def test_a_state_gets_adjectives_capital_and_metonyms_but_no_leaders(self) -> None:
        (russia,) = expand_targets(["Russia"])
        assert {"Russian", "Russians", "Moscow", "Kremlin", "Russian Federation"} <= set(russia.aliases)
        assert russia.id == "RUS"
        assert "Putin" not in russia.aliases

    def test_own_aliases_are_kept_and_come_first(self) -> None:
        (jcpoa,) = expand_targets([Target("JCPOA", aliases=["the nuclear deal"])])
        assert jcpoa.name == "JCPOA"
        assert jcpoa.aliases[0] == "the nuclear deal"
        assert "Iran nuclear deal" in jcpoa.aliases

    def test_expansion_can_be_declined(self) -> None:
        target = Target("Iran", aliases=["Persians"], expand=False)
        assert expand_targets([target]) == [target]
        assert finds([target], "Iran and the Iranian side.") == ["Iran"]

    def test_unknown_names_stay(self) -> None:
        assert expand_targets(["Blue Prosperity Coalition"]) == [Target("Blue Prosperity Coalition")]

    @pytest.mark.parametrize(
        ("targets", "message"),
        [
            ([""], "letter or digit"),
            (["  "], "letter or digit"),
            (["Iran", "Iran"], "each target once"),
            (["Iran", "Islamic Republic of Iran"], "each target once"),
            (["Foo", "foo"], "each target once"),
            ("Iran", "list of targets"),
        ],
    )
    def test_bad_targets_are_refused(self, targets: list[str], message: str) -> None:
        with pytest.raises(TargetError, match=message):
            expand_targets(targets)

    def test_a_string_of_aliases_is_refused(self) -> None:
        with pytest.raises(TargetError, match="aliases as a list"):
            Target("Iran", aliases="Persia")


class TestFindMentionsOfTargets:
    def test_adjectives_and_metonyms_count(self) -> None:
        assert finds(["Iran"], "Iranian aid; Tehran's view; Iran; Iranians") == [
            "Iranian",
            "Tehran",
            "Iran",
            "Iranians",
        ]

    def test_capital_as_a_place_does_not(self) -> None:
        assert finds(["Iran"], "They met in Tehran, then Tehran refused.") == ["Tehran"]
        assert finds(["Tehran"], "They met in Tehran.") == ["Tehran"]

    def test_longer_names_of_others_hide_it(self) -> None:
        assert finds(["Guinea"], "Papua New Guinea, Guinea-Bissau and Guinea") == ["Guinea"]
        assert finds(["Iran"], "the Iran nuclear deal and Iran") == ["Iran"]
        assert finds(["United States"], "American Airlines and American aid") == ["American"]
        assert finds(["Jordan"], "Jordan thanked Michael Jordan") == ["Jordan"]

    def test_same_target_twice(self) -> None:
        assert finds(["China"], "China told China.") == ["China", "China"]

    def test_short_name_needs_the_full_name(self) -> None:
        text = "Xi Jinping spoke. Then Xi left."
        found = find_mentions(split_sentences(text), ["Xi Jinping"])
        assert [len(row) for row in found] == [1, 1]
        assert finds(["Xi Jinping"], "Then Xi left.") == []

    def test_finder_can_be_shared(self) -> None:
        finder = target_finder(["Iran", "China"])
        sentences = split_sentences("Iran thanked China. Nobody spoke.")
        assert find_mentions(sentences, finder) == find_mentions(sentences, ["China", "Iran"])

    def test_own_table(self) -> None:
        table = ActorTable([Actor("x", "Xanadu", Kind.STATE, adjectives=("Xanadian",), capitals=("Kubla",))])
        sentence = Sentence.of("Xanadian troops left Kubla; Xanadu wept.")
        assert [m.target.id for m in find_mentions([sentence], ["Xanadu"], table=table)[0]] == ["x", "x", "x"]
        assert [m.name for m in find_mentions([sentence], table=table)[0]] == ["Xanadu"] * 3

    def test_as_target_carries_every_name(self) -> None:
        target = as_target(ActorTable.load()["FRA"])
        assert (target.name, target.id) == ("France", "FRA")
        assert {"French", "Paris"} <= set(target.aliases)


class TestFindHolders:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("They condemned the attack.", ["They"]),
            ("The two leaders met, and he agreed.", ["The two leaders", "he"]),
            ("The Vice President thanked both countries.", ["The Vice President", "both countries"]),
            ("President Biden and the President of Kenya spoke.", ["the President"]),
            ("We and I agree.", []),
            (
                "His Administration and our allies and partners agreed.",
                ["His Administration", "our allies and partners"],
            ),
            ("Critics and supporters shouted.", ["Critics", "supporters"]),
        ],
    )
    def test_pronouns_and_noun_phrases(self, text: str, expected: list[str]) -> None:
        assert spelt(text, find_holders(Sentence.of(text))) == expected

    def test_mentions_are_left_alone(self) -> None:
        sentence = Sentence.of("The Government met them.")
        mention = Mention(4, 14, Target("Government"))
        assert find_holders(sentence, [mention]) == []


def test_unlisted_name_over_a_line_end_is_the_same_actor() -> None:
    name = "Blue Prosperity Coalition"
    sentences = [Sentence.of(f"Iran met the {spelt} and Jane Doe.") for spelt in (name, name.replace(" ", "\n", 1))]
    sentences.append(Sentence.of(f"Iran met the {name.replace(' ', chr(0xA0))} and Jane Doe."))
    spans = [[(s.text.index("Blue"), s.text.index("Coalition") + len("Coalition"))] for s in sentences]
    for tagged in (None, spans):
        found = find_mentions(sentences, tagged=tagged)
        assert {name} <= {m.name for m in found[0]}
        assert [[m.name for m in row] for row in found] == [[m.name for m in found[0]]] * 3
        assert [[(m.start, m.end) for m in row] for row in found] == [[(m.start, m.end) for m in found[0]]] * 3


@pytest.mark.parametrize("space", ["\n", "\u00a0"])
def test_noun_phrase_over_a_line_end_is_a_holder(space: str) -> None:
    text = f"They met, and the two{space}leaders said the Prime{space}Minister condemned Israel."
    assert [m.name for m in find_holders(Sentence.of(text))] == ["They", "the two leaders", "the Prime Minister"]


@pytest.mark.parametrize("targets", [5, [1], [None], [Sentence.of("Iran")]])
def test_what_is_no_target_is_refused(targets: Any) -> None:
    with pytest.raises(TargetError, match=r"^expected "):
        expand_targets(targets)


@pytest.mark.parametrize("aliases", [5, None])
def test_aliases_that_are_no_list_are_refused(aliases: Any) -> None:
    with pytest.raises(TargetError, match="expected aliases as a list of names"):
        Target("Iran", aliases=aliases)
