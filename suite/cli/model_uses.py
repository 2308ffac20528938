"""What each strategy finds in a model: whether it runs, why not, and what becomes of the weights.

The judgement is that of a study's arms (`Strategy.refuses`, `suite.models.folder`); where weights
lie here, each strategy's architecture is built without numbers as well, and they are held to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.cli import doctor

if TYPE_CHECKING:
    from suite.contracts.model import Model


@dataclass(frozen=True)
class Use:
    """What a strategy makes of a model.

    Args:
        refused: why it does not run, with what would help, or None.
        classes: of the head that lies in the weights, where it is trained on by a task of as many;
            of another number a new one is drawn.
        new: modules that would be drawn and trained.
        ignored: modules that it has no use for.
        embeds: whether the model is asked, and was made to embed.
    """

    strategy: str
    refused: str | None = None
    classes: int | None = None
    new: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    embeds: bool = False


def runs(found: Sequence[Use]) -> bool:
    """Whether any does; of those that say what they read a folder as, where some do."""
    from suite import strategies

    reading = [one for one in found if strategies.reads(one.strategy) is not None] or found
    return any(one.refused is None for one in reading)


def uses(model: Model, away: str | None) -> list[Use]:
    """Every strategy that a glob pairs with a model.

    Args:
        away: why its weights can't be had, or None.
    """
    from suite import strategies
    from suite.models import folder

    lies = None if away else folder.here(model)
    task = doctor.judged_by(doctor.language_judged(model))
    found, kept = [], []
    for name in strategies.names():
        if not strategies.fits(model, name):
            continue
        use = strategies.reads(name)
        refused = None if lies is None or use is None else folder.refuses(lies, use)
        # Of a folder that can't be used nothing else is worth saying.
        refused = refused or strategies.get(name).refuses(model, task) or away
        found.append(Use(name, refused))
        if refused is None and lies is not None and use is not None:
            kept.append((name, use))
    # A static model is no network: its arrays were looked at as they were judged.
    if lies is None or not kept or model.family == "static":
        return found
    from suite.strategies.network import examined

    seen = {one.strategy: one for one in examined.examined(lies, kept)}
    read = dict(kept)
    return [
        one
        if one.strategy not in seen
        else Use(
            one.strategy,
            seen[one.strategy].refused,
            folder.classes(lies) if read[one.strategy] == "classifier" else None,
            seen[one.strategy].new,
            seen[one.strategy].ignored,
            read[one.strategy] == "language model" and folder.embeds(lies),
        )
        for one in found
    ]
