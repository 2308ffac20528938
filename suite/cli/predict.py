"""`suite predict` and `suite export`: a study's winner, used."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from suite import shell
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import draws, err, exact, next_step, one_line, out, print_json, say
from suite.cli.options import AsJson, MaxMemory, Name, Storage, room_for
from suite.cli.study_files import tidy
from suite.errors import StorageError, StudyError, UsageError, counted
from suite.files import reason

if TYPE_CHECKING:
    from suite.data.texts import TextFile
    from suite.endpoint.consent import Consent
    from suite.study.winner import Winner

Arm = Annotated[str | None, typer.Option(help="The arm. Default: the recommended one.")]
Model = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The study's name, or a folder that `suite export` wrote (./DIR)."
    ),
]


@dataclass(frozen=True)
class Chosen:
    """A trained model, named on the command line."""

    folder: Path
    labels: list[str]
    arm: str
    study: str
    trial: int | None
    language: str
    winner: Winner | None

    def consent(self, storage: str | None, allowed: list[str] | None) -> Consent:
        """What loading it may ask: kept for a study's storage, never for a folder."""
        from suite.endpoint.consent import Consent
        from suite.study.storage import place

        return Consent(place(storage) if self.winner else None, named(allowed))


def chosen(name: str, arm: str | None, storage: str | None) -> Chosen:
    """A study's kept checkpoint, or an exported folder: a path with a slash, or the name of a
    folder that holds one where no study is called so."""
    from suite.strategies import MARK

    written_out = "/" in name or os.sep in name or name in (".", "..")
    if not written_out:
        from suite.study.winner import winner

        try:
            found = winner(name, arm, storage)
            tidy(storage)
        except StudyError:
            if not (Path(name) / MARK).is_file():
                raise
        else:
            language = found.definition.task.language
            return Chosen(found.folder, found.labels, found.arm, name, found.trial, language, found)
    from suite.handover.export import read_exported

    exported = read_exported(Path(name))
    if arm is not None and arm != exported.arm:
        raise StudyError(f"{name} holds {exported.arm}, not '{arm}'")
    return Chosen(
        exported.folder,
        exported.labels,
        exported.arm,
        exported.study,
        exported.trial,
        exported.language,
        None,
    )


def predict(
    name: Model,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...", help="Texts; '-' or none: one a line from standard input."
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Texts from a file: .txt (one a line), .jsonl, .csv (each also .gz), .parquet; "
            "'-' is standard input.",
        ),
    ] = None,
    column: Annotated[
        str, typer.Option(help="The column of the texts in .jsonl, .csv and .parquet.")
    ] = "text",
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write JSON lines into a new file."),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print one JSON object for each text, as they come.")
    ] = False,
    top: Annotated[
        int | None, typer.Option(min=1, help="Only so many classes, the most probable first.")
    ] = None,
    max_memory: MaxMemory = None,
    arm: Arm = None,
    storage: Storage = None,
    allow_endpoint: AllowEndpoint = None,
    as_json: AsJson = False,
) -> None:
    """Classify texts with a study's kept winner.

    Texts are read and answered some at a time: a file may be larger than memory (but for --json,
    which is one object).

    Examples:

        suite predict agnews "Oil prices fall as supply grows"

        cat headlines.txt | suite predict agnews --json

        suite predict agnews --file headlines.csv --column title --out answers.jsonl

        suite predict ./agnews-model --file headlines.txt --jsonl --top 2
    """
    from suite.data.texts import STDIN, TextFile, chunks, whole

    if file is not None and texts:
        raise UsageError("texts and --file contradict each other", fix="Give one of them.")
    if as_json and (jsonl or to is not None):
        raise UsageError("--json contradicts --jsonl and --out", fix="Give one of them.")
    if to is not None and to.exists():
        raise StorageError(f"{to} exists", fix="Name a new file.")
    model = chosen(name, arm, storage)
    source: TextFile | None = None
    given: Iterable[str] = texts or ()
    if file is not None or not texts or texts == ["-"]:
        given = source = TextFile(file or STDIN, column, room_for(max_memory))
    reader = chunks(given)
    first = next(reader, None)
    if first is None:
        raise StudyError(
            "no text to classify",
            where=file if file not in (None, STDIN) else None,
            fix='For example: suite predict agnews "a text"',
        )
    from suite.endpoint.consent import held
    from suite.strategies import load_predictor

    with held(model.consent(storage, allow_endpoint)):
        predictor = load_predictor(model.folder, classes=len(model.labels))
    mended = 0

    def answers() -> Iterator[dict[str, Any]]:
        yield from answer(first)
        for some in reader:
            yield from answer(some)

    def answer(some: list[str]) -> Iterator[dict[str, Any]]:
        nonlocal mended
        readable = [whole(text) for text in some]
        mended += sum(a is not b for a, b in zip(some, readable, strict=True))
        for text, row in zip(readable, predictor.predict_proba(readable), strict=True):
            yield _row(text, row, model.labels, top)

    with _progress(source, to is not None) as moved:
        if as_json:
            rows = list(answers())
        elif jsonl or to is not None:
            count = _write(answers(), to, moved)
        else:
            for row in answers():
                out.print(one_line(_line(row, top)))
                moved(1)
    if as_json:
        print_json({"study": model.study or name, "arm": model.arm, "predictions": rows})
    if mended:
        say(f"{counted(mended, 'text')} held halves of characters; U+FFFD was read in their place.")
    if to is not None:
        out.print(f"Wrote {counted(count, 'answer')} of {model.arm} to {to}", markup=False)


def _row(text: str, row: Any, labels: list[str], top: int | None) -> dict[str, Any]:
    order = row.argsort(kind="stable")[::-1][:top] if top else range(len(labels))
    return {
        "text": text,
        # A row of zeros is no answer: nothing that names a class.
        "label": labels[int(row.argmax())] if row.any() else None,
        "probabilities": {labels[int(i)]: float(row[int(i)]) for i in order},
    }


def _line(row: dict[str, Any], top: int | None) -> str:
    shown = row["probabilities"]
    if row["label"] is None:
        named = "(no answer)  0.000"
    elif top is None:
        named = f"{row['label']}  {max(shown.values()):.3f}"
    else:
        named = "  ".join(f"{label}  {value:.3f}" for label, value in shown.items())
    return f"{named}  {row['text']}"


def _write(rows: Iterable[dict[str, Any]], to: Path | None, moved: Any) -> int:
    """Writes rows as JSON lines: to standard output, or aside and then into place."""
    if to is None:
        return _lines(rows, sys.stdout, moved)
    part = to.with_name(f"{to.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            count = _lines(rows, file, moved)
            file.flush()
            os.fsync(file.fileno())
        part.replace(to)
    except KeyboardInterrupt:
        err.print(f"Interrupted; the answers so far are in {part}", markup=False)
        raise typer.Exit(130) from None
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"the answers cannot be written: {reason(error, to)}",
            where=str(to),
            fix="Name a file on a disk with space left, in a place you may write to, with --out.",
        ) from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return count


def _lines(rows: Iterable[dict[str, Any]], file: IO[str], moved: Any) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        file.write(exact(json.dumps(row, ensure_ascii=False)) + "\n")
        moved(1)
    return count


@contextlib.contextmanager
def _progress(source: TextFile | None, wanted: bool) -> Iterator[Any]:
    """A bar on a terminal where answers go into a file; else nothing."""
    if source is None or not wanted or not draws():
        yield lambda count: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[texts]:,} texts"), BarColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None, texts=0)
        texts = 0

        def moved(count: int) -> None:
            nonlocal texts
            texts += count
            if texts % 64 == 0:
                done = source.done()
                bar.update(task, total=1.0 if done else None, completed=done or 0.0, texts=texts)

        yield moved


def export(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    arm: Arm = None,
    onnx: Annotated[
        bool,
        typer.Option(
            "--onnx", help="Also write onnx/model.onnx, its answers compared with the model's."
        ),
    ] = False,
    storage: Storage = None,
) -> None:
    """Write a study's kept winner into a folder of its own, with its model card.

    Neural arms are written as transformers writes them: the folder of a linear head loads with
    `AutoModelForSequenceClassification.from_pretrained`; README.md says how each is loaded.

    Examples:

        suite export agnews ./agnews-model

        suite export agnews ./agnews-model --arm bert-base-cased/linear_head --onnx
    """
    from suite.endpoint import address
    from suite.handover.export import export as write
    from suite.study.winner import winner

    kept = winner(name, arm, storage)
    tidy(storage)
    found = write(kept, folder, onnx=onnx, say=say)
    out.print(f"Wrote {found.arm} to {folder}", markup=False)
    shown = folder if folder.is_absolute() or folder.parts[:1] == ("..",) else f"./{folder}"
    served = kept.definition.arm(kept.arm).model.endpoint
    # That the folder is the user's own stands nowhere in it.
    allowed = () if served is None else ("--allow-endpoint", address.server(served))
    then = shell.command("predict", shown, "a text", *allowed)
    next_step(f"{then}, or {shell.command('serve', shown, *allowed)}")
