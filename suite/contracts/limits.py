"""The bounds of what a person may name in a call, wherever it comes in."""

from __future__ import annotations

from typing import Literal

from suite.errors import StudyError

#: Seeds are what NumPy's and Optuna's generators take: 32 bits.
MOST_SEED = 2**32 - 1

#: Test rows that `suite stress` asks about where nobody says how many.
STRESS_ROWS = 500

#: Trials of a study: far beyond what a search profits from; each is reckoned with wherever the
#: time left is told.
MOST_TRIALS = 100_000
#: Splits of one study's rows.
MOST_SPLITS = 50
#: Draws of training rows at each size of a learning curve, and its sizes.
MOST_DRAWS = 20
MOST_SIZES = 24
#: Trainings of an arm in the finals.
MOST_TRAININGS = 20

#: How much of its time the recipe `auto` gives to few arms or to many.
Preset = Literal["fast", "balanced", "best"]

#: Who may propose hyperparameters.
SamplerName = Literal["tpe", "gp", "cmaes", "qmc", "random", "optunahub"]


def told(number: object) -> str:
    """A number for a message; Python does not write thousands of digits down."""
    if isinstance(number, int) and number.bit_length() > 64:
        return "a whole number of more than 64 bits"
    return f"{number!r:.60}"


def positive(most: int, **numbers: int | None) -> None:
    """Refuses what is no whole number from 1 to `most`, or None.

    Raises:
        StudyError: one is none; it is named.
    """
    for name, number in numbers.items():
        if number is not None and (not isinstance(number, int) or not 1 <= number <= most):
            raise StudyError(f"{name} is {told(number)}", fix=f"A whole number, 1 to {most:,}.")


def ends(target_f1: float | None, patience: int | None) -> None:
    """Refuses a target that no F1 can have, and a patience that is no number of trials; 0 is none.

    Raises:
        StudyError: one is none; it is named.
    """
    number = isinstance(target_f1, int | float) and not isinstance(target_f1, bool)
    if target_f1 is not None and not (number and 0 <= target_f1 <= 1):
        raise StudyError(
            f"the target {told(target_f1)} is no F1", fix="A number above 0, at most 1; 0: none."
        )
    if patience != 0:
        positive(MOST_TRIALS, patience=patience)


def several(what: str, values: object) -> None:
    """Refuses one string where a list of them is meant: it would be taken letter by letter."""
    if isinstance(values, str):
        raise StudyError(f"{what} is a list of strings, not one string", fix=f"[{values!r}]")
