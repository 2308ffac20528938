"""What every opened engine is: a predictor that says how it serves and what opening it took."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Probabilities, Refused
from suite.contracts.temperature import tempered
from suite.errors import ModelError, SuiteError
from suite.machine.surroundings import SILENT
from suite.strategies.calibrated import own_of, temperature_of

if TYPE_CHECKING:
    from suite.serving.engines.graph import Graph

Ids = NDArray[np.int64]
#: Padded input_ids and attention_mask, int64 [rows, tokens], to float32 [rows, width].
Run = Callable[[Ids, Ids], NDArray[np.float32]]


class Answers(Protocol):
    """What stands behind an engine."""

    batch: int

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]."""
        ...


class EnginePredictor:
    """A kept predictor behind an engine; satisfies `Predictor`.

    Args:
        answers: what predicts the predictor's own probabilities; one that has a temperature
            is asked without it.
        folder: where the predictor is kept, with its temperature where it has one.
        device: "cpu", "cuda:0", ...
        serving_shape: of the kept predictor.
        load_seconds: reading weights and tokenizer.
        prepare_seconds: exporting, converting, quantising, compiling and warming up.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        folder: Path,
        engine: str,
        precision: str,
        device: str,
        serving_shape: str,
        load_seconds: float,
        prepare_seconds: float,
    ) -> None:
        self.answers: Answers = own_of(answers)
        self.folder = folder
        self.engine = engine
        self.precision = precision
        self.device = device
        self.serving_shape = f"{engine}/{precision}|{serving_shape}"
        self.load_seconds = load_seconds
        self.prepare_seconds = prepare_seconds
        self.temperature = temperature_of(folder)

    @property
    def batch(self) -> int:
        """Most texts answered at once."""
        return self.answers.batch

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts."""
        return tempered(self.answers.predict_proba(texts), self.temperature)

    def save(self, folder: Path) -> None:
        """Copies the predictor it serves; an engine itself is made anew on each machine."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)


class GraphAnswers:
    """Answers by a converted graph: sorted by length, in batches of a bounded number of tokens.

    Args:
        run: the converted graph.
        tokens: most tokens in a batch, padding included; a longer row stands alone.
        batch: most rows in a batch.
        multiple: rows are padded to a multiple of it, but never beyond the graph's longest; few
            different lengths are few shapes to make ready for.
    """

    def __init__(
        self, graph: Graph, run: Run, *, tokens: int, batch: int = 64, multiple: int = 1
    ) -> None:
        self.graph = graph
        self.run = run
        self.tokens = tokens
        self.batch = batch
        self.multiple = multiple

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts.

        Raises:
            Diverged: a logit is not finite.
        """
        rows, counts = self.graph.rows(texts)
        values = np.zeros((len(rows), self.graph.width), dtype=np.float32)
        for positions, length in self._batches([len(row) for row in rows]):
            ids = np.full((len(positions), length), self.graph.pad_id, dtype=np.int64)
            mask = np.zeros((len(positions), length), dtype=np.int64)
            for place, position in enumerate(positions):
                row = rows[position]
                ids[place, : len(row)] = row
                mask[place, : len(row)] = 1
            values[positions] = self.run(ids, mask)
        return self.graph.probabilities(values, counts)

    def _batches(self, lengths: Sequence[int]) -> Iterator[tuple[NDArray[np.intp], int]]:
        """Positions of rows and the length they are padded to, longest first."""
        order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
        start = 0
        while start < len(order):
            longest = lengths[order[start]]
            length = min(-(-longest // self.multiple) * self.multiple, self.graph.max_tokens)
            length = max(length, longest)
            size = max(1, min(self.batch, self.tokens // length))
            yield order[start : start + size], length
            start += size


@contextmanager
def quiet() -> Iterator[None]:
    """Within: exporters' progress and advice are not printed."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def unreported() -> Iterator[None]:
    """Within: OpenVINO and NNCF, which report their use to their maker unless told otherwise, do
    not. Import and call them in here; what all libraries have in common is
    `suite.machine.surroundings.SILENT`."""
    off = {"CI": "true", **SILENT}
    before = {name: os.environ.get(name) for name in off}
    os.environ.update(off)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def converting(engine: str, what: str) -> Iterator[None]:
    """Turns whatever a converter raises into one reason.

    Raises:
        Refused: in place of any error that is not the suite's own.
    """
    try:
        yield
    except (SuiteError, Refused, MemoryError):
        raise
    except Exception as error:  # exporters raise what they like, down to plain Exception
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines[0] if lines else type(error).__name__)[:300]
        raise Refused(f"{engine} can't {what} this model: {reason}") from error


def failed(engine: str, error: BaseException) -> ModelError:
    """One message for an engine that was opened and fails while it answers."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ModelError(f"{engine} failed: {lines[0] if lines else type(error).__name__}")


def device_of(predictor: Any) -> str:
    """Where a predictor of ours computes."""
    where = getattr(predictor, "where", None) or getattr(
        getattr(predictor, "embedder", None), "where", None
    )
    return str(where or "cpu")
