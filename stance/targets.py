"""Whom we look for, and where they are named."""

from __future__ import annotations

from dataclasses import dataclass, field

from stance.errors import TargetError


@dataclass(frozen=True, slots=True)
class Target:
    """Name an actor, agreement, policy or institution toward which a stance is judged.

    ``aliases`` are further spellings under which the text may name it; they take no part in equality.
    ``id`` is the actor table's identifier (ISO 3166 alpha-3 for states) where the target is in it.

    Raises:
        TargetError: the name or an alias is empty.
    """

    name: str
    aliases: tuple[str, ...] = field(default=(), compare=False)
    id: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.aliases, str):
            raise TargetError(
                f"expected aliases as a list of names; got the string {self.aliases!r}; write aliases=[{self.aliases!r}]"
            )
        object.__setattr__(self, "aliases", tuple(self.aliases))
        for name in (self.name, *self.aliases):
            if not isinstance(name, str) or not any(c.isalnum() for c in name):
                raise TargetError(f"expected a target's name to hold a letter or digit; got {name!r}; give it a name")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a sentence names an actor: half-open character offsets into the sentence.

    ``target`` is the actor named there. A noun phrase or pronoun stands under its own words.
    """

    start: int
    end: int
    target: Target

    @property
    def name(self) -> str:
        """The canonical name of whom the mention names."""
        return self.target.name

    def __str__(self) -> str:
        return self.target.name
