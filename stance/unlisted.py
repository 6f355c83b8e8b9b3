"""Names that no table lists, found by what surrounds them or by their head word. Precision before recall.

A person's name follows a title or role ("Foreign Minister Jane Doe", "spokesman John Roe") or opens with a known given
name. An organisation, agreement or policy is a run of words with capitals that holds a head word: at its end ("Blue
Prosperity Coalition") or opening it ("Ministry of Education", "Declaration on Fisheries"). Headlines give none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stance.spelling import Passage


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HONORIFICS = _words(
    """
    administrator admiral adviser advisor ambassador archbishop ayatollah bishop captain cardinal chancellor col
    colonel commander commissioner congressman congresswoman dr emir emperor gen general gov governor imam judge
    justice king lady lieutenant lord marshal mayor minister mr mrs ms mullah pope premier president president-
    elect prince princess prof professor queen rep representative rev reverend secretary secretary-general sen
    senator sergeant sgt shaikh sheikh sheriff sir speaker sultan taoiseach vice-president
    """
)
TITLES = _HONORIFICS | _words(
    """
    activist assistant attorney candidate chair chairman chairperson chairwoman chief coordinator counselor
    deputy dictator director director-general envoy excellency founder head inspector journalist lawmaker lawyer
    leader lt manager member nominee officer prosecutor spokesman spokesperson spokeswoman strongman treasurer
    """
)
"""Words before a person's name; the honorifics among them also before a surname alone."""
ORDINARY = _words(
    """
    a about additionally after against all also although among an and april are as at august be because been
    before between both but by can could counsel dear december despite dr during excellencies extraordinary
    february finally for former friday from furthering furthermore had has have he her here his how however i if
    in is it its january july june let like many march may meanwhile might monday moreover most mr mrs ms must
    my next no not november now october of on or our over per perhaps plenipotentiary saturday september she
    should since some state states sunday that the their then there these they this those though through
    thursday to today tomorrow toward towards tuesday under unlike until via was we wednesday were what when
    where which while who why will with within without would yesterday you your
    """
)
"""Words that no unlisted name contains or begins with, whatever their case."""
# Heads of many ordinary phrases: they need two words before them.
_WEAK_HEADS = _words(
    """
    agenda assembly campaign charter conference court dialogue framework group house intelligence mission office
    organisation organization parliament police program programme project secretariat service union
    """
)
HEADS = _WEAK_HEADS | _words(
    """
    academy accord accords act agency agreement alliance amendment army association authority bank battalion
    brigade brigades bureau center centre coalition command commission committee compact congress consensus
    convention corporation corps corridor council declaration department doctrine exchange federation forum
    foundation front fund initiative institute institution league mechanism memorandum movement museum network
    pact partnership party plan protocol senate society statute strategy treaty tribunal trust university
    """
)
"""Words that end or open the name of a body, agreement or policy."""
_OPENING_HEADS = _words(
    """
    agency agreement alliance association bank bureau center centre charter coalition commission committee
    convention council court declaration department federation framework fund initiative institute league
    ministry office organisation organization partnership party plan protocol secretariat strategy treaty union
    university
    """
)
_CONNECTORS = _words("of for on against")
_PARTICLES = _words("abu al ben bin da de del den der di dos el ibn la le van von")
_SMALL = _words("a after amid an and as at but by for from in into is nor of on or over the to up via vs with")
_LONGEST_PERSON = 5  # words
_SHORTEST_HEADLINE = 5  # words

Run = tuple[int, int]
"""A half-open range of words of a passage."""


def is_headline(passage: Passage) -> bool:
    """Say whether a sentence is in title case or capitals, so that capitals tell nothing."""
    words = [passage.raw(i) for i in range(len(passage)) if passage.raw(i)[:1].isalpha()]
    small = [word for word in words if not word[0].isupper()]
    return len(words) >= _SHORTEST_HEADLINE and all(word in _SMALL or len(word) == 1 for word in small)


def find_persons(passage: Passage, taken: Collection[int], given_names: Collection[str]) -> Iterator[Run]:
    """List runs of words that name a person; ``taken`` holds the words that known names occupy."""
    i = 0
    while i < len(passage):
        end = _person_end(passage, i, taken, given_names)
        if end is not None:
            yield i, end
        i = end or i + 1


def find_bodies(passage: Passage, fixed: Collection[int], last_words: Collection[int] = ()) -> Iterator[Run]:
    """List runs of words that name an organisation, agreement or policy.

    ``fixed`` words can be no part of one; after ``last_words``, the ends of known names, "and" begins another name.
    """
    i = 0
    while i < len(passage):
        form = passage.words[i].form
        if not passage.has_capital(i) or form in ORDINARY or form in TITLES or i in fixed:
            i += 1
            continue
        end, stop = _body_end(passage, i, fixed, last_words)
        if stop - i >= 2:
            yield i, stop
        i = end


def _person_end(passage: Passage, i: int, taken: Collection[int], given_names: Collection[str]) -> int | None:
    """Give the end of the person's name that begins at word i, if one does."""
    form = passage.words[i].form
    if i in taken or not passage.has_capital(i) or form in TITLES or form in ORDINARY or form in HEADS:
        return None
    titled = i > 0 and passage.words[i - 1].form in TITLES and passage.adjacent(i - 1)
    if not titled and passage.raw(i) not in given_names:
        return None
    end = _run_end(passage, i, taken)
    honoured = titled and passage.has_capital(i - 1) and passage.words[i - 1].form in _HONORIFICS
    if end - i > _LONGEST_PERSON or (end - i == 1 and not honoured):
        return None
    if any(passage.words[k].form in HEADS or passage.words[k].form in TITLES for k in range(i, end)):
        return None
    return end


def _run_end(passage: Passage, i: int, taken: Collection[int]) -> int:
    """Give the end of the run of words with capitals, particles and initials that begins at word i."""
    end = i + 1
    while end < len(passage) and passage.adjacent(end - 1) and end not in taken:
        form = passage.words[end].form
        if form in _PARTICLES and end + 1 < len(passage) and passage.has_capital(end + 1):
            end += 2
            continue
        if not passage.has_capital(end) or (form in ORDINARY and len(form) > 1):
            break
        end += 1
    if end < len(passage) - 1 and passage.raw(end) == "," and passage.words[end + 1].form in ("jr", "sr"):
        end += 2
    return end


def _body_end(passage: Passage, i: int, fixed: Collection[int], last_words: Collection[int]) -> Run:
    """Give the end of the run that begins at word i, and of the body in it (i if there is none)."""
    words, end, stop = passage.words, i + 1, i
    opened = False
    while end < len(words) and passage.adjacent(end - 1) and end not in fixed:
        form = words[end].form
        if passage.has_capital(end) and form not in ORDINARY:
            end += 1
        else:
            following = _after_connector(passage, end, opened or words[end - 1].form in _OPENING_HEADS, opened)
            if following is None or following in fixed or (form == "and" and not opened and end - 1 in last_words):
                break
            opened = opened or form in _CONNECTORS
            end = following + 1
        stop = _stop(passage, i, end, opened, stop)
    return end, stop


def _stop(passage: Passage, i: int, end: int, opened: bool, stop: int) -> int:
    if opened:
        return end
    form = passage.words[end - 1].form
    if form in HEADS and (form not in _WEAK_HEADS or end - i >= 3):
        return end
    return stop


def _after_connector(passage: Passage, k: int, after_head: bool, opened: bool) -> int | None:
    """Give the next word with a capital if small words that can stand inside a name lead to it from word k."""
    form = passage.words[k].form
    if form == "and":
        following = k + 1
    elif form in _CONNECTORS and after_head:
        following = k + 2 if k + 1 < len(passage) and passage.words[k + 1].form == "the" else k + 1
    else:
        return None
    if form == "and" and not opened and passage.words[k - 1].form in HEADS:
        return None
    if following >= len(passage) or not passage.has_capital(following) or passage.words[following].form in ORDINARY:
        return None
    return following if all(passage.adjacent(j) for j in range(k - 1, following)) else None
