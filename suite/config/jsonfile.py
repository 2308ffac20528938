"""A small JSON file that others may have written -> an object, or a closed pydantic object.

Bounded, and a regular file: a pipe would be waited for, a device never ends. Every error names
the file, and the key.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError

from suite.contracts.task import Closed
from suite.errors import ModelError
from suite.files import parse_json

MOST_BYTES = 1_000_000


class Strict(Closed):
    """An object of such a file: no key beyond its own, and no value taken for one of another type
    (a true for a 1, a "2" for a 2)."""

    model_config = ConfigDict(strict=True)


StrictT = TypeVar("StrictT", bound=Strict)


def read(file: Path, *, most: int = MOST_BYTES, fix: str | None = None) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        most: bytes that are read.
        fix: what would help, where it can't be read.

    Raises:
        ModelError: it is missing, no regular file, too large, no JSON, or no object.
    """

    def refused(reason: str) -> ModelError:
        return ModelError(f"can't be read: {reason}", where=str(file), fix=fix)

    try:
        # Without O_NONBLOCK opening a pipe waits for whoever writes into it.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise refused("it is no regular file")
            if status.st_size > most:
                raise refused(f"it has {status.st_size:,} bytes, and at most {most:,} are read")
            text = stream.read(most + 1).decode("utf-8-sig")
        found = parse_json(text)
        if "\\ud" in text.lower():  # Half a character, which no file or terminal takes.
            json.dumps(found, ensure_ascii=False).encode()
    except FileNotFoundError:
        raise refused("it is missing") from None
    except IsADirectoryError:
        raise refused("it is a folder") from None
    except OSError as error:
        raise refused(error.strerror or type(error).__name__) from None
    except ValueError as error:
        raise refused(f"it is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise refused("it holds no object")
    return found


def load(
    file: Path, model: type[StrictT], *, most: int = MOST_BYTES, fix: str | None = None
) -> StrictT:
    """The object in a JSON file, held to a schema.

    Raises:
        ModelError: as `read`, or the file is not what the schema says; names the first key.
    """
    return held(read(file, most=most, fix=fix), model, file, fix=fix)


def held(found: dict[str, Any], model: type[StrictT], file: Path, *, fix: str | None) -> StrictT:
    """What was read from a file, held to a schema.

    Raises:
        ModelError: it is not what the schema says; names the first key.
    """
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ModelError(
            f"{key + ': ' if key else ''}{first['msg']}", where=str(file), fix=fix
        ) from None
