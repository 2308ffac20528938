"""What every benchmark shares: two sides in alternation, medians, hardware, one JSON each."""

import json
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from suite.machine import facts

RESULTS = Path(__file__).parent / "results"


@dataclass
class Side:
    """One side's repeated figures; `unit` says what they count."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.values)


def alternate(ours, theirs, repeats):
    """Runs both sides in turn, A B B A ..., so that a drift of the machine meets both alike.

    Args:
        ours, theirs: (Side, function returning one figure).
    """
    for turn in range(repeats):
        pair = (ours, theirs) if turn % 2 == 0 else (theirs, ours)
        for side, measure in pair:
            side.values.append(measure())
    return ours[0], theirs[0]


def timed(work):
    """Seconds that a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def report(name, ours, theirs=None, *, note=""):
    """Prints one benchmark and writes it as JSON; the ratio is ours / theirs."""
    sides = [ours] if theirs is None else [ours, theirs]
    shown = {
        "benchmark": name,
        "date": time.strftime("%Y-%m-%d"),
        "sides": [
            {
                "name": s.name,
                "unit": s.unit,
                "median": s.median,
                "low": min(s.values),
                "high": max(s.values),
                "runs": len(s.values),
            }
            for s in sides
        ],
        "ratio": None if theirs is None else ours.median / theirs.median,
        "note": note,
        "environment": facts.environment(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(shown, indent=1, ensure_ascii=False))
    print(name)
    for s in sides:
        print(
            f"  {s.name:<44} {s.median:>10.3f} {s.unit}  [{min(s.values):.3f}, {max(s.values):.3f}]"
        )
    if shown["ratio"] is not None:
        print(f"  ratio {shown['ratio']:.2f}")
    if note:
        print(f"  {note}")
