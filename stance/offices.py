"""Offices and the days on which they were held."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from stance.errors import TargetError

_OFFICE = re.compile(r"(?P<title>.*?)\s*(?P<since>[\d-]*)\.\.(?P<until>[\d-]*)")
_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Office:
    """An office and the days from and to which it was held: ISO dates, or a year or month where no more is known.

    Raises:
        TargetError: a date is no ISO date, or the office ends before it begins.
    """

    title: str
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        for day in (self.since, self.until):
            if day is not None and not _is_day(day):
                raise TargetError(f"expected a date as YYYY, YYYY-MM or YYYY-MM-DD; got {day!r}; correct the office")
        if self.since and self.until and self.since[: len(self.until)] > self.until[: len(self.since)]:
            raise TargetError(f"expected an office to begin before it ends; got {str(self)!r}; correct its dates")

    @classmethod
    def parse(cls, text: str) -> Office:
        """Read the written form, ``title since..until``.

        >>> Office.parse("President 2013-08-03..2021-08-03").until
        '2021-08-03'

        Raises:
            TargetError: the text has another form, or a date is wrong.
        """
        parts = _OFFICE.fullmatch(text.strip())
        if parts is None:
            raise TargetError(
                f"expected an office as 'title since..until'; got {text!r}; write the dates with two dots"
            )
        return cls(parts["title"], parts["since"] or None, parts["until"] or None)

    def held_on(self, day: str) -> bool:
        """Say whether the office was held on a day (ISO date); a year counts whole."""
        since = (self.since or "0001") + "-01-01"[len(self.since or "0001") - 4 :]
        until = (self.until or "9999") + "-12-31"[len(self.until or "9999") - 4 :]
        return since <= day <= until

    def __str__(self) -> str:
        return f"{self.title} {self.since or ''}..{self.until or ''}"


def _is_day(day: str) -> bool:
    if not _DAY.fullmatch(day):
        return False
    try:
        date.fromisoformat(day + "-01-01"[len(day) - 4 :])
    except ValueError:
        return False
    return True


def as_day(on: str | date) -> str:
    """Write a day as YYYY-MM-DD.

    Raises:
        TargetError: it is none.
    """
    day = on.isoformat()[:10] if isinstance(on, date) else on
    if len(day) != 10 or not _is_day(day):
        raise TargetError(f"expected a day as YYYY-MM-DD; got {on!r}; write the whole date")
    return day
