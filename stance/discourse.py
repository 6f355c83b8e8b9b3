"""What a sentence tells of those it names: persons or bodies, subjects, titles, and for whom a person speaks.

Surface cues only, no parser: a title or given name makes an unlisted name a person, a verb right after a name makes it
a subject, "and" between names makes a group, and "Iranian President Hassan Rouhani" is a person and his state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from stance.actors import Actor, ActorTable, Kind
from stance.spelling import folded
from stance.targets import Mention, Target, as_target
from stance.unlisted import HEADS, TITLES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLLECTIVE = frozenset(Kind) - {Kind.REGION, Kind.PERSON, Kind.AGREEMENT}
"""Kinds that act as one body."""
_REPRESENTED = frozenset([Kind.STATE, Kind.TERRITORY, Kind.ORGANISATION, Kind.ARMED_GROUP])
TITLE_PARTS = TITLES | _words(
    """
    affairs armed chief commander-in-chief crown defence defense deputy economy energy federal finance first
    foreign high house interior justice ministry national nuclear of policy press prime secretary security senior
    special state supreme top trade treasury vice white
    """
)
"""Words of which titles are made, folded."""
# Who holds one of these speaks for the body named before it; a senator, lawyer or activist does not.
_OFFICIALS = _words(
    """
    ambassador chancellor chief commissioner diplomat emir emperor envoy king leader minister negotiator premier
    president prince queen secretary secretary-general spokesman spokesperson spokeswoman sultan taoiseach
    """
)
_FORMER = _words("former ex-president then-president late future opposition former-president")
_NATIONAL = re.compile(
    r"(?:Vice |Deputy )?(?:President|Premier|Prime Minister)|(?:Foreign|Finance|Defence|External Affairs) Minister"
    r"|leader|head of (?:state|government)|King|Queen|Emir|Sultan|Emperor|Crown Prince|Chancellor|Taoiseach"
    r"|Supreme Leader"
    r"|General Secretary|Foreign Secretary|(?:Deputy )?Secretary of (?:State|Defense|the Treasury|Commerce)"
    r"|National Security Advisor|Trade Representative|White House Press Secretary|Kremlin spokesman"
    r"|Foreign Ministry spokeswoman|Ambassador to the United Nations"
)
_WOMEN = _words(
    """
    Abigail Aguila Aisha Alice Alicia Amanda Amina Amy Ana Angela Anita Ann Anna Annalena Anne Avril Barbara Beata
    Benazir Betty Beverly Brenda Brittany Carly Carmen Carol Carolyn Carrie Catherine Chandrika Charlotte Cheryl
    Christina Christine Chrystia Claire Claudia Condoleezza Cristina Cynthia Dalia Danielle Deborah Debra Delcy
    Denise Diana Diane Dilma Dina Donna Doris Droupadi Ekaterina Elena Elina Elizabeth Ellen Emily Emma Erna Eva
    Evika Fatima Fatou Federica Fiona Frances Gabriela Gina Giorgia Gloria Greta Hannah Harriet Heather Helen
    Helena Helle Hilda Hillary Hina Ilhan Ingrid Ingrida Irina Isabel Isabella Ivanka Jacinda Jacqueline Jane
    Janet Janice Jeanine Jen Jennifer Jessica Jill Joan Joyce Judith Judy Julia Julie Kaja Kamala Kamla Karen
    Karin Karine Karoline Kate Katerina Katherine Kathleen Kathryn Katie Katrín Kayla Kellyanne Kersti Khaleda
    Kimberly Kirsten Kolinda Kristalina Kristi Kristrún Laura Lauren Leila Linda Lisa Liz Loretta Lori Lucia Lucy
    Madeleine Madison Magdalena Maia Malala Mamata Margaret Margot Mari Maria Marie Marilyn Marise Martha Mary
    María Masako Megan Melania Melissa Mette Mia Michelle Mélanie Naledi Nanaia Nancy Natalia Natalie Natasha
    Netumbo Ngozi Nicola Nicole Nikki Nirmala Olga Olivia Paetongtarn Pam Pamela Patricia Penny Priti Priya Rachel
    Rashida Rebecca Retno Roberta Rosa Rosario Rosemary Rosie Ruth Sally Salome Samantha Sanae Sandra Sanna Sara
    Sarah Sharon Shirley Sofia Sonia Sophia Stephanie Sue Sunita Susan Sushila Sushma Svetlana Sviatlana Tatiana
    Teresa Theresa Tulsi Tzipi Ursula Victoria Viola Vivian Vjosa Wendy Xiomara Yasmin Yingluck Yoko Yulia Yvette
    Zuzana Élisabeth
    """
)
_EITHER = _words("Alex Andrea Ariel Chan Evelyn Hun Jean Jesse Kelly Kim Leung Lindsey Luong Robin Sam Terry")
_HE_TITLES = _words("mr king prince emperor sultan emir sheikh pope sir lord imam ayatollah mullah")
_SHE_TITLES = _words("mrs ms queen princess lady madam")
_VERBS = _words(
    """
    said says told tells met meets meet held holds spoke speaks wrote writes has have had will would can could may
    must should is was were are did does do made makes took takes gave gives went came got left sent sends won
    lost began found thought kept keeps saw became brought built bought fought stood stands put sought seeks let
    led hit paid cut set owes wants want needs need thanks blames backs supports support opposes oppose regrets
    hopes urges calls denies refuses rejects accepts warns welcomes praises condemns accuses agrees agree plans
    remains continues sees asks joins shares
    """
)
_PREPOSITIONS = _words(
    "of in with by from to for against on at between toward towards about over under into near and than via"
)
_LOCATIVES = _words("in at from near across inside outside into")
_APPOSITIVE = re.compile(r",[^,.;“”\"]{1,70},(?= [a-z])")
_ADVERB = re.compile(r"\s+(?:also|then|later|now|\w+ly|never|still|again|himself|herself)(?= )")
_OF_STATE = re.compile(r",?\s+(?:of|to|for) (?:the )?")
_COMMA = re.compile(r"(?:[’']s)?,\s+(?:the |its |a )?")
_INVERTED = re.compile(r"(?:(?:[’']s)? [a-z -]{1,40})?,\s+")
_TITLE_OF = re.compile(r",\s+(?:the |an? )?[\w -]{1,50} (?:of|to|for) (?:the )?")
_POSSESSIVE = re.compile(r"[’']s?\s+|\s+")


@dataclass(frozen=True, slots=True)
class Appearance:
    """One place where a sentence names or refers to somebody.

    ``kind`` is None for names that are neither persons nor bodies; ``pronoun`` is "he" or "she" where the name tells;
    ``titles`` are folded office titles that the text gives here; ``place`` says that it only says where.
    """

    start: int
    end: int
    target: Target
    kind: Kind | None
    subject: bool = False
    pronoun: str | None = None
    titles: frozenset[str] = frozenset()
    place: bool = False


@dataclass(slots=True)
class Cast:
    """Whom a document has named so far, and what it told of them.

    ``states`` is for whom a person speaks. ``titles`` are the persons named with a title, folded, each with the number
    of the last sentence that names him, the last one last; ``offices`` the same after the table.
    """

    table: ActorTable
    persons: set[Target] = field(default_factory=set)
    states: dict[Target, Target] = field(default_factory=dict)
    titles: dict[str, dict[Target, int]] = field(default_factory=dict)
    offices: dict[str, dict[Target, int]] = field(default_factory=dict)
    by_id: dict[str, Target] = field(default_factory=dict)
    pronouns: dict[Target, str] = field(default_factory=dict)

    def actor(self, target: Target) -> Actor | None:
        """Give the table's record of a target, if it has one."""
        return self.table[target.id] if target.id is not None and target.id in self.table else None

    def state_of(self, person: Target) -> Target | None:
        """Give the state or body for which a person speaks: the text's word, else his last office in the table."""
        if person in self.states:
            return self.states[person]
        actor = self.actor(person)
        if actor is None or actor.kind is not Kind.PERSON or actor.state is None or actor.state not in self.table:
            return None
        last = max(actor.offices, key=lambda o: (o.until is None, o.until or "", o.since or ""), default=None)
        if last is None or not _NATIONAL.fullmatch(last.title):
            return None
        state = self.by_id.get(actor.state) or as_target(self.table[actor.state])
        return self.states.setdefault(person, state)


def read_cast(text: str, mentions: Sequence[Mention], cast: Cast, number: int) -> list[Appearance]:
    """List who appears in a sentence, the ``number``-th of its document, and add to the cast what it tells of them."""
    titles = [titles_before(text, m.start) for m in mentions]
    read = []
    for mention, given in zip(mentions, titles, strict=True):
        kind = _kind(mention, given, cast)
        read.append(_appearance(text, mention, kind, given, cast))
    for left, right in pairwise(read):
        _link(text, left, right, cast)
    for a in read:
        if a.target.id is not None:
            cast.by_id.setdefault(a.target.id, a.target)
        if a.kind is Kind.PERSON:
            _note(a.target, a.titles, cast.titles, number)
            _note(a.target, _table_titles(cast.actor(a.target)), cast.offices, number)
    return read


def _note(person: Target, titles: Iterable[str], known: dict[str, dict[Target, int]], number: int) -> None:
    for title in titles:
        bearers = known.setdefault(title, {})
        bearers.pop(person, None)
        bearers[person] = number


def titles_before(text: str, start: int) -> tuple[str, ...]:
    """List the words of the title that stands right before a name, folded.

    >>> titles_before("It asked Iranian Foreign Minister Jane Doe", 34)
    ('foreign', 'minister')
    """
    found: list[str] = []
    for word in reversed(text[max(0, start - 80) : start].split()):
        form = folded(word.rstrip("."))
        if word[-1] in ",;:)" or form.replace(" ", "-") not in TITLE_PARTS:
            break
        found.insert(0, form.replace(" ", "-"))
    while found and found[0] == "of":
        found.pop(0)
    return tuple(found) if found and not TITLES.isdisjoint(found) else ()


def titles_after(text: str, end: int) -> tuple[str, ...]:
    """List the words of the title that stands right after a state's name, folded: "Iranian foreign minister"."""
    found: list[str] = []
    gap = _POSSESSIVE.match(text, end)
    for word in text[gap.end() : gap.end() + 60].split() if gap else ():
        form = folded(word.strip(",.;:")).replace(" ", "-")
        if form not in TITLE_PARTS or form == "of":
            break
        found.append(form)
        if word[-1] in ",.;:":
            break
    return tuple(found) if found and found[-1] in TITLES else ()


def as_titles(words: Iterable[str]) -> frozenset[str]:
    """Name the titles that title words make: "foreign minister" is one and "minister" too, "vice president" one only.

    >>> sorted(as_titles(["foreign", "minister"])), sorted(as_titles(["vice", "president"]))
    (['foreign minister', 'minister'], ['vice president'])
    """
    words = [part for word in words for part in word.split("-")]
    if not words:
        return frozenset()
    whole = " ".join(words)
    shorter = words[0] not in ("prime", "vice", "deputy") and words[-1] in TITLES
    return frozenset([whole, words[-1]] if shorter else [whole])


def _kind(mention: Mention, titles: Sequence[str], cast: Cast) -> Kind | None:
    """Say what a mention names; places without an actor are regions."""
    target = mention.target
    actor = cast.actor(target)
    if actor is not None:
        return actor.kind
    words = target.name.split()
    if target in cast.persons or (len(words) > 1 and words[0] in cast.table.given_names) or titles:
        cast.persons.add(target)
        return Kind.PERSON
    bearer = cast.table.find(target.name)
    if bearer is not None:
        return Kind.REGION if bearer.kind is Kind.STATE else bearer.kind
    return Kind.INSTITUTION if folded(words[-1]) in HEADS or folded(words[0]) in HEADS else None


def _appearance(text: str, mention: Mention, kind: Kind | None, titles: Sequence[str], cast: Cast) -> Appearance:
    person = kind is Kind.PERSON
    before = text[max(0, mention.start - 30) : mention.start].split()
    word = before[-1].lower() if before else ""
    if word == "the" and len(before) > 1:
        word = before[-2].lower()
    return Appearance(
        mention.start,
        mention.end,
        mention.target,
        kind,
        subject=word not in _PREPOSITIONS - {"and"} and verb_follows(text, mention.end, person),
        pronoun=_pronoun(mention.target, titles, cast) if person else None,
        titles=as_titles(titles) if person else frozenset(),
        place=not person and word in _LOCATIVES,
    )


def verb_follows(text: str, end: int, person: bool = True) -> bool:
    """Say whether the words that end here are the subject of the verb after them.

    >>> verb_follows("Xi also said so", 2), verb_follows("They met Xi on Monday", 11)
    (True, False)
    """
    aside = _APPOSITIVE.match(text, end)
    end = aside.end() if aside else end
    while (adverb := _ADVERB.match(text, end)) is not None:
        end = adverb.end()
    following = text[end : end + 30]
    word = following.split()[0].rstrip(",.;:") if following[:1] == " " and following.strip() else ""
    if not word or not word[0].islower():
        return False
    return word in _VERBS or word.endswith("ed") or (person and word.endswith("s") and word not in _PREPOSITIONS)


def _pronoun(person: Target, titles: Sequence[str], cast: Cast) -> str | None:
    """Give "he" or "she" where a title or the given name tells which."""
    if not _SHE_TITLES.isdisjoint(titles):
        cast.pronouns[person] = "she"
    elif not _HE_TITLES.isdisjoint(titles):
        cast.pronouns[person] = "he"
    if person not in cast.pronouns:
        first = person.name.split()[0]
        known = first in cast.table.given_names and first not in _EITHER
        cast.pronouns[person] = "she" if first in _WOMEN else "he" if known else ""
    return cast.pronouns[person] or None


def _table_titles(actor: Actor | None) -> frozenset[str]:
    offices = [folded(o.title).partition(" of the ")[0] for o in actor.offices] if actor else []
    return frozenset(title for office in offices for title in as_titles(office.split()))


def _link(text: str, left: Appearance, right: Appearance, cast: Cast) -> None:
    """Note for whom a person speaks where apposition says so."""
    gap = text[left.end : right.start]
    if left.kind in _REPRESENTED and right.kind is Kind.PERSON:
        inverted = _INVERTED.fullmatch(gap) and (gap[0] in "’'" or _is_official(_title_of(text, left.start)))
        former = {word.lower() for word in text[max(0, left.start - 20) : left.start].split()[-1:]}
        if (before_person(text, left, right) or inverted) and _FORMER.isdisjoint(former):
            cast.states[right.target] = left.target
    elif left.kind is Kind.PERSON and right.kind in _REPRESENTED:
        of = _OF_STATE.fullmatch(gap) and _is_official(left.titles)
        after = _COMMA.fullmatch(gap) and _is_official(titles_after(text, right.end))
        within = _TITLE_OF.fullmatch(gap) and _is_official(_title_of(text, right.start))
        if of or after or within:
            cast.states[left.target] = right.target


def before_person(text: str, state: Appearance, person: Appearance) -> bool:
    """Say whether a state stands in apposition before a person: "Iranian President Hassan Rouhani"."""
    gap = _POSSESSIVE.match(text, state.end)
    if gap is None or person.start - state.end > 80:
        return False
    words = [folded(w).replace(" ", "-") for w in text[gap.end() : person.start].split()]
    return _is_official(words) and _FORMER.isdisjoint(words) and all(w in TITLE_PARTS | {"the"} for w in words)


def _title_of(text: str, start: int) -> tuple[str, ...]:
    """Read the title in "the president of" right before a state's name."""
    before = text[max(0, start - 80) : start].split()
    if before[-1:] == ["the"]:
        before.pop()
    if before[-1:] not in (["of"], ["to"], ["for"]):
        return ()
    return titles_before(" ".join(before[:-1]), 1000)


def _is_official(titles: Iterable[str]) -> bool:
    return any(word in _OFFICIALS for title in titles for word in title.split())
