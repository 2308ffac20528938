"""Hyperparameters, declared once: what each may be, whatever a recipe asks.

A strategy's are the fields of a frozen dataclass:

    @dataclass(frozen=True)
    class Knobs(Declared):
        learning_rate: float = declared(5e-5, "the highest step size", above=0)
        schedule: str = declared("linear", "of the step size", options=("linear", "cosine"))

From them come the dimensions of its search space (`dimensions`), the check of what a recipe asks
(`Hyperparameter.admit`), a trial's values as typed ones (`of`), and the table in the documents.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Self

from suite.contracts.model import Family
from suite.contracts.space import Choice, Dimension, Fixed, Float, Int, Params, Value
from suite.errors import RecipeError


@dataclass(frozen=True)
class Hyperparameter:
    """What one hyperparameter may be.

    Args:
        default: what a trial leaves out; its type is the hyperparameter's.
        about: what it does, in a few words.
        low, high, above, below: bounds of a number; the first two belong to what it may be.
        options: the only values, where there are few.
        form: raises ValueError for a text that is written wrongly.
        wanted: how such a text is written.
        names: families of models that a text may name in place of its default: such a model is
            its arm's companion.
    """

    default: str | int | float | bool
    about: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    options: tuple[Value, ...] = ()
    form: Callable[[str], object] | None = None
    wanted: str = "a text"
    names: tuple[Family, ...] = ()

    @property
    def described(self) -> str:
        """What it must be.

        >>> Hyperparameter(0.1, "part of the steps", low=0, below=1).described
        'a number of at least 0 and below 1'
        """
        if self.options:
            return f"one of {', '.join(map(str, self.options))}"
        if isinstance(self.default, bool):
            return "true or false"
        if self.names:
            return f"{self.default}, or the name of a model of family {' or '.join(self.names)}"
        if isinstance(self.default, str):
            return self.wanted
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        bounds = {
            "of at least": self.low,
            "above": self.above,
            "at most": self.high,
            "below": self.below,
        }
        told = [f"{word} {bound}" for word, bound in bounds.items() if bound is not None]
        return f"{kind} {' and '.join(told)}".rstrip()

    def read(self, value: Any) -> Any:
        """A value as the hyperparameter's type; a whole number may be written 32.0.

        Raises:
            ValueError: it may not be that; the message goes behind the name.
        """
        if isinstance(self.default, bool):
            fits = isinstance(value, bool)
        elif isinstance(self.default, str):
            fits = isinstance(value, str) and value != "" and self._formed(value)
        else:
            fits = self._within(value) and (isinstance(self.default, float) or value == int(value))
        if not fits or (self.options and value not in self.options):
            raise ValueError(f"must be {self.described}, not {value!r}")
        return type(self.default)(value)

    def admit(self, dimension: Dimension) -> None:
        """Refuses a dimension that reaches beyond what the hyperparameter may be.

        Raises:
            ValueError: as `read`.
        """
        match dimension:
            case Fixed(value=value):
                self.read(value)
            case Choice(options=options):
                for option in options:
                    self.read(option)
            case Float(low=low, high=high) if not isinstance(self.default, float):
                raise ValueError(f"must be {self.described}, not a number from {low} to {high}")
            case Float(low=low, high=high) | Int(low=low, high=high):
                self.read(low)
                self.read(high)

    def _formed(self, text: str) -> bool:
        try:
            if self.form is not None:
                self.form(text)
        except ValueError:
            return False
        return True

    def _within(self, value: Any) -> bool:
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) <= sys.float_info.max  # neither infinity nor NaN
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def declared(default: str | int | float | bool, about: str, **limits: Any) -> Any:
    """A field of a `Declared` dataclass; the arguments are those of `Hyperparameter`."""
    made = Hyperparameter(default, about, **limits)
    return field(default=default, metadata={"hyperparameter": made})


@dataclass(frozen=True)
class Declared:
    """Hyperparameters as the fields of a dataclass, each made by `declared`."""

    @classmethod
    def hyperparameters(cls) -> dict[str, Hyperparameter]:
        """What each may be, by name, in the order in which they are declared."""
        return {one.name: one.metadata["hyperparameter"] for one in fields(cls)}

    @classmethod
    def dimensions(cls, **searched: Dimension) -> dict[str, Dimension]:
        """Every dimension in the order of the fields; what is not searched stays at its default."""
        fixed: dict[str, Dimension] = {
            name: Fixed(one.default) for name, one in cls.hyperparameters().items()
        }
        return fixed | searched

    @classmethod
    def of(cls, params: Params) -> Self:
        """A trial's values, typed; names of other classes are passed over.

        Raises:
            RecipeError: a value that the hyperparameter can't have.
        """
        values = {}
        for name, one in cls.hyperparameters().items():
            if name in params:
                try:
                    values[name] = one.read(params[name])
                except ValueError as error:
                    raise RecipeError(
                        f"{name} {error}", fix="Change it under 'spaces' in the recipe."
                    ) from None
        return cls(**values)
