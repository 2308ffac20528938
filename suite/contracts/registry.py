"""What the suite finds by name: its own classes, and those that other packages bring.

A class of somebody's own comes in through an entry point. Modules are imported only when one is
asked for: listing them must not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from suite.errors import SuiteError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Generic[T]):
    """Objects by name, each made once, of the class that a module has for it.

    Args:
        kind: what they are, for errors.
        group: of entry points; each names a class that takes no arguments.
        own: name -> `module:class`.
    """

    def __init__(self, kind: str, group: str, own: Mapping[str, str]) -> None:
        self.kind = kind
        self.group = group
        self.own = own
        self._made: dict[str, T] = {}

    @cached_property
    def _brought(self) -> dict[str, EntryPoint]:
        # The command line reads `own` for its help, and must not wait for this.
        from importlib.metadata import entry_points

        found = sorted(entry_points(group=self.group), key=lambda entry: entry.name)
        return {entry.name: entry for entry in found if entry.name not in self.own}

    def names(self) -> list[str]:
        """The suite's own, in their order, then what is brought."""
        return [*self.own, *self._brought]

    def get(self, name: str) -> T:
        """The object of that name.

        Raises:
            SuiteError: there is none (the nearest is named), or what was brought can't be loaded.
        """
        if name not in self._made:
            self._made[name] = self._class(name)()
        return self._made[name]

    def distribution(self, name: str) -> str | None:
        """What brought it, as the package index names it; None for the suite's own."""
        entry = self._brought.get(name)
        return None if entry is None or entry.dist is None else entry.dist.name

    def _class(self, name: str) -> Any:
        if name in self.own:
            module, _, attribute = self.own[name].partition(":")
            return getattr(import_module(module), attribute)
        if name not in self._brought:
            raise SuiteError(f"unknown {self.kind} '{name}'", fix=nearest(name, self.names()))
        try:
            return self._brought[name].load()
        except (ImportError, AttributeError) as error:
            raise SuiteError(
                f"the {self.kind} '{name}' can't be loaded: {error}",
                where=self.distribution(name),
                fix="Mend that package, or uninstall it.",
            ) from error
