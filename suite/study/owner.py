"""Who owns a study's files: what `owner.json` in their folder says, and the place of a storage."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import URL

FILE = "owner.json"

#: Far more than an owner needs; what is larger was not written by the suite.
_MOST_BYTES = 65_536

#: A server's port where the address names none.
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}


@dataclass(frozen=True)
class Owner:
    """What stands in `owner.json`.

    Args:
        id: the study's.
        study: its name.
        storage: the place of the storage that may write here, as `place` tells it.
        made_here: whether the study was created here, by its user: only then are files that its
            rows name (the task's, its data) the user's own.
    """

    id: str
    study: str
    storage: dict[str, str]
    made_here: bool = False

    @property
    def where(self) -> str:
        """The storage in words, without a password."""
        if "path" in self.storage:
            return self.storage["path"]
        return ", ".join(self.storage.values())


_OWNER = TypeAdapter(Owner)


def place(url: URL, folder: Path) -> dict[str, str]:
    """Where a storage is, as the owner of a folder names it.

    An SQLite file is named from the folder, so that a project may be moved; a server by its
    address, never with a user or a password.
    """
    if url.get_backend_name() == "sqlite":
        file = Path(url.database or "").resolve()
        return {"backend": "sqlite", "path": os.path.relpath(file, folder.resolve())}
    backend = url.get_backend_name()
    host = url.host or url.query.get("host") or ""
    return {
        "backend": backend,
        "host": host if isinstance(host, str) else ",".join(host),
        "port": str(url.port or _PORTS.get(backend) or ""),
        "database": url.database or "",
    }


def read(folder: Path) -> Owner | None:
    """The owner that a folder names; None where it names none, or in a form that is not ours."""
    try:
        # Neither a link nor a pipe, whoever put it there.
        opened = os.open(folder / FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                return None
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            return None
        return _OWNER.validate_json(content, strict=True)
    except (OSError, ValidationError):
        return None


def write(folder: Path, owner: Owner, scratch: Path) -> None:
    """Names a folder's owner, in one step.

    Args:
        scratch: a folder on the same disk.

    Raises:
        OSError: it can't be written.
    """
    aside = scratch / FILE
    aside.write_text(json.dumps(asdict(owner), indent=1) + "\n", encoding="utf-8")
    os.replace(aside, folder / FILE)
