"""Two measurements of one predictor told apart: how often, quiet and beside a busy process.

`SUITE_BENCH_PREDICTOR=DIR` names a kept predictor; `SUITE_BENCH_PAIRS` how many pairs (20). Each
pair is six rounds of two windows, in turn, each in a child of its own. Without a predictor only the
simulation runs: speeds that scatter by a tenth, on a machine with minutes at .6 of its speed.
"""

import contextlib
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from suite.verdict.speeds import ROUNDS, middle

TEXTS = [f"markets fall as supply number {i} grows" for i in range(512)]
SIMULATED = 20_000


def simulated(scatter, minutes):
    """The share of pairs of one predictor that are told apart."""
    draw, apart = random.Random(0), 0
    for _ in range(SIMULATED):
        logs = []
        for _ in range(ROUNDS):
            minute = draw.choice(minutes)
            one, other = (minute * draw.lognormvariate(0, scatter) for _ in "ab")
            logs.append(one / other)
        low, high = middle(logs).interval
        apart += low > 1 or high < 1
    return apart / SIMULATED


@contextlib.contextmanager
def busy():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        child.kill()
        child.wait()


def measured(folder, pairs):
    """The share of pairs told apart, and every window's speed."""
    from suite.child.runner import Runner

    runner, apart, rates = Runner(), 0, []
    with tempfile.TemporaryDirectory() as logs:
        for _ in range(pairs):
            ratios = []
            for number in range(ROUNDS):
                found = [
                    runner.measure(folder, TEXTS, 1.0, 2, Path(logs), seed=number, forms=False)
                    for _ in range(2)
                ]
                one, other = (rps.offline_per_second for rps in found)
                ratios.append(one / other if number % 2 == 0 else other / one)
                rates += [one, other]
            low, high = middle(ratios).interval
            apart += low > 1 or high < 1
    return apart / pairs, rates


def main():
    for scatter in (0.02, 0.1, 0.3):
        for minutes in ([1.0], [1.0, 1.0, 0.6]):
            share = simulated(scatter, minutes)
            print(f"simulated, scatter {scatter}, minutes {minutes}: {share:.4f}")
    named = os.environ.get("SUITE_BENCH_PREDICTOR")
    pairs = int(os.environ.get("SUITE_BENCH_PAIRS", "20"))
    for name, beside in (("quiet", contextlib.nullcontext), ("beside a busy process", busy)):
        if named:
            with beside():
                share, rates = measured(Path(named), pairs)
            spread = f"{min(rates):.0f} to {max(rates):.0f} texts/s"
            print(f"{name}: {share:.3f} told apart; windows {spread}")
