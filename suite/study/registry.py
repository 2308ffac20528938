"""Samplers of others, from a local copy of OptunaHub's registry that the user names.

OptunaHub itself fetches code when a program runs. Here nothing is fetched: a recipe names a
package, and the folder that it is taken from is named by the environment alone, never by a recipe,
a study or a file of the working folder, since what lies there is run.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from pathlib import Path
from types import ModuleType

from optuna.samplers import BaseSampler

from suite.errors import StudyError, nearest

#: Where the copy lies.
VARIABLE = "SUITE_OPTUNAHUB"


def check(package: str | None) -> None:
    """Sees that a sampler of a registry can be had, where a recipe names one.

    Raises:
        StudyError: as `load`.
    """
    if package is not None:
        load(package, 0)


def load(package: str, seed: int) -> BaseSampler:
    """A sampler of a registry.

    Args:
        package: as a recipe has it: `samplers/NAME`, or `samplers/NAME:CLASS` where it has several.
        seed: given to a sampler that takes one.

    Raises:
        StudyError: no registry is named, it has no such package, or that has no such sampler or
            does not run here.
    """
    name, _, wanted = package.partition(":")
    file = _file(name)
    try:
        kinds = _samplers(_module(name, file))
        kind = kinds.get(wanted) if wanted else next(iter(kinds.values()), None)
        if kind is None or (not wanted and len(kinds) > 1):
            raise StudyError(
                f"{wanted or 'which sampler'} of {name}",
                where=str(file),
                fix=f"It has {', '.join(kinds) or 'no sampler'}: package: {name}:CLASS names one.",
            )
        takes = inspect.signature(kind).parameters
        return kind(**({"seed": seed} if "seed" in takes else {}))
    except StudyError:
        raise
    except Exception as error:  # noqa: BLE001 - code of others may raise anything
        raise StudyError(
            f"{name} does not run here: {type(error).__name__}: {error}",
            where=str(file),
            fix="Its README says what it needs; or take another sampler.",
        ) from None


def _file(name: str) -> Path:
    """The file of a package, within the registry."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise StudyError(
            f"the sampler {name} is one of OptunaHub's, and no copy of its registry is named",
            fix=f"{VARIABLE}=DIR names a checkout of optunahub-registry. What lies there is run.",
        )
    home = Path(folder).expanduser().resolve() / "package"
    found = (home / name / "__init__.py").resolve()
    if not found.is_file() or not found.is_relative_to(home):
        known = [f"samplers/{path.parent.name}" for path in home.glob("samplers/*/__init__.py")]
        raise StudyError(
            f"no package {name}", where=str(home), fix=nearest(name, known) if known else None
        )
    return found


def _module(name: str, file: Path) -> ModuleType:
    """A package, run once a process."""
    own = f"suite_registry.{name.replace('/', '.')}"
    known = sys.modules.get(own)
    if known is not None and known.__file__ == str(file):
        return known
    spec = importlib.util.spec_from_file_location(
        own, file, submodule_search_locations=[str(file.parent)]
    )
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[own] = made
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[own]
        raise
    return made


def _samplers(module: ModuleType) -> dict[str, type[BaseSampler]]:
    """The samplers that a package offers, by name."""
    names = getattr(module, "__all__", None) or vars(module)
    found = {name: getattr(module, name, None) for name in list(names)}
    return {
        name: kind
        for name, kind in found.items()
        if inspect.isclass(kind)
        and issubclass(kind, BaseSampler)
        and kind.__module__.startswith(module.__name__)
    }
