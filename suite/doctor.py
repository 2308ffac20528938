"""What this machine is, and whether the suite can work on it.

`environment` gives the facts that every measured number is kept with; `checks` what `suite doctor`
prints. Both read files and package metadata only: nothing heavy is imported, no network is
touched, and a machine where something can't be read yields None there, not an error.
"""

from __future__ import annotations

import csv
import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

import suite
from suite import cache, paths
from suite.errors import SuiteError

#: Packages whose versions can change a result or a time.
RECORDED = (
    "torch",
    "torchvision",
    "torchaudio",
    "transformers",
    "tokenizers",
    "datasets",
    "peft",
    "llamafactory",
    "evaluate",
    "scikit-learn",
    "numpy",
    "optuna",
    "mlcommons-loadgen",
)

#: CPU flags that make bfloat16 quicker than float32 (x86; the last is Arm's).
BF16_FLAGS = ("amx_bf16", "avx512_bf16", "bf16")

#: Free space a study of encoders needs, in bytes: weights, one kept checkpoint per arm, data.
NEEDED_DISK = 10 * 10**9

#: Memory below which fine-tuning a base-size encoder is likely to fail, in bytes.
NEEDED_MEMORY = 8 * 10**9

#: What only some work needs: its name, module, distribution, what installs it, what for.
OPTIONAL = (
    ("jieba", "jieba", "jieba", "suite[chinese]", "word features of Chinese texts"),
    (
        "PostgreSQL driver",
        "psycopg",
        "psycopg",
        "suite[postgresql]",
        "studies over several machines",
    ),
    (
        "Optuna Dashboard",
        "optuna_dashboard",
        "optuna-dashboard",
        "suite[dashboard]",
        "looking into a study while it runs",
    ),
    ("ONNX Runtime", "onnxruntime", "onnxruntime", "suite[engines]", "serving by that engine"),
    ("onnxscript", "onnxscript", "onnxscript", "suite[engines]", "writing ONNX files"),
    ("OpenVINO", "openvino", "openvino", "suite[engines]", "serving by that engine"),
    ("NNCF", "nncf", "nncf", "suite[engines]", "OpenVINO in int8"),
    ("kaleido", "kaleido", "kaleido", "kaleido", "charts as PNG and SVG"),
    ("TensorBoard", "tensorboard", "tensorboard", "tensorboard", "logs of trials for it"),
    ("FastAPI", "fastapi", "fastapi", "fastapi", "suite serve"),
    ("uvicorn", "uvicorn", "uvicorn", "uvicorn", "suite serve"),
)

CPUINFO = Path("/proc/cpuinfo")
CGROUP = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


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


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU, as nvidia-smi names it."""

    name: str
    memory_bytes: int | None
    driver: str
    compute_capability: str | None

    @property
    def bf16(self) -> bool | None:
        """Whether it computes in bfloat16 (from compute capability 8.0); None if unknown."""
        try:
            return float(self.compute_capability or "") >= 8.0
        except ValueError:
            return None


def environment() -> dict[str, Any]:
    """The facts a number is kept with, as plain JSON values; None where not known.

    `cpu.usable` is what affinity and control group leave of the logical cores (may be a
    fraction), `memory.usable_bytes` likewise. `versions` has None for what is not installed.
    """
    import psutil

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": {
            "model": cpu_model(),
            "physical_cores": psutil.cpu_count(logical=False),
            "logical_cores": psutil.cpu_count(logical=True),
            "usable": usable_cores(),
            "bf16": cpu_bf16_flags(),
        },
        "memory": {
            "total_bytes": psutil.virtual_memory().total,
            "usable_bytes": min(psutil.virtual_memory().total, _memory_limit() or sys.maxsize),
        },
        "gpus": [
            {
                "name": gpu.name,
                "memory_bytes": gpu.memory_bytes,
                "driver": gpu.driver,
                "compute_capability": gpu.compute_capability,
                "bf16": gpu.bf16,
            }
            for gpu in gpus()
        ],
        "versions": {"suite": suite.__version__, **{name: _version(name) for name in RECORDED}},
    }


def checks(
    *,
    hub: Callable[[], str] | None = None,
    storage: str | None = None,
    downloads: Path | None = None,
) -> list[Check]:
    """Everything `suite doctor` looks at, in the order it is shown.

    Args:
        hub: asks whether the Hub can be reached: "" if so, else why not. None: not asked.
        storage: URL of the study storage; the default one where None.
        downloads: the Hub client's cache, where that is to be looked at too.
    """
    return [
        check
        for found in grouped(hub=hub, storage=storage, downloads=downloads).values()
        for check in found
    ]


def grouped(
    *,
    hub: Callable[[], str] | None = None,
    storage: str | None = None,
    downloads: Path | None = None,
) -> dict[str, list[Check]]:
    """The checks by what they are about; the arguments are those of `checks`."""
    return {
        "machine": [_processor(), _memory(), _gpu(), _bf16(), _disk()],
        "packages": [_python(), _packages(), _torch_family()],
        "places": [
            _working_folder(),
            _storage(storage or paths.default_storage()),
            _cache(),
            *([_downloads(downloads)] if downloads is not None else []),
            _hub(hub),
        ],
        "optional": [_optional(*wanted) for wanted in OPTIONAL] + [_chromium()],
    }


def usable_cores() -> float:
    """Cores this process may use: the least of affinity and control-group quota."""
    if hasattr(os, "sched_getaffinity"):
        allowed = float(len(os.sched_getaffinity(0)))
    else:
        allowed = float(os.cpu_count() or 1)
    quota = _cpu_quota()
    return allowed if quota is None else round(min(allowed, quota), 2)


def cpu_bf16_flags() -> list[str]:
    """The CPU's bfloat16 instructions, from /proc/cpuinfo; empty where none or not known."""
    return [flag for flag in BF16_FLAGS if flag in _cpu_flags()]


@functools.cache
def gpus() -> tuple[Gpu, ...]:
    """NVIDIA GPUs by nvidia-smi, in its order; asked once per process (it may take a second)."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    fields = "name,memory.total,driver_version"
    for query in (f"{fields},compute_cap", fields):  # old drivers know no compute_cap
        try:
            answer = subprocess.run(
                [command, f"--query-gpu={query}", "--format=csv,noheader,nounits"],
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
        if answer.returncode == 0:
            rows = csv.reader(answer.stdout.splitlines(), skipinitialspace=True)
            return tuple(_gpu_of(row) for row in rows if len(row) >= 3)
    return ()


def _gpu_of(row: list[str]) -> Gpu:
    name, mebibytes, driver, *capability = (cell.strip() for cell in row)
    memory = int(mebibytes) * 2**20 if mebibytes.isdecimal() else None
    return Gpu(name, memory, driver, capability[0] if capability else None)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@functools.cache
def _cpuinfo() -> dict[str, str]:
    """The first processor's entry of /proc/cpuinfo; empty elsewhere than on Linux."""
    facts: dict[str, str] = {}
    for line in _read(CPUINFO).splitlines():
        key, colon, value = line.partition(":")
        if not colon:
            if facts:
                break
            continue
        facts.setdefault(key.strip(), value.strip())
    return facts


def cpu_model() -> str | None:
    """The processor's name, where the system tells."""
    return _cpuinfo().get("model name") or platform.processor() or None


def _cpu_flags() -> set[str]:
    facts = _cpuinfo()
    return set((facts.get("flags") or facts.get("Features") or "").split())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _cgroup_folders(controller: str) -> list[Path]:
    """Folders that may limit this process, its own first: version 2, then version 1."""
    folders: list[Path] = []
    for line in _read(OWN_CGROUP).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            base = CGROUP
        elif controller in controllers.split(","):
            base = CGROUP / controller
        else:
            continue
        # Inside a container the path may be the host's: its parents up to the mount count too.
        place = Path(path.lstrip("/"))
        folders += [base / part for part in (place, *place.parents)]
    return folders


def _cpu_quota() -> float | None:
    quotas: list[float] = []
    for folder in _cgroup_folders("cpu"):
        words = _read(folder / "cpu.max").split()
        if not words:
            words = [
                _read(folder / "cpu.cfs_quota_us").strip(),
                _read(folder / "cpu.cfs_period_us").strip(),
            ]
        if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def _memory_limit() -> int | None:
    limits: list[int] = []
    for folder in _cgroup_folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name).strip()
            if text.isdecimal():
                limits.append(int(text))
    return min(limits, default=None)


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
        installed = _version(requirement.name)
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
    versions = {package: _version(package) for package in family}
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
    cores = usable_cores()
    return Check("processor", True, f"{cpu_model() or 'unknown'}, {cores:g} cores usable")


def _memory() -> Check:
    import psutil

    total = psutil.virtual_memory().total
    usable = min(total, _memory_limit() or sys.maxsize)
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
    found = gpus()
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
    torch = _version("torch") or ""
    if torch.endswith("+cpu"):
        return Check(
            "GPU",
            False,
            f"{named}; but torch {torch} is built for the CPU",
            "Install the CUDA build of the same torch, torchvision and torchaudio versions.",
        )
    return Check("GPU", True, f"{named}, driver {found[0].driver}")


def _bf16() -> Check:
    found = gpus()
    if found:
        able = [gpu.bf16 for gpu in found]
        if None in able:
            return Check("bfloat16", None, "the GPU's compute capability is not known")
        if all(able):
            return Check("bfloat16", True, "on the GPU")
        return Check("bfloat16", None, "not on every GPU", "float32 is used there.")
    flags = cpu_bf16_flags()
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
            f"{url!r} is no database URL",
            "For example sqlite:///studies/suite.db.",
        )
    if not scheme.startswith("sqlite"):
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


def _optional(name: str, module: str, distribution: str, installs: str, purpose: str) -> Check:
    if find_spec(module) is not None:
        return Check(name, True, _version(distribution) or "present")
    command = f"pip install '{installs}'" if "[" in installs else f"pip install {installs}"
    return Check(name, None, f"not installed (only for {purpose})", command)


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
