"""Search spaces as values: what a strategy offers, what a recipe overrides, what Optuna is asked.

In YAML a parameter is one of

    learning_rate: {low: 1e-5, high: 1e-3, log: true}     a float (or an int, if both are ints)
    batch: [16, 32, 64]                                       a choice
    epochs: 2                                                 a fixed value
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from suite.errors import RecipeError

#: Beyond this, whole numbers are no longer exact as floats, and a database may refuse them.
LARGEST = 1e15

Value = str | int | float | bool | None
Params = dict[str, Value]


@dataclass(frozen=True)
class Float:
    """A real number in [low, high], on a log scale if `log`."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Int:
    """A whole number in [low, high], by `step`, on a log scale if `log`."""

    low: int
    high: int
    step: int = 1
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[Value, ...]


@dataclass(frozen=True)
class Fixed:
    """Not searched: always this value."""

    value: Value


Dimension = Float | Int | Choice | Fixed


@dataclass(frozen=True)
class Space:
    """The dimensions of one arm, and points known to be good, tried first in this order."""

    dimensions: Mapping[str, Dimension]
    known_good: Sequence[Params] = field(default_factory=tuple)

    def override(self, changes: Mapping[str, Dimension]) -> Space:
        """This space with other dimensions in place of its own.

        Known-good points keep only values that still lie inside; a point's missing values
        are left to the sampler.
        """
        dimensions = {**self.dimensions, **changes}
        points: list[Params] = []
        for point in self.known_good:
            kept = {k: v for k, v in point.items() if contains(dimensions[k], v)}
            if kept not in points:
                points.append(kept)
        return Space(dimensions, tuple(points))


def contains(dimension: Dimension, value: Value) -> bool:
    """Whether a value lies inside a dimension."""
    match dimension:
        case Fixed(value=fixed):
            return value == fixed
        case Choice(options=options):
            return value in options
        case Float(low=low, high=high):
            return isinstance(value, int | float) and low <= value <= high
        case Int(low=low, high=high, step=step):
            return isinstance(value, int) and low <= value <= high and (value - low) % step == 0


def every_point(space: Space, most: int = 64) -> list[Params] | None:
    """Every point of a finite space in a fixed order; None if it has more than `most`, or no end.

    >>> every_point(Space({"shots": Choice((0, 1)), "mode": Fixed("think")}))
    [{'shots': 0, 'mode': 'think'}, {'shots': 1, 'mode': 'think'}]
    """
    values: list[Sequence[Value]] = []
    for dimension in space.dimensions.values():
        match dimension:
            case Fixed(value=value):
                values.append((value,))
            case Choice(options=options):
                values.append(options)
            case Int(low=low, high=high, step=step):
                values.append(range(low, high + 1, step))
            case Float(low=low, high=high):
                if low != high:
                    return None
                values.append((low,))
        if math.prod(len(v) for v in values) > most:
            return None
    return [dict(zip(space.dimensions, point, strict=True)) for point in product(*values)]


def parse_dimension(raw: Any, *, where: str | None = None) -> Dimension:
    """A dimension from its YAML form.

    Raises:
        RecipeError: the form is none of the three, or its bounds are empty.
    """
    if isinstance(raw, list):
        if not raw or any(isinstance(o, list | dict) for o in raw):
            raise RecipeError("a choice needs at least one plain value", where=where)
        if any(isinstance(o, float) and not abs(o) <= LARGEST for o in raw):
            raise RecipeError(f"a choice has no infinities and no NaN: {raw}", where=where)
        if len({(type(o), o) for o in raw}) != len(raw):
            raise RecipeError("a choice names a value twice", where=where)
        return Choice(tuple(raw))
    if not isinstance(raw, dict):
        return Fixed(raw)
    extra = set(raw) - {"low", "high", "log", "step"}
    if extra or not {"low", "high"} <= set(raw):
        raise RecipeError(
            f"a range has low, high and maybe log or step, not {sorted(raw)}",
            where=where,
            fix="For example {low: 1e-5, high: 1e-3, log: true}.",
        )
    low, high = raw["low"], raw["high"]
    log, step = raw.get("log", False), raw.get("step")
    for bound in (low, high):
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise RecipeError(f"a bound must be a number, not {bound!r}", where=where)
        if not abs(bound) <= LARGEST:  # also true of NaN
            raise RecipeError(
                f"a bound must lie within ±{LARGEST:.0e}, not {bound!r:.30}", where=where
            )
    if not isinstance(log, bool):
        raise RecipeError(f"log must be true or false, not {log!r}", where=where)
    if low > high:
        raise RecipeError(f"low {low} is above high {high}", where=where)
    if log and low <= 0:
        raise RecipeError(f"a log scale needs low above 0, not {low}", where=where)
    if isinstance(low, int) and isinstance(high, int):
        if step is not None and (isinstance(step, bool) or not isinstance(step, int) or step < 1):
            raise RecipeError(
                f"step must be a whole number of at least 1, not {step!r}", where=where
            )
        if log and step not in (None, 1):
            raise RecipeError("a log scale has no step", where=where)
        return Int(low, high, step or 1, log)
    if step is not None:
        raise RecipeError("a float range has no step here; list the values instead", where=where)
    return Float(float(low), float(high), log)


def dump_dimension(dimension: Dimension) -> Any:
    """The YAML form of a dimension; `parse_dimension` reads it back."""
    match dimension:
        case Fixed(value=value):
            return value
        case Choice(options=options):
            return list(options)
        case Float(low=low, high=high, log=log):
            return {"low": low, "high": high, "log": log}
        case Int(low=low, high=high, step=step, log=log):
            return {"low": low, "high": high, "step": step, "log": log}
