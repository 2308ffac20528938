"""How arms look: one colour and one shape for each, the same in every chart and table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from suite.contracts.results import StudyResults

#: After Okabe and Ito's colours and Tol's muted set, darkened or lightened until each stands out
#: at 3:1 (WCAG 1.4.11) from the page's white and from its near-black. Beyond these, `Style.open`
#: sets arms apart.
PALETTE = (
    "#0077bb", "#c47f00", "#00926a", "#c2679a", "#d55e00", "#3b93cc",
    "#868622", "#b04da0", "#2f9184", "#cc6677", "#8c6d46", "#7f7f7f",
)  # fmt: skip
#: The families, in a reader's order.
SYMBOLS: Mapping[str, str] = {
    "classic": "circle",
    "static": "cross",
    "encoder": "square",
    "decoder": "diamond",
    "decision": "star",
}
OTHER_SYMBOL = "triangle-up"


@dataclass(frozen=True)
class Style:
    """How one arm looks in every chart and table: colour by arm, shape by family."""

    colour: str
    symbol: str
    open: bool


def styles(studies: Sequence[StudyResults]) -> dict[str, Style]:
    """A look for every arm, by its order in the studies, so that it never changes with the rank."""
    # Of an arm that several studies know, the last tells the family.
    families = {arm.arm: arm.family for results in studies for arm in results.arms}
    trials = [trial.arm for results in studies for trial in results.trials]
    finals = [final.arm for results in studies for final in results.finals]
    names = list(dict.fromkeys([*families, *trials, *finals]))
    # Arms that ran come first: a refused one, drawn nowhere, must not use up a colour.
    ran = {*trials, *finals}
    names.sort(key=lambda name: name not in ran)
    return {
        name: Style(
            colour=PALETTE[i % len(PALETTE)],
            symbol=SYMBOLS.get(families.get(name, ""), OTHER_SYMBOL),
            open=(i // len(PALETTE)) % 2 == 1,
        )
        for i, name in enumerate(names)
    }
