"""How `suite bench` stands in a study's storage, and which engine is the fastest where.

Each row is an attribute of its own, its key naming machine, arm, engine and precision: machines
that measure the same study don't overwrite each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import optuna
from pydantic import TypeAdapter, ValidationError

from suite.contracts.records import why
from suite.contracts.speeds import BenchRow
from suite.verdict import speeds

BENCH = "suite:bench:"

_ROW = TypeAdapter(BenchRow)

#: Scenario -> how quick a row is in it (larger is quicker); None where it has no valid figure.
SPEEDS: dict[str, Callable[[BenchRow], float | None]] = {
    "SingleStream": lambda row: (
        1000 / row.single_stream.p50_ms
        if row.single_stream and row.single_stream.valid and row.single_stream.p50_ms
        else None
    ),
    "Offline": lambda row: row.offline_per_second if row.offline_valid else None,
    "Server": lambda row: row.server.per_second if row.server and row.server.valid else None,
}
#: Scenario -> how quick a row is in each round. Server, a search, is not repeated.
TIMED: dict[str, Callable[[BenchRow], speeds.Timed]] = {
    "SingleStream": speeds.one_by_one,
    "Offline": speeds.offline,
}


def store(study: optuna.Study, row: BenchRow) -> None:
    """Stores a row in the place of its like."""
    study.set_user_attr(_key(row), dump(row))


def dump(row: BenchRow) -> dict[str, Any]:
    """A row as plain JSON types."""
    dumped: dict[str, Any] = json.loads(_ROW.dump_json(row))
    return dumped


def stored(
    attributes: Mapping[str, Any],
    kept: Mapping[str, tuple[int, bool] | None],
    unread: list[str],
    made_of: Mapping[str, str] | None = None,
) -> list[BenchRow]:
    """The rows among a study's attributes, with what is stale and what is fastest marked.

    Args:
        attributes: the study's user attributes.
        kept: the trial whose model each arm keeps, and whether that is refitted, in the order in
            which the arms are to come; arms beyond them come last.
        unread: told the rows that can't be read, a line each.
        made_of: combination -> the digest of what it is made of now.
    """
    combined = made_of or {}
    rows: list[BenchRow] = []
    for key, value in attributes.items():
        if not key.startswith(BENCH):
            continue
        try:
            row = _ROW.validate_python(value)
        except ValidationError as error:
            unread.append(f"bench row {key.removeprefix(BENCH)}: {why(error)}")
            continue
        stale = (row.trial, row.refit) != kept.get(row.arm)
        stale |= row.made_of != combined.get(row.arm, "")
        rows.append(replace(row, stale=stale))
    place = {arm: index for index, arm in enumerate(kept)}
    return sorted(
        fastest(rows),
        key=lambda row: (
            place.get(row.arm, len(place)),
            row.host,
            -(row.offline_per_second or 0.0),
            row.engine,
            row.precision,
        ),
    )


def fastest(rows: Iterable[BenchRow]) -> list[BenchRow]:
    """The rows, each with the scenarios in which it is the fastest of its arm, and of all.

    Those that were measured in rounds and can't be told apart from the fastest are the fastest,
    too. Machines are not compared with each other. Rows that were timed while others ran on their
    machine take no part, nor do those of a checkpoint that is kept no more, nor figures that
    LoadGen did not accept.
    """
    known = list(rows)
    of_arm: dict[tuple[str, str, str], BenchRow] = {}
    of_all: dict[tuple[str, str], BenchRow] = {}
    for row in known:
        for scenario in SPEEDS:
            if _counts(row, scenario) is not None:
                own, whole = (row.host, row.arm, scenario), (row.host, scenario)
                of_arm[own] = _faster(row, of_arm.get(own), scenario)
                of_all[whole] = _faster(row, of_all.get(whole), scenario)
    return [
        replace(
            row,
            fastest_in=[s for s in SPEEDS if _is(row, of_arm.get((row.host, row.arm, s)), s)],
            fastest_overall_in=[s for s in SPEEDS if _is(row, of_all.get((row.host, s)), s)],
        )
        for row in known
    ]


def _faster(row: BenchRow, other: BenchRow | None, scenario: str) -> BenchRow:
    if other is None or (_counts(row, scenario) or 0.0) > (_counts(other, scenario) or 0.0):
        return row
    return other


def _is(row: BenchRow, best: BenchRow | None, scenario: str) -> bool:
    """Whether a row is as fast as the fastest, as far as anybody can tell."""
    own = _counts(row, scenario)
    if own is None or best is None:
        return False
    if own == _counts(best, scenario):
        return True
    timed = TIMED.get(scenario)
    found = speeds.times(timed(best), timed(row)) if timed is not None else None
    return found is not None and not found.parts


def _counts(row: BenchRow, scenario: str) -> float | None:
    if row.state != "measured" or not row.agrees or row.contended or row.stale:
        return None
    return SPEEDS[scenario](row)


def _key(row: BenchRow) -> str:
    return f"{BENCH}{row.host}:{row.arm}:{row.engine}:{row.precision}"
