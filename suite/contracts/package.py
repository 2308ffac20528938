"""A package that only some of the suite's work needs, as whoever needs it declares it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from shlex import quote


@dataclass(frozen=True)
class Package:
    """Something to install.

    Args:
        name: as people call it.
        module: what is imported.
        installs: what pip is given.
        purpose: what needs it.
        distribution: its name on the package index, where that is not the module's.
    """

    name: str
    module: str
    installs: str
    purpose: str
    distribution: str | None = None

    @property
    def present(self) -> bool:
        """Whether it is installed; looks without importing."""
        return find_spec(self.module) is not None

    @property
    def command(self) -> str:
        """What installs it."""
        return f"pip install {quote(self.installs)}"


def missing(packages: Iterable[Package]) -> str | None:
    """What is not installed and how it would be, in one sentence; None where all are."""
    absent = [package for package in packages if not package.present]
    if not absent:
        return None
    commands = dict.fromkeys(package.command for package in absent)
    return f"{', '.join(p.module for p in absent)} not installed: {'; '.join(commands)}"
