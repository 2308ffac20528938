"""Energy that this machine took within a stretch of work, by codecarbon's offline tracker.

A figure is measured where a counter was read: RAPL's of the processor (with its memory, where that
has one), NVML's of a GPU. Elsewhere codecarbon reckons from the processor's rated power and its
load, which tells machines and models of them apart, and not what a training took: such a figure is
kept as what it is. Counters are the whole machine's: what else runs is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from suite.contracts.package import Package

CODECARBON = Package("codecarbon", "codecarbon", "suite[energy]", "the energy of trainings")

#: What stands for counters where none could be read.
ESTIMATED = "TDP"
#: Of a kilowatt-hour.
_JOULES = 3.6e6
#: Seconds between two readings of a counter, which some wrap around.
_EVERY_SECONDS = 15
#: Nothing is written, sent or asked for, whatever files and variables of codecarbon's say: what is
#: given here goes before them. A carbon intensity is given so that no country is looked up.
_OFFLINE: dict[str, Any] = {
    "output_methods": [],
    "output_handlers": [],
    "emissions_endpoint": None,
    "electricitymaps_api_token": None,
    "force_carbon_intensity_g_co2e_kwh": 0.0,
    "force_cpu_power": None,
    "force_mode_cpu_load": False,
    "tracking_mode": "machine",
    "pue": 1.0,
    "log_level": "critical",
    "country_iso_code": "FRA",
    "measure_power_secs": _EVERY_SECONDS,
    "rapl_include_dram": True,
    "allow_multiple_runs": True,
}


@dataclass(frozen=True)
class Energy:
    """What was read.

    Args:
        by: the counters, "RAPL", "NVML" or "RAPL+NVML"; `ESTIMATED` where none could be read.
        kwh: kilowatt-hours; of counters what these say, else what codecarbon reckons.
    """

    by: str
    kwh: float

    @property
    def joules(self) -> float | None:
        """The same in joules; None where it was reckoned and not read."""
        return None if self.by == ESTIMATED else self.kwh * _JOULES


class Reading:
    """What `metered` read, once it has ended: None where nothing was."""

    energy: Energy | None = None

    @property
    def told(self) -> dict[str, Any]:
        """As circumstances of a trial."""
        return {} if self.energy is None else {"energy": asdict(self.energy)}


@contextmanager
def metered(wanted: bool) -> Iterator[Reading]:
    """Within: energy is read, where that is wanted."""
    reading = Reading()
    if not wanted:
        yield reading
        return
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(**_OFFLINE)
    tracker.start()
    try:
        yield reading
    finally:
        tracker.stop()
    reading.energy = _read(getattr(tracker, "final_emissions_data", None))


def _read(found: Any) -> Energy | None:
    """What a tracker found; None where it broke off."""
    if found is None:
        return None
    from codecarbon.core import cpu, gpu

    parts = {
        "RAPL": float(found.cpu_energy) if cpu.is_rapl_available() else 0.0,
        "NVML": float(found.gpu_energy) if gpu.is_nvidia_system() else 0.0,
    }
    read = {name: kwh for name, kwh in parts.items() if kwh > 0}
    if read:
        return Energy("+".join(read), sum(read.values()))
    return Energy(ESTIMATED, float(found.energy_consumed))
