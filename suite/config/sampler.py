"""The schema of who proposes hyperparameters: a recipe's `sampler`, by its name alone or whole."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from suite.contracts.limits import SamplerName
from suite.contracts.space import Choice, Space, every_point
from suite.contracts.task import Closed


class Sampler(Closed):
    """Who proposes hyperparameters, each arm's from its own trials."""

    name: SamplerName = Field(
        "tpe",
        description="tpe and gp model an arm's scores (gp imports torch); cmaes moves through "
        "ranges alone, and refuses arms with choices; qmc spreads points evenly; random does not.",
    )
    startup_trials: int = Field(
        10,
        ge=0,
        description="Trials of the study before tpe, gp or cmaes is trusted, shared equally by "
        "the arms; known-good points count, the others are random.",
    )

    package: str | None = Field(
        None,
        pattern=r"^samplers/[A-Za-z0-9_]{1,64}(:[A-Za-z_][A-Za-z0-9_]{0,63})?$",
        description="Of optunahub: samplers/NAME, or samplers/NAME:CLASS, in the local copy of its "
        "registry that SUITE_OPTUNAHUB names. Its code is run.",
    )
    per_second: bool = Field(
        False,
        description="Of tpe: the point with the largest expected improvement for each second that "
        "it takes, as the arm's trials tell.",
    )

    @model_validator(mode="after")
    def _knows_its_package(self) -> Sampler:
        if (self.name == "optunahub") != (self.package is not None):
            raise ValueError(
                "a package is named for optunahub, and for no other sampler: "
                "sampler: {name: optunahub, package: samplers/NAME}"
            )
        return self

    @model_validator(mode="after")
    def _knows_what_points_take(self) -> Sampler:
        if self.per_second and self.name != "tpe":
            raise ValueError(
                f"per_second weighs what tpe proposes, and {self.name} proposes otherwise; "
                "use sampler: {name: tpe, per_second: true}"
            )
        return self

    def refuses(self, space: Space) -> str | None:
        """Why it can't search a space, and what would help; None where it can.

        A space that is finite is gone through point by point, whoever the sampler is.
        """
        if self.name != "cmaes" or every_point(space) is not None:
            return None
        choices = [
            name
            for name, dimension in space.dimensions.items()
            if isinstance(dimension, Choice) and len(dimension.options) > 1
        ]
        if not choices:
            return None
        return (
            f"sampler cmaes moves through ranges, and these are choices: {', '.join(choices)}; "
            "give each one value under spaces in the recipe, or take sampler tpe, gp or qmc"
        )


def by_name(raw: Any) -> Any:
    """A sampler by its name alone."""
    return {"name": raw} if isinstance(raw, str) else raw
