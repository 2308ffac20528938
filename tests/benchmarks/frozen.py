"""A head on a pretrained decoder: the whole model trained, and layers left as they are.

Needs the transformers folder that SUITE_BENCH_DECODER names. Each training is one pass over
SUITE_BENCH_ROWS AG News rows (32), in SUITE_BENCH_REPEATS rounds (2) of every side. Told are
seconds of the processor, which other work on the machine changes least, beside those of the clock,
and the median ratio within a round to training the whole. Scoring is left out, as it is in both.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from suite.contracts.model import Model
from suite.contracts.strategy import Rows
from tests.benchmarks.common import Side, report
from tests.benchmarks.neural import Run

ROWS = int(os.environ.get("SUITE_BENCH_ROWS", "32"))
REPEATS = int(os.environ.get("SUITE_BENCH_REPEATS", "2"))
SHARES = (0.0, 0.5, 0.75)


class Timed(Run):
    """One without a study around it, whose loading is no part of what it takes."""

    def __init__(self, model, train, folder, params):
        super().__init__(model, train, folder, params)
        self.fingerprint = f"frozen-{len(train)}"
        self.away = [0.0, 0.0]

    def loading(self):
        return _Away(self.away)


class _Away:
    def __init__(self, away):
        self.away = away

    def __enter__(self):
        self.begun = time.process_time(), time.perf_counter()

    def __exit__(self, *raised):
        self.away[0] += time.process_time() - self.begun[0]
        self.away[1] += time.perf_counter() - self.begun[1]


def one(model, train, share):
    """Seconds of one training, of the processor and of the clock, and what it says of itself."""
    from suite import strategies

    strategy = strategies.get("linear_head")
    params = {"learning_rate": 2e-5, "batch": 32, "freeze": share}
    with tempfile.TemporaryDirectory() as folder:
        run = Timed(model, train, folder, params)
        begun = time.process_time(), time.perf_counter()
        strategy.fit(run)
        processor = time.process_time() - begun[0] - run.away[0]
        clock = time.perf_counter() - begun[1] - run.away[1]
    return processor, clock, run.notes


def main():
    import torch

    from tests.benchmarks.shapes import rows

    folder = os.environ.get("SUITE_BENCH_DECODER")
    if not folder:
        print("frozen: left out; SUITE_BENCH_DECODER names no folder of a decoder")
        return
    texts, labels, origin = rows(ROWS)
    train = Rows(tuple(texts), tuple(labels))
    model = Model(name="decoder", family="decoder", path=folder)
    sides = {("whole", 0.0): [], **{(way, s): [] for s in SHARES[1:] for way in ("made", "cached")}}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SUITE_CACHE"] = cache
        one(model, Rows(train.texts[:8], train.labels[:8]), 0.0)  # what is imported on the way
        for turn in range(REPEATS):
            for share in SHARES[:: 1 if turn % 2 else -1]:
                for file in (Path(cache) / "states").glob("*.safetensors"):
                    file.unlink()
                for way in ("made", "cached") if share else ("whole",):
                    processor, clock, notes = one(model, train, share)
                    assert notes.get("frozen_states", "whole") == way
                    sides[way, share].append((processor, clock))
    whole = sides["whole", 0.0]
    for (way, share), found in sides.items():
        ratios = [mine[0] / other[0] for mine, other in zip(found, whole, strict=True)]
        clocks = statistics.median(clock for _, clock in found)
        report(
            f"frozen_{share:g}_{way}",
            Side(f"freeze {share:g}, {way}", "s of the processor", [each for each, _ in found]),
            note=f"{ROWS} {origin}, {torch.get_num_threads()} threads, {notes['precision']}; "
            f"{statistics.median(ratios):.2f} of training the whole; {clocks:.1f} s by the clock",
        )
