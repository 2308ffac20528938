"""A large CSV: seconds and memory of `suite task new`, which reads, splits and audits it.

Rows of about 260 characters in six classes, with an id, are made on the spot; how many MB of them
SUITE_BENCH_MEGABYTES says (50,200). Each file is read by a process of its own; of memory stands
what the command said before it read, and the peak that the system counted.
"""

import csv
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.common import Side, report

SIZES = [int(size) for size in os.environ.get("SUITE_BENCH_MEGABYTES", "50,200").split(",")]
_LABELS = {"billing": 30, "login": 20, "delivery": 20, "refund": 15, "other": 10, "account": 5}
_BEFORE = re.compile(r"memory takes about ([\d.]+) ([MG])B")
_PEAK = re.compile(r"memory at its peak: ([\d.]+) ([MG])B")


def make(file, megabytes):
    """A CSV of so many MB."""
    draw = random.Random(1)
    words = [
        "".join(draw.choices("bdfgklmnprstv aeiou", k=draw.randint(2, 9))) for _ in range(30_000)
    ]
    labels, weights = list(_LABELS), list(_LABELS.values())
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["ticket_id", "subject", "body", "team"])
        number = 0
        while number % 2000 or stream.tell() < megabytes * 1_000_000:
            number += 1
            body = " ".join(draw.choices(words, k=draw.randint(10, 60)))
            subject = " ".join(draw.choices(words, k=5))
            rows.writerow([f"T{number:08d}", subject, body, draw.choices(labels, weights)[0]])


def bytes_of(pattern, said):
    """A figure of what the command said, in GB; None where it said none."""
    told = pattern.search(said)
    return None if told is None else float(told[1]) * (1.0 if told[2] == "G" else 1e-3)


def main():
    for megabytes in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "tickets.csv"
            make(file, megabytes)
            begun = time.perf_counter()
            made = subprocess.run(
                [sys.executable, "-m", "suite", "task", "new", "tickets", "--data", file],
                cwd=folder, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
                capture_output=True, text=True,
            )  # fmt: skip
            said = made.stderr
            if made.returncode != 0:
                sys.exit(said)
            seconds = time.perf_counter() - begun
        before, after = bytes_of(_BEFORE, said), bytes_of(_PEAK, said)
        memory = (
            "in memory" if after is None else f"{before:.2f} GB foretold, {after:.2f} at the peak"
        )
        side = Side(f"suite task new, {megabytes:,} MB", "MB/s", [megabytes / seconds])
        report(f"big_file_{megabytes}", side, note=f"{seconds:.0f} s; {memory}")
