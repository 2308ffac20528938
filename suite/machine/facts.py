"""What this machine is: the facts that every measured number is kept with.

Files and package metadata are read only: nothing heavy is imported, no network is touched, and
where something can't be read the fact is None, not an error.
"""

from __future__ import annotations

import csv
import functools
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from suite.version import __version__

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

#: How many threads were asked for; `suite.machine.computing` sets it.
THREADS = "SUITE_THREADS_TAKEN"

CPUINFO = Path("/proc/cpuinfo")
CGROUP = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


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
            "usable_bytes": usable_memory(),
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
        "versions": {"suite": __version__, **{name: version_of(name) for name in RECORDED}},
    }


def usable_cores() -> float:
    """Cores this process may use: the least of affinity and control-group quota."""
    if hasattr(os, "sched_getaffinity"):
        allowed = float(len(os.sched_getaffinity(0)))
    else:
        allowed = float(os.cpu_count() or 1)
    quota = _cpu_quota()
    return allowed if quota is None else round(min(allowed, quota), 2)


def threads() -> int:
    """Threads to compute with: as many as were asked for, else those that keep this process's
    cores busy, and no more; at least one."""
    asked = os.environ.get(THREADS, "")
    return max(1, int(asked) if asked.isdecimal() else int(usable_cores()))


def usable_memory() -> int:
    """Bytes of memory this process may use: the machine's, or its control group's limit."""
    total = int(psutil.virtual_memory().total)
    return min(total, _memory_limit() or total)


def free_memory() -> int:
    """Bytes of it that are free now."""
    return min(int(psutil.virtual_memory().available), usable_memory())


def has_gpu() -> bool:
    """Whether a GPU with memory of its own seems to be there; asked without torch."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    return gpu_files()


def gpu_files() -> bool:
    """Whether the system has a GPU, whatever this process may see of it."""
    if os.name == "nt":
        return shutil.which("nvidia-smi") is not None
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()


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


def version_of(name: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@functools.cache
def _cpuinfo() -> dict[str, str]:
    """The first processor's entry of /proc/cpuinfo; empty elsewhere than on Linux."""
    facts: dict[str, str] = {}
    for line in read(CPUINFO).splitlines():
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


def read(file: Path) -> str:
    """A file's text; empty where it can't be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def cgroup_folders(controller: str) -> list[Path]:
    """Folders that may limit this process, its own first: version 2, then version 1."""
    folders: list[Path] = []
    for line in read(OWN_CGROUP).splitlines():
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
    for folder in cgroup_folders("cpu"):
        words = read(folder / "cpu.max").split()
        if not words:
            words = [
                read(folder / "cpu.cfs_quota_us").strip(),
                read(folder / "cpu.cfs_period_us").strip(),
            ]
        if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def _memory_limit() -> int | None:
    limits: list[int] = []
    for folder in cgroup_folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = read(folder / name).strip()
            if text.isdecimal():
                limits.append(int(text))
    return min(limits, default=None)
