"""How fast a kept predictor serves: both scenarios of a trial, in a child process of their own.

LoadGen keeps global state and can end a process by a signal, so nothing else should live in the
process that measures; the runner starts it. Speeds that are ranked are
measured one at a time on a machine, under `machine_lock`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from suite.contracts.speeds import Rps, ServingForm, SingleStream
from suite.contracts.strategy import Predictor
from suite.errors import ModelError, StorageError, counted
from suite.machine import contention, facts
from suite.machine.holders import holders, holds
from suite.serving.load.loadgen import ScenarioResult, run_scenario
from suite.strategies import load_predictor
from suite.strategies.calibrated import own_of

LOCK_NAME = "suite-measures-alone.lock"
#: What a predictor that asks a server calls its engine.
ENDPOINT = "endpoint"


def measure_folder(
    folder: Path,
    texts: Sequence[str],
    seconds: float,
    log_folder: Path,
    *,
    seed: int = 0,
    forms: bool = True,
    loader: Callable[[Path], Predictor] = load_predictor,
) -> Rps:
    """Serving speed of the predictor kept in `folder`, from raw text, and whether other processes
    computed meanwhile (`disturbed` is 1, else 0).

    A predictor that serves the same model in other forms too has each of them measured. For each
    form it takes about 2.5 × `seconds` after loading, warming up and calibrating included; up to
    3.5 × where p90 needs longer, and more only where a single text takes part of a second.

    Args:
        texts: what the load is drawn from; at least one.
        seconds: length of each scenario's timed part; above 0.
        log_folder: LoadGen's logs go into a folder per scenario inside it.
        seed: of the draw of texts.
        forms: whether other forms are measured, too.

    Raises:
        ModelError: the folder holds no predictor, or it failed while answering.
        StorageError: the log folder can't be written.
    """
    predictor: Any = loader(folder)
    if hasattr(predictor, "to_measure"):
        predictor = predictor.to_measure()
    watch = contention.Watch()
    found = _scenarios(predictor, folder, texts, seconds, log_folder, seed)
    beside = watch.beside()
    single, offline = found["SingleStream"], found["Offline"]
    others: list[ServingForm] = []
    for name, other in predictor.forms().items() if forms and hasattr(predictor, "forms") else ():
        results = _scenarios(other, folder, texts, seconds, log_folder / name, seed)
        others.append(
            ServingForm(
                form=name,
                p50_ms=results["SingleStream"].p50_ms,
                offline_per_second=results["Offline"].samples_per_second,
                valid=results["Offline"].valid,
            )
        )
    engine, device, threads = circumstances(predictor)
    notes = [
        f"Offline: {counted(offline.samples, 'text')} in one query",
        *(f"{name}: {result.reason}" for name, result in found.items() if result.reason),
    ]
    # A server that is asked may compute on this very machine: its work is what is measured.
    disturbed = engine != ENDPOINT and beside.disturbed
    if disturbed:
        notes.append(str(beside))
    return Rps(
        single_stream=SingleStream(single.p50_ms, single.p90_ms, single.p99_ms, single.valid),
        offline_per_second=offline.samples_per_second,
        valid=offline.valid,
        engine=engine,
        precision=predictor.precision,
        batch=predictor.batch,
        device=device,
        seconds=seconds,
        threads=threads,
        note="; ".join(notes),
        form=str(getattr(predictor, "form", "")),
        other_forms=others,
        disturbed=int(disturbed),
    )


def _scenarios(
    predictor: Predictor,
    folder: Path,
    texts: Sequence[str],
    seconds: float,
    log_folder: Path,
    seed: int,
) -> dict[str, ScenarioResult]:
    found: dict[str, ScenarioResult] = {}
    for scenario in ("SingleStream", "Offline"):
        result = run_scenario(
            scenario, predictor.predict_proba, texts, seconds, log_folder / scenario, seed=seed
        )
        if result.error is not None:
            raise ModelError(
                f"the predictor failed while it was served ({scenario}): {result.error}",
                where=str(folder),
            )
        found[scenario] = result
    return found


@contextlib.contextmanager
def machine_lock(timeout: float, say: Callable[[str], None] = lambda text: None) -> Iterator[bool]:
    """Within: this process alone measures on this machine. Yields whether it had to wait.

    One lock file in the system's temporary folder, shared by all users (processes with another
    TMPDIR have another lock). The system frees it when its holder dies. Not reentrant.

    Args:
        timeout: seconds to wait for another measurement to end.
        say: told whom it waits for, where it does.

    Raises:
        StorageError: the wait was in vain, or no lock file can be made.
    """
    try:
        file = Path(tempfile.gettempdir()) / LOCK_NAME
    except FileNotFoundError as problem:
        raise StorageError(
            f"no temporary folder can be written: {problem.strerror}",
            fix="Set TMPDIR to a folder you may write to.",
        ) from None
    lock = FileLock(file, mode=0o666)  # another user's process must be able to lock it as well
    waited = False
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waited = True
            if not holds(file):  # else another worker of this command
                who = ", ".join(holders(file)) or "a process that this system does not tell"
                say(f"{who} measures on this machine; it is waited for, up to {timeout:,.0f} s")
            lock.acquire(timeout=timeout)
    except Timeout:
        raise StorageError(
            f"another measurement has held this machine for more than {timeout:g} s",
            where=str(file),
            fix="Wait for it to end, or stop it.",
        ) from None
    except OSError as problem:
        raise StorageError(
            f"the lock for measuring alone can't be made: {problem.strerror or problem}",
            where=str(file),
            fix="Set TMPDIR to a folder you may write to.",
        ) from None
    try:
        yield waited
    finally:
        lock.release()


def circumstances(predictor: Predictor) -> tuple[str, str, int]:
    """Engine, device and threads: what the predictor says of itself, else what it holds.

    A predictor may have `engine` and `device`; one without that holds no torch module is called
    `python` (numpy and scipy under it), on the CPU.
    """
    engine = getattr(predictor, "engine", None)
    device = getattr(predictor, "device", None)
    torch = sys.modules.get("torch")
    module = _module_in(predictor, torch) if torch is not None else None
    if module is not None:
        engine = engine or "torch"
        parameter = next(module.parameters(), None)
        device = device or (parameter.device if parameter is not None else None)
    if torch is not None and str(device).startswith("cuda"):
        device = f"{device} ({torch.cuda.get_device_name(device)})"
    if torch is not None and module is not None:
        threads = int(torch.get_num_threads())
    else:
        threads = _allowed_threads()
    return str(engine or "python"), str(device or "cpu"), threads


def _module_in(predictor: Predictor, torch: Any) -> Any:
    """The torch module that a predictor holds, itself or in a part of it; or None."""
    for member in getattr(predictor, "members", ()):  # of a combination
        found = _module_in(member, torch)
        if found is not None:
            return found
    held = list(getattr(own_of(predictor), "__dict__", {}).values())
    parts = [inner for value in held for inner in getattr(value, "__dict__", {}).values()]
    return next((value for value in [*held, *parts] if isinstance(value, torch.nn.Module)), None)


def _allowed_threads() -> int:
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    return facts.threads()
