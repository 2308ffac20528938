"""Whether the suite can work on this machine: what `suite doctor` prints.

Files and package metadata are read only: nothing heavy is imported, no network is touched, and
where something can't be read a check says so.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from suite import paths, redaction
from suite.config import settings
from suite.contracts.package import Package
from suite.errors import SuiteError, counted
from suite.machine import cache, facts
from suite.machine.energy import CODECARBON

#: Free space a study of encoders needs, in bytes: weights, one kept checkpoint per arm, data.
NEEDED_DISK = 10 * 10**9

#: Memory below which fine-tuning a base-size encoder is likely to fail, in bytes.
NEEDED_MEMORY = 8 * 10**9

#: What only some work needs, beside that of strategies and engines, which declare it themselves.
OPTIONAL = (
    Package("PostgreSQL driver", "psycopg", "suite[postgresql]", "studies over several machines"),
    Package(
        "Optuna Dashboard",
        "optuna_dashboard",
        "suite[dashboard]",
        "looking into a study while it runs",
        "optuna-dashboard",
    ),
    Package("kaleido", "kaleido", "kaleido", "charts as PNG and SVG"),
    CODECARBON,
    Package("TensorBoard", "tensorboard", "tensorboard", "logs of trials for it"),
    Package("FastAPI", "fastapi", "fastapi", "suite serve"),
    Package("uvicorn", "uvicorn", "uvicorn", "suite serve"),
)


@dataclass(frozen=True)
class Check:
    """One finding. `ok` is None where it does not apply, was not asked, or is optional.

    `blocks` marks what has to be mended before anything can run.
    """

    name: str
    ok: bool | None
    finding: str
    fix: str = ""
    blocks: bool = False


def checks(
    *,
    hub: Callable[[], str] | None = None,
    storage: str | None = None,
    downloads: Path | None = None,
    packages: Iterable[Package] = (),
) -> list[Check]:
    """Everything `suite doctor` looks at, in the order it is shown.

    Args:
        hub: asks whether the Hub can be reached: "" if so, else why not. None: not asked.
        storage: URL of the study storage; the default one where None.
        downloads: the Hub client's cache, where that is to be looked at too.
        packages: what strategies and engines declare that only some of their work needs.
    """
    found = grouped(hub=hub, storage=storage, downloads=downloads, packages=packages)
    return [check for group in found.values() for check in group]


def grouped(
    *,
    hub: Callable[[], str] | None = None,
    storage: str | None = None,
    downloads: Path | None = None,
    packages: Iterable[Package] = (),
) -> dict[str, list[Check]]:
    """The checks by what they are about; the arguments are those of `checks`."""
    return {
        "machine": [_processor(), _memory(), _gpu(), _bf16(), _disk()],
        "packages": [_python(), _packages(), _torch_family()],
        "places": [
            _working_folder(),
            _storage(storage or settings.storage()),
            _cache(),
            *([_downloads(downloads)] if downloads is not None else []),
            _hub(hub),
        ],
        "optional": [_optional(wanted) for wanted in (*packages, *OPTIONAL)] + [_chromium()],
    }


def _requirements() -> tuple[str, list[Requirement]] | None:
    """Python bound and required packages: of the installed package, or of the checkout."""
    try:
        python = metadata("suite")["Requires-Python"]
        lines = requires("suite") or []
    except PackageNotFoundError:
        try:
            text = (paths.PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
            project = tomllib.loads(text)["project"]
            python, lines = project["requires-python"], project["dependencies"]
        except (OSError, KeyError, tomllib.TOMLDecodeError):
            return None
    found = [Requirement(line) for line in lines]
    return str(python or ""), [
        one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})
    ]


def _python() -> Check:
    known = _requirements()
    running = platform.python_version()
    if known is None:
        return Check("Python", None, f"{running}; the suite's own bounds are not known")
    bound = SpecifierSet(known[0])
    fits = bound.contains(running, prereleases=True)
    return Check(
        "Python",
        fits,
        f"{running} (needs {bound})" if not fits else running,
        "" if fits else f"Install the suite with a Python {bound}.",
        blocks=not fits,
    )


def _packages() -> Check:
    known = _requirements()
    if known is None:
        return Check("packages", None, "the suite's own requirements are not known")
    wrong: list[str] = []
    findings: list[str] = []
    missing = False
    for requirement in known[1]:
        installed = facts.version_of(requirement.name)
        if installed is None:
            findings.append(f"{requirement.name} is missing")
            missing = True
        elif not requirement.specifier.contains(installed, prereleases=True):
            findings.append(f"{requirement.name} {installed} (needs {requirement.specifier})")
        else:
            continue
        wrong.append(f"'{requirement.name}{requirement.specifier}'")
    if not wrong:
        return Check("packages", True, f"{len(known[1])} present and within their bounds")
    return Check(
        "packages", False, "; ".join(findings), f"pip install {' '.join(wrong)}", blocks=missing
    )


def _torch_family() -> Check:
    """torch, torchaudio and torchvision are built for each other, version by version."""
    name = "torch's family"
    family = ("torch", "torchaudio", "torchvision")
    versions = {package: facts.version_of(package) for package in family}
    missing = [package for package, found in versions.items() if found is None]
    if missing:
        return Check(
            name, False, f"{' and '.join(missing)} missing", f"pip install {' '.join(missing)}"
        )
    finding = ", ".join(f"{package} {found}" for package, found in versions.items())
    try:
        torch, audio, vision = (Version(str(versions[package])) for package in family)
    except InvalidVersion:
        return Check(name, None, finding)
    # torchvision 0.26 belongs to torch 2.11: fifteen minor versions ahead since torch 2.0.
    wanted_vision = (0, torch.minor + 15) if torch.major == 2 else vision.release[:2]
    odd = []
    if audio.release[:2] != torch.release[:2] or audio.local != torch.local:
        odd.append(f"'torchaudio=={torch}'")
    if vision.release[:2] != wanted_vision or vision.local != torch.local:
        build = f"+{torch.local}" if torch.local else ""
        odd.append(f"'torchvision=={wanted_vision[0]}.{wanted_vision[1]}.{torch.micro}{build}'")
    return Check(
        name,
        not odd,
        finding,
        ""
        if not odd
        else "Their versions and builds must agree, or importing llamafactory fails: "
        f"pip install {' '.join(odd)} from where torch came.",
    )


def _processor() -> Check:
    cores = facts.usable_cores()
    return Check(
        "processor", True, f"{facts.cpu_model() or 'unknown'}, {counted(cores, 'core')} usable"
    )


def _memory() -> Check:
    total = psutil.virtual_memory().total
    usable = facts.usable_memory()
    finding = f"{usable / 1e9:.1f} GB"
    if usable < total:
        finding += f" (limited; the machine has {total / 1e9:.1f} GB)"
    enough = usable >= NEEDED_MEMORY
    return Check(
        "memory",
        enough or None,
        finding,
        "" if enough else "Classic and tiny models run; base-size encoders want 8 GB.",
    )


def _gpu() -> Check:
    found = facts.gpus()
    if not found:
        return Check(
            "GPU",
            None,
            "no NVIDIA GPU found",
            "Everything runs on the CPU; base-size encoders and decoders take long there.",
        )
    named = ", ".join(
        gpu.name + (f" ({gpu.memory_bytes / 2**30:.0f} GiB)" if gpu.memory_bytes else "")
        for gpu in found
    )
    torch = facts.version_of("torch") or ""
    if torch.endswith("+cpu"):
        return Check(
            "GPU",
            False,
            f"{named}; but torch {torch} is built for the CPU",
            "Install the CUDA build of the same torch, torchvision and torchaudio versions.",
        )
    return Check("GPU", True, f"{named}, driver {found[0].driver}")


def _bf16() -> Check:
    found = facts.gpus()
    if found:
        able = [gpu.bf16 for gpu in found]
        if None in able:
            return Check("bfloat16", None, "the GPU's compute capability is not known")
        if all(able):
            return Check("bfloat16", True, "on the GPU")
        return Check("bfloat16", None, "not on every GPU", "float32 is used there.")
    flags = facts.cpu_bf16_flags()
    if flags:
        return Check("bfloat16", True, f"on the CPU ({', '.join(flags)})")
    return Check("bfloat16", None, "the CPU has no bfloat16 instructions", "float32 is used.")


def _disk() -> Check:
    try:
        free = shutil.disk_usage(Path.cwd()).free
    except OSError as problem:
        return Check("free disk", None, f"can't be read: {problem.strerror}")
    enough = free >= NEEDED_DISK
    return Check(
        "free disk",
        enough,
        f"{free / 1e9:.1f} GB in the working folder",
        "" if enough else f"A study of encoders wants {NEEDED_DISK / 1e9:.0f} GB; free some.",
    )


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be written there, or None. Tries it: permissions alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"suite")
    except OSError as problem:
        return problem.strerror or type(problem).__name__
    return None


def _working_folder() -> Check:
    try:
        folder = Path.cwd()
    except OSError as problem:
        return Check(
            "working folder", False, f"gone: {problem.strerror}", "Change to another.", blocks=True
        )
    trouble = _unwritable(folder)
    return Check(
        "working folder",
        trouble is None,
        str(folder) if trouble is None else f"{folder} can't be written: {trouble}",
        "" if trouble is None else "Work in a folder of your own: studies write beside it.",
        blocks=trouble is not None,
    )


def _cache() -> Check:
    """The shared cache: its size, its bound, and whether it can grow."""
    name, folder = "cache", paths.cache()
    try:
        most = cache.bound()
    except SuiteError as error:
        return Check(name, False, error.what, error.fix or "", blocks=True)
    held = sum(entry.size for entry in cache.entries())
    finding = f"{folder}: {held / 1e9:.2f} of {most / 1e9:g} GB in token ids and embeddings"
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), None)
    trouble = "not a folder" if there is None or not there.is_dir() else _unwritable(there)
    if trouble is not None:
        return Check(
            name,
            None,
            f"{folder} can't be written: {trouble}",
            "Everything works, more slowly; name another folder with SUITE_CACHE.",
        )
    return Check(name, True, finding)


def _storage(url: str) -> Check:
    """The database; whatever is wrong with it stops every study."""
    found = _database(url)
    return replace(found, blocks=found.ok is False)


def _database(url: str) -> Check:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Check(
            "storage",
            False,
            f"{redaction.address(url)!r} is no database URL",
            "For example sqlite:///studies/suite.db.",
        )
    if not scheme.startswith("sqlite") or redaction.holds_secret(url):
        # Nothing of the URL but its scheme is shown: it may hold a password.
        return Check("storage", None, f"{scheme}://…: a server, not asked")
    file = Path(rest.removeprefix("/").partition("?")[0])
    if not file.name or file.name == ":memory:":
        return Check("storage", None, "in memory: gone when the command ends")
    if file.is_dir():
        return Check("storage", False, f"{file} is a folder", "Name a file for the database.")
    if file.exists():
        try:
            with file.open("r+b") as opened:
                head = opened.read(16)
        except OSError as problem:
            return Check(
                "storage",
                False,
                f"{file} can't be written: {problem.strerror}",
                "Mend its permissions, or name another with --storage.",
            )
        if head and head != b"SQLite format 3\0":
            return Check(
                "storage", False, f"{file} is no SQLite database", "Name another with --storage."
            )
    folder = next(
        (place for place in file.absolute().parents if place.exists()), file.absolute().parent
    )
    # SQLite writes its journal beside the database, so the folder counts even where the file is.
    trouble = "not a folder" if not folder.is_dir() else _unwritable(folder)
    if trouble is not None:
        return Check(
            "storage",
            False,
            f"{folder} can't be written: {trouble}",
            "Name another place with --storage sqlite:///FILE.",
        )
    return Check("storage", True, f"{file}{'' if file.exists() else ' (not there yet)'}")


def _downloads(folder: Path) -> Check:
    """Where the Hub client keeps weights and data."""
    there = next((place for place in (folder, *folder.absolute().parents) if place.exists()), None)
    trouble = "not a folder" if there is None or not there.is_dir() else _unwritable(there)
    if trouble is None:
        return Check("Hub cache", True, str(folder))
    return Check(
        "Hub cache",
        None,
        f"{folder} can't be written: {trouble}",
        "Nothing can be downloaded; name another folder with HF_HOME.",
    )


def _hub(ask: Callable[[], str] | None) -> Check:
    if ask is None:
        return Check("Hugging Face Hub", None, "not asked")
    trouble = ask()
    if not trouble:
        return Check("Hugging Face Hub", True, "reachable")
    return Check(
        "Hugging Face Hub",
        None,
        f"out of reach: {trouble}",
        "Tasks work with --data DIR, models with --model NAME=PATH, or from the local cache.",
    )


def _optional(wanted: Package) -> Check:
    if wanted.present:
        version = facts.version_of(wanted.distribution or wanted.module)
        return Check(wanted.name, True, version or "present")
    return Check(wanted.name, None, f"not installed (only for {wanted.purpose})", wanted.command)


def _chromium() -> Check:
    name = "Chromium"
    browser = _browser()
    if browser is not None:
        return Check(name, True, str(browser))
    return Check(
        name,
        None,
        "not found (only for pictures of reports)",
        "Install Chromium or Chrome, or: pip install playwright && playwright install chromium",
    )


def _browser() -> Path | None:
    for command in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(command)
        if found:
            return Path(found)
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    homes = [Path(named)] if named not in ("", "0") else []
    try:
        home = Path.home()
    except RuntimeError:
        return None
    homes += [home / ".cache/ms-playwright", home / "Library/Caches/ms-playwright"]
    for folder in homes:
        try:
            downloaded = sorted(folder.glob("chromium*-*"))
        except OSError:
            continue
        if downloaded:
            return downloaded[-1]
    return None
