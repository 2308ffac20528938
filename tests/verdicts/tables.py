"""`make verdicts`: every claim of the verdicts, simulated and on recorded trainings.

Prints each cell with its Monte-Carlo error (two standard errors) and what it must be, writes them
as JSON beside, and ends with 1 where a claim is not met.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from suite.machine import facts
from tests.verdicts import cells, coverage, recorded_trainings

RESULTS = Path(__file__).parent / "results" / "verdicts.json"
LEVEL, COVERED, FOUND, RANGES = ("most", 0.05), ("least", 0.93), ("least", 0.95), ("least", 0.95)
#: Of the three that were tried beside the interval, and shufflings of the recorded trainings.
TRIED, SHUFFLES = 400, 100
#: Tables whose cells share names: their arguments are printed.
TOLD = ("identical arms called different", "tried beside it")

#: Table of the report -> what it must be, the function, and the arguments of each cell.
TABLES = {
    "unlike spreads": (
        LEVEL,
        cells.unlike,
        [
            ("half .001, half .01",),
            ("one .1, others .003",),
            ("one arm's trainings, told apart",),
        ],
    ),
    "one arm .05 above, found above every other": (FOUND, cells.above, [(40,), (23,), (5,)]),
    "rank ranges": (
        RANGES,
        cells.ranges,
        [(count, gap) for count in (3, 7, 12) for gap in (0.0, 0.003, 0.02)],
    ),
    "an arm's own interval": (
        COVERED,
        coverage.own,
        [
            (classes, rows, zipf, worth)
            for classes in (150, 77, 4, 2)
            for rows in (4500, 1000, 200)
            for zipf in (False, True)
            for worth in (0.85, 0.97)
        ],
    ),
    "an arm's own interval with the seeds' part": (
        COVERED,
        coverage.trained,
        [(rows, 0.9, spread) for rows in (200, 7600) for spread in (0.0, 0.005, 0.01)],
    ),
    "intervals without a verdict": (
        COVERED,
        coverage.unjudged,
        [(4, 1000, True, 0.85), (4, 200, False, 0.85), (20, 1000, True, 0.85)],
    ),
    "tried beside it": (
        None,
        coverage.tried,
        [
            (classes, rows, zipf, 0.85)
            for classes, rows, zipf in (
                (77, 200, False),
                (77, 1000, False),
                (150, 1000, False),
                (77, 1000, True),
                (2, 200, False),
            )
        ],
    ),
    "two that repeat themselves, beside five that scatter": (None, cells.beside, [()]),
    "two arms .01 apart, 7,600 rows": (None, cells.told, [(0.003,)]),
    "identical arms called different": (
        LEVEL,
        cells.identical,
        [
            (rows, worth, spread)
            for rows in (50, 200, 1000, 7600)
            for worth in (0.7, 0.98)
            for spread in cells.SPREADS
        ],
    ),
}


def run(job):
    """One cell: its table, arguments, what it counted, and its seconds."""
    table, arguments, studies, seed = job
    begun = time.perf_counter()
    counted = TABLES[table][1](*arguments, studies, seed)
    return table, arguments, counted, time.perf_counter() - begun


def recorded(arm):
    """The same of an arm's recorded trainings; the error is of the ten groups' independence."""
    found, asked = recorded_trainings.called_different(arm, SHUFFLES, 0)
    return arm, found, asked


def shown(table, name, found, asked, error, must):
    """A line of the report, and whether it keeps what it must."""
    rate = found / asked
    kept = None
    if must is not None:
        way, bound = must
        kept = rate <= bound + error if way == "most" else rate + error >= bound
    mark = {None: "", True: "kept", False: "NOT KEPT"}[kept]
    print(f"  {name:<62} {rate:.4f} ± {error:.4f}  {mark}", flush=True)
    return {"table": table, "cell": name, "rate": rate, "error": error, "of": asked, "kept": kept}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=4000, help="simulated studies a cell")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", action="append", choices=TABLES, help="these tables alone")
    asked = parser.parse_args()
    begun = time.perf_counter()
    jobs = [
        (table, arguments, TRIED if table == "tried beside it" else asked.studies, seed)
        for table in asked.table or TABLES
        for seed, arguments in enumerate(TABLES[table][2])
    ]
    lines, last = [], None
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for table, arguments, counted, _ in pool.imap(run, jobs, chunksize=1):
            if table != last:
                print(table)
                last = table
            told = f" ({', '.join(str(one) for one in arguments)})" if table in TOLD else ""
            for name, (found, count) in counted.items():
                rate = (found + 1) / (count + 2)
                error = 2 * (rate * (1 - rate) / count) ** 0.5
                must = TABLES[table][0]
                if "told as too narrow" in name:
                    must = None
                lines.append(shown(table, name + told, found, count, error, must))
        print("two trainings of one arm called different (3 against 3 of 30)")
        for arm, found, count in pool.imap(recorded, ("fasttext", "textcnn", "tiny-bert")):
            # Ten groups of one shuffle, not the shuffles, are what is independent.
            error = 2 * (0.05 * 0.95 / 45) ** 0.5
            lines.append(shown("recorded", arm, found, count, error, LEVEL))
    seconds = time.perf_counter() - begun
    print(f"{seconds / 60:.1f} minutes in {asked.processes} processes")
    content = {
        "date": time.strftime("%Y-%m-%d"), "studies": asked.studies, "seconds": seconds,
        "environment": facts.environment(), "cells": lines,
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=1), encoding="utf-8")
    sys.exit(any(line["kept"] is False for line in lines))
