"""How a command of the workshop ends: 0, or one line that says what to do and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import wraps

from stance.errors import StanceError

Main = Callable[[Sequence[str] | None], int]


def one_line_errors(main: Main) -> Callable[..., int]:
    """Let a command print the mistakes of its user as one line on stderr, without a traceback."""

    @wraps(main)
    def run(arguments: Sequence[str] | None = None) -> int:
        try:
            return main(arguments)
        except StanceError as error:
            print(f"training: {error}", file=sys.stderr)
            return 2

    return run
