"""What the rooms promise each other: an engine serves a kept predictor at a precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from suite.contracts.strategy import Predictor

Kind = Literal["network", "python", "endpoint"]


@dataclass(frozen=True)
class Kept:
    """A kept predictor, as its small files tell.

    Args:
        kind: a transformers network; a classic or static predictor or one of somebody's own, which
            serve as they are; or a server's client.
        precision: what it was scored in.
        fixed: why no engine but the one it was kept for can serve it, or None.
        chunked: whether it may read a text in several rows, which become one behind the network.
    """

    kind: Kind
    precision: str
    fixed: str | None = None
    chunked: bool = False

    @property
    def engine(self) -> str:
        """The one that serves it as it was kept."""
        return "torch" if self.kind == "network" else self.kind


class Opened(Predictor, Protocol):
    """A kept predictor behind an engine, ready to answer."""

    engine: str
    #: "cpu", "cuda:0", ...
    device: str
    #: Reading weights and tokenizer.
    load_seconds: float
    #: Exporting, converting, quantising, compiling and warming up.
    prepare_seconds: float


class Engine(Protocol):
    """A way to serve. Its module imports no heavy library; `open` does.

    It may also have
    - `packages`, a `Package` each, that it can't be opened without;
    - `versions`, the distributions that its figures depend on: where one of them changes, `suite
      bench` measures again. Where it does not say: the suite's and its own.
    """

    name: str

    def precisions(self, kept: Kept) -> Sequence[str]:
        """What it is measured in for such a predictor; none where it serves none such."""
        ...

    def refuses(self, kept: Kept, precision: str) -> str | None:
        """Why it can't serve such a predictor so here, and what would help; or None."""
        ...

    def open(self, folder: Path, precision: str, *, texts: Sequence[str], scratch: Path) -> Opened:
        """Loads a kept predictor: exports, converts, compiles and quantises it.

        Args:
            folder: as `save_predictor` wrote it.
            texts: representative ones, at least one; for the ranges of 8-bit numbers, and to make
                ready for shapes.
            scratch: a folder for what is converted; it outlives the engine.

        Raises:
            Refused: the model can't be had so, which showed only now.
            ModelError: the folder holds no predictor, or the engine failed on it.
        """
        ...
