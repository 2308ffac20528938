"""What `suite serve` serves: a kept predictor, or an engine that answers as it does."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from suite.contracts.engine import Kept
from suite.contracts.speeds import BenchRow
from suite.contracts.strategy import Probabilities, Refused, Rows, TextLength
from suite.errors import ModelError, counted, nearest
from suite.serving.engines import candidates, kept, open_engine
from suite.serving.engines.agreement import Agreement, agreement
from suite.serving.load.measure import circumstances
from suite.strategies import MARK, load_predictor, refuse_no_probabilities

#: Validation rows an engine is compared on.
AGREEMENT_ROWS = 1000
#: Rows asked through HTTP before a server is ready; of a model behind a server, which may cost.
CHECK_ROWS, CHECK_ROWS_ENDPOINT = 32, 2

#: In which order scenarios say what is fastest for a server.
_SCENARIOS = ("Server", "Offline", "SingleStream")


@dataclass(frozen=True)
class Opened:
    """A predictor that is ready to serve.

    Args:
        texts: to be asked through HTTP.
        expected: its own probabilities of them.
        agreement: how the engine compares with the trained model; None where it is that model.
        rows: of that comparison.
        length: how long a text is for the trained model.
    """

    predictor: Any
    engine: str
    precision: str
    device: str
    threads: int
    texts: tuple[str, ...]
    expected: Probabilities
    agreement: Agreement | None = None
    rows: int = 0
    length: TextLength = field(default_factory=TextLength)


def open_served(
    folder: Path,
    *,
    engine: str | None,
    precision: str | None,
    classes: int,
    validation: Rows | None,
    texts: Sequence[str],
    scratch: Path,
    threads: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Opened:
    """Loads a kept predictor behind an engine, and compares the two on validation rows.

    Args:
        engine: the kept predictor as it is where None.
        precision: the engine's first where None; the kept one for `torch`.
        validation: labelled rows; None where there are none, so that no other engine can be had.
        texts: representative ones, to check with and to make an engine ready; at least one.
        scratch: a folder for what is converted; it must outlive the predictor.
        threads: of torch's arithmetic; as torch finds them where None.

    Raises:
        ModelError: no predictor is kept there, the engine can't be had, or it answers otherwise.
    """
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    found = kept.look(folder)
    engine = engine or found.engine
    precision = precision or _precision(folder, engine, found)
    count = CHECK_ROWS_ENDPOINT if found.kind == "endpoint" else CHECK_ROWS
    source = validation.texts if validation is not None and len(validation) else tuple(texts)
    checked = tuple(source[i] for i in _some(len(source), count))
    if engine == found.engine and precision == found.precision:
        predictor: Any = load_predictor(folder, classes=classes)
        return replace(_opened(predictor, engine, checked, folder), length=_length(predictor))
    if validation is None or not len(validation):
        raise ModelError(
            f"{engine} {precision} can't be compared with the trained model: an exported folder "
            "holds no validation rows",
            fix="Serve the study by its name, or leave --engine and --precision away.",
        )
    drawn = validation.take(_some(len(validation), AGREEMENT_ROWS))
    say(f"The trained model's own answers on {counted(len(drawn), 'validation row')} …")
    trained = load_predictor(folder)
    reference = trained.predict_proba(drawn.texts)
    length = _length(trained)
    del trained
    gc.collect()
    say(f"Opening {engine} {precision} …")
    try:
        predictor = open_engine(folder, engine, precision, texts=texts, scratch=scratch)
    except Refused as refusal:
        raise ModelError(
            f"{engine} {precision} can't serve this model: {refusal}",
            where="--engine",
            fix="Leave --engine away to serve it as it was kept.",
        ) from None
    compared = agreement(
        reference, predictor.predict_proba(drawn.texts), drawn.labels, classes, precision
    )
    if not compared.agrees:
        raise ModelError(
            f"{engine} {precision} answers otherwise than the trained model on "
            f"{counted(len(drawn), 'validation row')}: {compared.reason}",
            where="--engine",
            fix="Leave --engine away, or name another --precision.",
        )
    opened = _opened(predictor, engine, checked, folder)
    return replace(opened, agreement=compared, rows=len(drawn), length=length)


def made_on(folder: Path) -> str:
    """The day on which a kept predictor was written, as 2026-11-27."""
    written = datetime.fromtimestamp((folder / MARK).stat().st_mtime, UTC)
    return written.date().isoformat()


def fastest(rows: Iterable[BenchRow], arm: str, host: str) -> tuple[BenchRow, str] | None:
    """The fastest engine that was measured for an arm on a machine, and in which scenario; None
    where none was. Server counts first: it is the load a server has."""
    own = [row for row in rows if row.arm == arm and row.host == host]
    for scenario in _SCENARIOS:
        for row in own:
            if scenario in row.fastest_in:
                return row, scenario
    return None


def _opened(predictor: Any, engine: str, texts: tuple[str, ...], folder: Path) -> Opened:
    expected = np.asarray(predictor.predict_proba(texts), dtype=np.float32)
    refuse_no_probabilities(expected, folder)
    told, device, threads = circumstances(predictor)
    return Opened(
        predictor,
        engine if engine != "python" else told,
        str(predictor.precision),
        device,
        threads,
        texts,
        expected,
    )


def _length(predictor: Any) -> TextLength:
    """What a predictor says of it; words where it says nothing."""
    found: TextLength | None = getattr(predictor, "text_length", None)
    return found or TextLength()


def _precision(folder: Path, engine: str, found: Kept) -> str:
    """What an engine computes in where nothing else is asked."""
    if engine == found.engine:
        return found.precision
    offered = candidates(folder)
    able = [c for c in offered if c.engine == engine]
    if not able:
        raise ModelError(
            f"no engine '{engine}' serves this model",
            fix=nearest(engine, {c.engine for c in offered}),
        )
    return next((c for c in able if c.refused is None), able[0]).precision


def _some(of: int, count: int) -> list[int]:
    return list(range(of)) if of <= count else sorted(Random(0).sample(range(of), count))
