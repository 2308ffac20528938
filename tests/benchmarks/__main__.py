"""`make bench`: every benchmark, or those named: `python -m tests.benchmarks neural`."""

import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the suite's own children have it

from tests.benchmarks import agreement, neural, option_scoring, overhead

BENCHMARKS = {
    "overhead": overhead.main,
    "neural": neural.main,
    "option_scoring": option_scoring.main,
    "agreement": agreement.main,
}

if __name__ == "__main__":
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"unknown benchmark '{unknown[0]}'; available: {', '.join(BENCHMARKS)}")
    for name in wanted:
        BENCHMARKS[name]()
