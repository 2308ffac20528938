"""Commands that a person is to paste: what is next, what mends an error, what a page advises.

Names and paths are other people's words: each is quoted for the shell, so that what is pasted is
the command that was meant, and nothing else.
"""

from __future__ import annotations

from suite import redaction


def command(*words: object, storage: str | None = None) -> str:
    """A command of the suite, as it is pasted.

    Args:
        storage: the database it is about, where one was named; a password in it is left to be
            typed.

    >>> command("study", "run", "my mail; rm", storage="sqlite:///a b.db")
    "suite study run 'my mail; rm' --storage 'sqlite:///a b.db'"
    """
    named = () if storage is None else ("--storage", storage)
    return redaction.command(["suite", *map(str, words), *named])
