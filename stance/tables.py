"""Table: rows of a report as plain text, Markdown or HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass

Cell = str | int | float | None
"""What a cell may hold; a missing or undefined number is written as a dash."""


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; ``notes`` stand below it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Write aligned columns, words to the left and numbers to the right.

        >>> print(Table("Cities", ("name", "F1"), (("Klow", 0.5), ("Istow", None))).to_text())
        Cities
        name      F1
        Klow   0.500
        Istow      –
        """
        lines = [self.head, *(tuple(map(write_cell, row)) for row in self.rows)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.head))]
        right = self._right()
        body = [
            "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True))
            for line in lines
        ]
        return "\n".join([self.title, *(line.rstrip() for line in body), *(f"* {note}" for note in self.notes)])

    def to_markdown(self) -> str:
        """Write a Markdown table under its title in bold.

        >>> print(Table("Cities", ("name", "F1"), (("Klow", 0.5),)).to_markdown())
        **Cities**
        <BLANKLINE>
        | name | F1 |
        | --- | ---: |
        | Klow | 0.500 |
        """
        rules = ["---:" if r else "---" for r in self._right()]
        lines = [self.head, rules, *(tuple(map(write_cell, row)) for row in self.rows)]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        notes = "\n".join(f"* {note}" for note in self.notes)
        return "\n\n".join(part for part in (f"**{self.title}**", table, notes) if part)

    def to_html(self) -> str:
        """Write an HTML table with its title as caption."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.head)
        rows = "".join(
            f"<tr>{''.join(_html_cell(c, r) for c, r in zip(row, self._right(), strict=True))}</tr>"
            for row in self.rows
        )
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        caption = f"<caption>{html.escape(self.title)}</caption>"
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return table + (f"<ul>{notes}</ul>" if notes else "")

    def _right(self) -> list[bool]:
        """Tell which columns hold no words: those are set to the right."""
        return [not any(isinstance(row[i], str) for row in self.rows) for i in range(len(self.head))]


def write_cell(cell: Cell) -> str:
    """Write a cell: three decimals for a fraction, a dash for nothing.

    >>> [write_cell(c) for c in (0.25, float("nan"), 1200, "x")]
    ['0.250', '–', '1200', 'x']
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "–"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def join_tables(tables: Iterable[Table], form: str) -> str:
    """Write tables one below the other, each by the method ``to_<form>``."""
    gap = "\n" if form == "html" else "\n\n"
    return gap.join(getattr(table, f"to_{form}")() for table in tables)


def interval_cell(low: float, high: float) -> str:
    """Write an interval.

    >>> interval_cell(0.5, 0.6)
    '0.500 to 0.600'
    """
    return write_cell(None) if math.isnan(low) else f"{low:.3f} to {high:.3f}"


def _html_cell(cell: Cell, right: bool) -> str:
    style = ' style="text-align: right"' if right else ""
    return f"<td{style}>{html.escape(write_cell(cell))}</td>"
