"""`suite serve`: a study's winner behind HTTP."""

from __future__ import annotations

import json
import logging
import os
import shlex
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suite import shell
from suite.cli.allowing import AllowEndpoint
from suite.cli.console import err, exact, out, say, tell, warn
from suite.cli.options import Device, Storage, Threads
from suite.cli.predict import Arm, Chosen, Model, chosen
from suite.errors import UsageError, counted
from suite.serving import engines

if TYPE_CHECKING:
    from suite.contracts.strategy import Rows
    from suite.serving.http.guard import Guard
    from suite.serving.http.interface import Limits

#: The engine that `suite bench` found to be the fastest.
AUTO = "auto"


def serve(
    name: Model,
    arm: Arm = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(engines.OWN)}, or auto: the fastest that `suite bench` measured on "
            "this machine. Default: the model as it was kept."
        ),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16, float16 or int8. Default: the engine's.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; beyond this machine with a token.")
    ] = "127.0.0.1",
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A name by which clients ask, besides localhost. Repeatable."
        ),
    ] = None,
    anybody: Annotated[
        bool, typer.Option("--open", help="Whoever reaches the port may ask, without a token.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one and prints it.")
    ] = 8000,
    max_batch: Annotated[
        int, typer.Option(min=1, max=65536, help="Texts the model is given at once.")
    ] = 64,
    max_wait_ms: Annotated[
        float,
        typer.Option(min=0, max=60_000, help="Milliseconds a text waits for company at most."),
    ] = 0.0,
    max_queue: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Texts that may wait; then 503.")
    ] = 4096,
    max_texts: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Texts in one request; more: 413.")
    ] = 1024,
    max_chars: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="Characters in one text; more: 413.")
    ] = 100_000,
    max_body: Annotated[
        int, typer.Option(min=1, max=1024, help="MiB in one request; more: 413.")
    ] = 16,
    max_seconds: Annotated[
        float,
        typer.Option(
            min=1,
            max=3600,
            help="Seconds in which a request must come (else 408), and its answer be taken.",
        ),
    ] = 30.0,
    max_connections: Annotated[
        int,
        typer.Option(
            min=16,
            max=1_000_000,
            help="Open connections; then the oldest that asks for nothing is closed.",
        ),
    ] = 2048,
    device: Device = None,
    threads: Threads = None,
    storage: Storage = None,
    allow_endpoint: AllowEndpoint = None,
) -> None:
    """Serve a study's kept winner over HTTP.

    POST /predict, GET /health, /metrics (Prometheus) and /openapi.json. A body is {"texts": [...]},
    {"text": "..."}, or the columns that the model was trained on, which are joined as in its task:
    {"subject": "...", "body": "..."}; rows may stand in "texts" too. Before it is ready, the
    server asks itself some validation rows and compares the answers with the model's own. On
    SIGTERM or Ctrl-C it answers what it has accepted, and ends (0, or 130 for Ctrl-C).

    To clients of decision models it answers POST /v1/systemone and /v1/decisions (typed questions,
    a probability per option) and GET /v1/models: about the labels of a trained arm, about anything
    of a zero_shot arm whose decoder is here.

    With a token in SUITE_SERVE_TOKEN everything but /health asks for it (Authorization: Bearer).
    Where other machines can reach the port there must be one, or --open.

    Examples:

        suite serve agnews

        suite serve agnews --engine auto --port 0 --max-queue 1000

        SUITE_SERVE_TOKEN=$(cat token) suite serve ./agnews-model --host 0.0.0.0
    """
    token = token_of_environment()
    # Before anything imports torch: its threads spin while they wait, and take the core from
    # those who answer.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if max_texts > max_queue:
        raise UsageError(
            f"--max-texts {max_texts:,} is more than may wait (--max-queue {max_queue:,}): such a "
            "request could never be answered",
            fix="Raise --max-queue, or lower --max-texts.",
        )
    from suite.endpoint.consent import held
    from suite.machine.scratch import temporary
    from suite.serving.http import run as server_run
    from suite.serving.http.guard import TOKEN, Guard, is_local
    from suite.serving.http.interface import Limits

    sock = server_run.bind(host, port)
    try:
        guard = Guard.of(sock, token=token, names=host_name or ())
        if not is_local(sock):
            if token is None and not anybody:
                raise UsageError(
                    f"--host {host} can be reached from other machines, and {TOKEN} is not set",
                    where="--host",
                    fix=f"Set {TOKEN} to a secret of yours, or say --open: then whoever reaches "
                    "the port may ask.",
                )
            warn(
                f"--host {host} can be reached from other machines, "
                + ("unencrypted." if token else "and whoever reaches the port may ask.")
            )
        model = chosen(name, arm, storage)
        if engine == AUTO:
            engine, precision = _fastest(model, precision)
        limits = Limits(
            max_batch, max_wait_ms, max_queue, max_texts, max_chars, max_body * 2**20,
            connections=max_connections, max_seconds=max_seconds,
        )  # fmt: skip
        consent = model.consent(storage, allow_endpoint)
        with held(consent), temporary() as scratch:
            code = _run(model, engine, precision, limits, guard, sock, threads, scratch)
    finally:
        sock.close()
    if code:
        raise typer.Exit(code)


def _rule(model: Chosen) -> Callable[[Any], tuple[Any, Any]] | None:
    """When the model answers alone; None where nobody asked."""
    from suite.verdict.deciding import applied

    if model.decision is None:
        return None
    return partial(applied, model.decision, labels=model.labels)


def token_of_environment() -> str | None:
    """The token that clients must send; nothing that is started from here inherits it."""
    return os.environ.pop("SUITE_SERVE_TOKEN", None)


def _fastest(model: Chosen, precision: str | None) -> tuple[str | None, str | None]:
    """What `suite bench` found for the arm on this machine, said aloud."""
    from suite.serving.http.model import fastest

    if model.winner is None:
        raise UsageError(
            "--engine auto needs a study's measurements, and an exported folder has none",
            fix="Name the study, or leave --engine away.",
        )
    rows = [
        row for row in model.winner.results.bench if precision is None or row.precision == precision
    ]
    found = fastest(rows, model.arm, socket.gethostname())
    if found is None:
        say(
            f"No engine of {model.arm} was measured on this machine: serving it as it was kept. "
            f"`{shell.command('bench', model.study)}` measures them."
        )
        return None, precision
    row, scenario = found
    say(f"The fastest engine in {scenario} as `suite bench` measured: {row.engine} {row.precision}")
    return row.engine, row.precision


def _run(
    model: Chosen,
    engine: str | None,
    precision: str | None,
    limits: Limits,
    guard: Guard,
    sock: socket.socket,
    threads: int | None,
    scratch: Path,
) -> int:
    import signal

    from suite.contracts.language import language_of
    from suite.serving.http import run as server_run
    from suite.serving.http.guard import TOKEN
    from suite.serving.http.interface import Served
    from suite.serving.http.model import made_on, open_served

    say(f"Loading {model.arm} …")
    example = language_of(model.language).headline
    validation, texts = _rows(model, example)
    opened = open_served(
        model.folder,
        engine=engine,
        precision=precision,
        classes=len(model.labels),
        validation=validation,
        texts=texts,
        scratch=scratch,
        threads=threads,
        say=say,
    )
    if opened.agreement is not None:
        found = opened.agreement
        say(
            f"{opened.engine} {opened.precision} decides {found.share:.2%} of "
            f"{counted(opened.rows, 'validation row')} as the trained model; macro-F1 "
            f"{found.macro_f1:.4f}, the trained model's {found.reference_macro_f1:.4f}"
        )
    about = {
        "study": model.study,
        "arm": model.arm,
        "trial": "" if model.trial is None else str(model.trial),
        "engine": opened.engine,
        "precision": opened.precision,
    }
    address = server_run.address_of(sock)
    narrow = opened.precision != "float32" or opened.engine == "endpoint"
    tolerance = server_run.TOLERANCE_NARROW if narrow else server_run.TOLERANCE

    def ready(check: server_run.Check) -> None:
        whose = "the trained model's own" if opened.agreement is None else "the engine's own"
        what = "validation row" if validation is not None else "text"
        say(
            f"Checked: {counted(check.rows, what)} through HTTP against {whose} answers: same "
            f"label for {check.same}, probabilities differ by at most {check.difference:.1g}"
        )
        told = f"{model.arm} ({opened.engine} {opened.precision}, {opened.device})"
        tell(f"Serving {told} at {address}")
        asked: dict[str, object] = {"texts": [example]}
        if model.joining.several:
            asked = {column: example for column in model.joining.columns}
        body = shlex.quote(exact(json.dumps(asked, ensure_ascii=False)))
        header = "-H 'Content-Type: application/json'"
        if guard.token is not None:
            header += f' -H "Authorization: Bearer ${TOKEN}"'
        tell(f"Try: curl -s {address}/predict {header} -d {body}")
        out.file.flush()

    for logger in ("suite.serving", "uvicorn.error"):
        logging.getLogger(logger).addHandler(_Told(logging.WARNING))
    begun = time.monotonic()
    totals, signum = server_run.serve(
        Served(
            opened.predictor.predict_proba,
            model.labels,
            about,
            example,
            model.joining,
            decide=_rule(model),
            asker=getattr(opened.predictor, "asker", None),
            length=opened.length,
            made=made_on(model.folder),
        ),
        limits,
        sock,
        texts=opened.texts,
        expected=opened.expected,
        tolerance=tolerance,
        ready=ready,
        guard=guard,
        closing=lambda: say("Closing: answering what was accepted …"),
    )
    seconds = time.monotonic() - begun
    how = f" by {server_run.named(signum)}" if signum is not None else ""
    out.print(
        f"Closed{how} after {seconds:,.0f} s: {counted(totals.requests, 'request')}, "
        f"{counted(totals.texts, 'text')} answered, {counted(totals.refused, 'request')} refused",
        markup=False,
    )
    out.file.flush()
    return 130 if signum == signal.SIGINT else 0


class _Told(logging.Handler):
    """What goes wrong while serving is told whatever the volume."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        try:
            err.print(record.getMessage(), markup=False)
        except Exception:  # noqa: BLE001 - as logging itself does
            self.handleError(record)


def _rows(model: Chosen, example: str) -> tuple[Rows | None, list[str]]:
    """Validation rows, where the study's data is on this machine, and representative texts."""
    from suite.data import snapshot
    from suite.errors import DataError

    texts = [example, *(f"{label}: {example}" for label in model.labels[:15])]
    if model.winner is None:
        return None, texts
    try:
        validation = snapshot.read_split(model.winner.snapshot, "validation")
    except DataError as error:
        say(f"The study's rows are not here ({error.what}); the check asks made-up texts.")
        return None, texts
    from random import Random

    draw = Random(0).sample(range(len(validation)), min(512, len(validation)))
    return validation, [validation.texts[index] for index in draw] or texts
