"""Where things lie: the bundled tasks and recipes, the user's own, and what studies write.

A checkout keeps `tasks/` and `studies/` beside the package; a wheel carries them inside it
(`suite/_bundled/`). A user's own `tasks/*.yaml` in the working folder win over the bundled ones.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

#: The SQLite storage that is used where none is named or set, in the working folder.
STORAGE = f"sqlite:///{Path('studies') / 'suite.db'}"

PACKAGE = Path(__file__).resolve().parent


def bundled(kind: str) -> Path:
    """The folder of shipped YAML files of a kind (`tasks` or `studies`)."""
    inside = PACKAGE / "_bundled" / kind
    return inside if inside.is_dir() else PACKAGE.parent / kind


def yaml_files(kind: str, own: Path | None = None) -> dict[str, Path]:
    """Name -> file of every YAML of a kind; the user's own win over the bundled.

    Args:
        own: the folder of the user's; of that kind in the working folder where None.
    """
    found: dict[str, Path] = {}
    for folder in (bundled(kind), Path.cwd() / (own or kind)):
        if folder.is_dir():
            found.update({p.stem: p for p in sorted(folder.glob("*.yaml"))})
    return found


def is_shipped(file: Path, kind: str) -> bool:
    """Whether a task or recipe came with the suite: with this installation, or with another.

    An installation has its own in `_bundled`, a checkout beside the package, where a user's may lie
    too: git tells them apart. Of a file that is gone the names tell.
    """
    folder = file.absolute().parent
    if folder.name != kind:
        return False
    if folder.parent.name == "_bundled":
        return True
    if not file.exists():
        return (bundled(kind) / file.name).is_file()
    beside = (folder.parent / PACKAGE.name / Path(__file__).name).is_file()
    return (beside or folder == bundled(kind)) and not _untracked(file.absolute())


def _untracked(file: Path) -> bool:
    """Whether git knows the file's folder, and not the file."""
    command = ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", file.name]
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 1
    except (OSError, subprocess.TimeoutExpired):
        return False


def distilled(task: str) -> Path:
    """The file of the thinking traces that `suite distil` wrote for a task."""
    return Path.cwd() / "studies" / "distilled" / f"{task}.jsonl"


def soft_labels(task: str, digest: str) -> Path:
    """The file of a teacher's answers that `suite distil --teacher` wrote for a task: those of this
    digest, or with `*` as a pattern all of them."""
    return distilled(f"{task}~soft-{digest}")  # no task is called so


def soft_begun(task: str, digest: str) -> Path:
    """The file of what a teacher has answered so far; `digest` tells teachers apart."""
    return distilled(f"{task}~begun-{digest}")


def difficulty(task: str) -> Path:
    """The file in which `suite data difficulty` says how hard a task's training rows are."""
    return Path.cwd() / "studies" / "difficulty" / f"{task}.parquet"


def difficulty_begun(task: str, digest: str) -> Path:
    """The file of what a judge has said of rows so far; `digest` tells judges apart."""
    return difficulty(task).with_name(f"{task}~begun-{digest}.jsonl")  # no task is called so


def settings() -> Path:
    """The folder of what a user decides once for all studies (`XDG_CONFIG_HOME`).

    Raises:
        OSError: there is no home folder.
    """
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # A relative one would lie in the working folder, which may be a stranger's.
    if os.path.isabs(base):
        return Path(base) / "suite"
    try:
        return Path.home() / ".config" / "suite"
    except RuntimeError as error:
        raise OSError(str(error)) from None


def cache() -> Path:
    """The folder of what studies share: token ids, embeddings, models built (`SUITE_CACHE`)."""
    home = os.environ.get("SUITE_CACHE")
    if home:
        return Path(home)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "suite"
