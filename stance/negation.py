"""Negation by rule: "Iran thanked China" -> "Iran did not thank China".

No parser: only a sentence in which one listed verb carries the stance, with its subject right before it and the target
behind it in the same clause, is edited; every other one is passed over with its reason.
"""

from __future__ import annotations

import re

from stance.excerpts import Excerpt, GoldPair
from stance.labels import Polarity, Stance
from stance.pairs import AUTHOR, Pair
from stance.rewriting import Check, Counterfactual, Edit, NotSafe, Replacement, Rewriting
from stance.targets import Mention
from stance.verbs import Form, VerbUse, find_verbs

_DENIALS = re.compile(
    r"\b(?:not|cannot|no|never|nor|neither|none|nobody|nothing|without|hardly|barely|(?:den|refus|fail|declin|ceas|stopp)"
    r"(?:y|ies|ied|e|es|ed|s|ing)?)\b|n[’']t\b|\bno longer\b|\b(?:if|whether|unless)\b|\?",
    re.IGNORECASE,
)
_MODALS = frozenset({"will", "would", "can", "could", "shall", "should", "may", "might", "must"})
_HAVE, _BE, _DO = {"has", "have", "had"}, {"is", "are", "was", "were", "am"}, {"do", "does", "did"}
_LATER = frozenset({"be", "been"})
_FINITE = _MODALS | _HAVE | _BE | _DO
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BOUNDARY = re.compile(
    r"[;:–—()\"“”]|\b(?:that|which|who|whose|but|because|while|when|where|after|before|by|to)\b", re.IGNORECASE
)
# What goes on after the target and may say the same again: "met X and exchanged views", "thanked X, and we call on".
_GOES_ON = re.compile(
    r"\b(?:and|but|or),? (?:also |\w+ly )?(?:\w+ed|said|told|made|gave|took|held|we|i|he|she|they|it)\b", re.IGNORECASE
)
_PLURAL = re.compile(r"(?:\b(?:we|i|they|you)|\band(?: \S+){1,3}|[^\W\d_]s)$", re.IGNORECASE)
_IN_LISTS = frozenset({"and", "or", "the", "of"})
_FIRST_PERSON = re.compile(r"\b(?:we|i)$", re.IGNORECASE)


def negate(excerpt: Excerpt, pair: GoldPair, stance: Stance) -> Counterfactual:
    """Negate the verb that carries a pair's stance.

    Every listed pair with this stance toward the same target whose holder stands before the verb is checked, since the
    one verb carries it for all of them ("Xi said China supports Iran").

    Raises:
        NotSafe: the rule does not cover the sentence.
    """
    text = excerpt.text
    if _DENIALS.search(text):
        raise NotSafe("already negated or open")
    use = _carrier(text, pair, stance)
    first, replacement = _denial(text, use)
    subject = text[:first].rstrip()
    ends_subject = any(isinstance(p.holder, Mention) and p.holder.end == len(subject) for p in excerpt.pairs)
    if not (_FIRST_PERSON.search(subject) if pair.holder is AUTHOR else ends_subject):
        raise NotSafe("the holder is not right before the verb")
    edited = Rewriting(text, [replacement])
    checks = []
    for other in excerpt.pairs:
        shares = other.target == pair.target and not isinstance(other.label, Polarity) and stance in other.label
        if shares and (other.holder is AUTHOR or (isinstance(other.holder, Mention) and other.holder.end <= first)):
            before = Pair(excerpt.sentence, other.holder, other.target)
            checks.append(Check(before, edited.move_pair(before), other.label, stance))
    return Counterfactual(Edit.NEGATION, excerpt, edited.text, tuple(checks))


def _carrier(text: str, pair: GoldPair, stance: Stance) -> VerbUse:
    """Find the one verb of the stance, between the holder and the target, in the target's clause."""
    uses = [use for use in find_verbs(text) if use.verb.stance is stance]
    start = pair.holder.end if isinstance(pair.holder, Mention) else 0
    between = [use for use in uses if start <= use.start and use.end <= pair.target.start]
    if not between:
        raise NotSafe("no listed verb of the stance between holder and target")
    if len(uses) > 1:
        raise NotSafe("several verbs of the stance")
    gap = text[between[0].end : pair.target.start]
    gap = _WORD.sub("", gap, count=1) if between[0].verb.particles else gap
    in_list = {w for w in _WORD.findall(gap) if w[0].islower()} <= _IN_LISTS
    if _BOUNDARY.search(gap) or ("," in gap and not in_list):
        raise NotSafe("the target is in another clause than the verb")
    rest = text[pair.target.end :]
    if _GOES_ON.search(rest) or any(Form.THIRD in use.forms for use in find_verbs(rest)):
        raise NotSafe("the sentence goes on with another verb")
    return between[0]


def _denial(text: str, use: VerbUse) -> tuple[int, Replacement]:
    """Say where the verb group starts and how to deny it."""
    words = list(_WORD.finditer(text, 0, use.start))
    auxiliaries: list[re.Match[str]] = []
    while words and words[-1].group().lower() in _FINITE | _LATER:
        auxiliaries.insert(0, words.pop())
    if not auxiliaries:
        return use.start, _with_do(text, use)
    first, last = auxiliaries[0], auxiliaries[-1].group().lower()
    fits = (
        (last in _MODALS | _DO and Form.BASE in use.forms)
        or (last in _HAVE and Form.PARTICIPLE in use.forms)
        or (last in _BE | _LATER and Form.GERUND in use.forms)
    )
    if (
        first.group().lower() not in _FINITE
        or not fits
        or text[first.start() : use.start].count(" ") > len(auxiliaries)
    ):
        raise NotSafe("a verb group that the rule does not know")
    joint = "" if first.group().lower() == "can" else " "
    return first.start(), Replacement(first.end(), first.end(), f"{joint}not")


def _with_do(text: str, use: VerbUse) -> Replacement:
    """Deny a verb without auxiliary; no adverb is let through, as "did not strongly support" leaves some support."""
    passive = re.match(r"\s+by\b", text[use.end :]) and "by" not in use.verb.particles
    noun = use.forms == {Form.BASE} and not _PLURAL.search(text[: use.start].rstrip())
    if passive or noun or not use.forms & {Form.THIRD, Form.PAST, Form.BASE}:
        raise NotSafe("a verb group that the rule does not know")
    auxiliary = "did" if Form.PAST in use.forms else "does" if Form.THIRD in use.forms else "do"
    return Replacement(use.start, use.end, f"{auxiliary} not {use.verb.base}")
