"""How fast a trained model serves, as frozen values: in trials, in finals, by `suite bench`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.records import FINITE


@dataclass(frozen=True)
class SingleStream:
    """One text at a time: latency percentiles in milliseconds; null where not established.

    `windows` has the median latency of each round of the finals (null where one has none), as
    `Rps.windows` has the rates; `p50_interval` is the order-statistic interval of their median.
    """

    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    valid: bool
    windows: list[float | None] = field(default_factory=list)
    p50_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ServingForm:
    """The same trained model served in another form, measured the same way."""

    form: str
    p50_ms: float | None
    offline_per_second: float | None
    valid: bool


@dataclass(frozen=True)
class Rps:
    """Serving speed from raw text, by MLPerf LoadGen, with its circumstances."""

    single_stream: SingleStream
    offline_per_second: float | None
    valid: bool
    engine: str = "torch"
    precision: str = ""
    batch: int = 0
    device: str = ""
    seconds: float = 0.0
    threads: int = 0
    contended: bool = False
    note: str = ""
    form: str = ""
    """How an answer is made where there are several ways: `head`, `options`, `generation`."""
    other_forms: list[ServingForm] = field(default_factory=list)
    windows: list[float | None] = field(default_factory=list)
    """Texts per second of each round of the finals, each after loading anew (null where a window
    found no rate): `offline_per_second` is their median. Empty where it was measured once."""
    offline_interval: tuple[float, float] | None = None
    """Order-statistic interval of that median, at 95 % or more; null where the windows are too
    few for one."""
    rounds: str = ""
    """Names the rounds. Arms of the same rounds were measured in turn: their windows are pairs."""
    disturbed: int = 0
    """Windows beside which other processes computed, after those were repeated that may be."""
    repeated: int = 0
    """Windows that were measured again because other processes computed beside them."""


@dataclass(frozen=True)
class ServerLoad:
    """Texts that arrive at random: the highest rate whose p99 latency keeps the task's bound.

    `per_second` is null where no rate keeps it; `valid` is LoadGen's verdict on the run.
    """

    per_second: float | None
    p99_ms: float | None
    bound_ms: float
    valid: bool


BenchState = Literal["measured", "disagrees", "refused", "failed"]


@dataclass(frozen=True)
class BenchRow:
    """An arm's kept checkpoint behind one engine at one precision, on one machine.

    Only a `measured` row ranks: `refused` and `failed` say why in `reason`; `disagrees` answers
    validation otherwise than the trained model does, and is not timed.
    """

    __pydantic_config__ = FINITE

    arm: str
    trial: int
    engine: str
    precision: str
    host: str
    state: BenchState
    reason: str | None = None
    device: str = ""
    threads: int = 0
    batch: int = 0
    agreement: float | None = None
    """Share of validation rows on which it decides as the trained model does; null where there is
    nothing to compare."""
    agreement_rows: int = 0
    macro_f1: float | None = None
    macro_f1_difference: float | None = None
    """Its macro-F1 on those rows less the trained model's."""
    agrees: bool = False
    single_stream: SingleStream | None = None
    offline_per_second: float | None = None
    offline_valid: bool = False
    server: ServerLoad | None = None
    server_batch: int = 0
    """Texts in a batch of the Server scenario at most."""
    load_seconds: float | None = None
    prepare_seconds: float | None = None
    """Converting, compiling, quantising: what is done once before the first answer."""
    seconds: float = 0.0
    contended: bool = False
    measured: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    note: str = ""
    stale: bool = False
    """The arm keeps another model now: finals have run, or the study was searched on, since."""
    refit: bool = False
    """The model was trained on validation, too: its score there would say nothing, and is null."""
    fastest_in: list[str] = field(default_factory=list)
    """Scenarios in which no valid engine of the arm on this machine is faster."""
    fastest_overall_in: list[str] = field(default_factory=list)
    """Scenarios in which nothing else that the study measured on this machine is faster."""
    windows: list[float | None] = field(default_factory=list)
    """Texts per second Offline of each round over the engines, as in `Rps`; empty where it was
    measured once."""
    offline_interval: tuple[float, float] | None = None
    """Order-statistic interval of their median."""
    rounds: str = ""
    """Names the rounds: engines of the same rounds were measured in turn."""
    disturbed: int = 0
    """Windows beside which other processes computed, after those were repeated that may be."""
    repeated: int = 0
    """Windows that were measured again because other processes computed beside them."""
    made_of: str = ""
    """Of a combination the digest of its members, weights and threshold; empty of an arm."""
    joules_per_text: float | None = None
    """What the whole machine took for a text Offline, by the counters of `energy_by`, over rounds
    the median; null where none was read, or others computed beside it."""
    energy_by: str = ""
    """The counters, "RAPL", "NVML" or both; "TDP" where none could be read, empty where nobody
    looked."""
