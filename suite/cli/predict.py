"""`suite predict` and `suite export`: a study's winner, used."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suite import shell
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import (
    draws,
    err,
    exact,
    next_step,
    one_line,
    out,
    print_json,
    say,
    tell,
    told,
)
from suite.cli.options import AsJson, Device, MaxMemory, Name, Storage, Threads, room_for
from suite.cli.study_files import tidy
from suite.errors import StudyError, UsageError, counted

if TYPE_CHECKING:
    from suite.contracts.deciding import Decision
    from suite.data.joining import Joining
    from suite.data.texts import Given, TextFile
    from suite.endpoint.consent import Consent
    from suite.handover.answers import Answer
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
    """A trained model, named on the command line; `labels` are the classes' names, by index."""

    folder: Path
    labels: list[str]
    arm: str
    study: str
    trial: int | None
    language: str
    joining: Joining
    winner: Winner | None
    decision: Decision | None = None

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
            return Chosen(
                found.folder, found.labels, found.arm, name, found.trial, language, found.joining,
                found, found.decision,
            )  # fmt: skip
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
        exported.joining,
        None,
        exported.decision,
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
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What the file calls the model's column of texts; of a model that joins several, "
            "once for each, in its order. Default: as the model's task calls them.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--id",
            metavar="COLUMN",
            help="A column of the file to keep beside each answer, besides the task's `id`. "
            "Repeatable.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write the answers into a new file: .jsonl, .csv, .tsv or .parquet.",
        ),
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
    device: Device = None,
    threads: Threads = None,
    allow_endpoint: AllowEndpoint = None,
    as_json: AsJson = False,
) -> None:
    """Classify texts with a study's kept winner.

    Texts are read and answered some at a time: a file may be larger than memory (but for --json,
    which is one object). A model that was trained on several columns reads the same columns of the
    file, joined as in its task. Classes are named as in labels.json. After `suite decide` each
    answer says whether it is `decided`, or passed on.

    Examples:

        suite predict agnews "Oil prices fall as supply grows"

        cat headlines.txt | suite predict agnews --json

        suite predict agnews --file headlines.csv --column title --id number --out answers.csv

        suite predict ./agnews-model --file headlines.txt --jsonl --top 2
    """
    from suite.data.texts import STDIN, Given, TextFile, chunks, whole
    from suite.handover import answers

    if file is not None and texts:
        raise UsageError("texts and --file contradict each other", fix="Give one of them.")
    if as_json and (jsonl or to is not None):
        raise UsageError("--json contradicts --jsonl and --out", fix="Give one of them.")
    if to is not None:
        answers.check(to)
    model = chosen(name, arm, storage)
    source: TextFile | None = None
    given: Iterator[Given] = map(Given, texts or ())
    if file is not None or not texts or texts == ["-"]:
        source = TextFile(
            file or STDIN,
            model.joining,
            columns=column or (),
            keep=keep or (),
            room=room_for(max_memory),
        )
        given = source.rows()
    reader = chunks(given, length=lambda one: len(one.text))
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

    def answered() -> Iterator[Answer]:
        yield from answer(first)
        for some in reader:
            yield from answer(some)

    def answer(some: Sequence[Given]) -> Iterator[Answer]:
        nonlocal mended
        readable = [whole(one.text) for one in some]
        mended += sum(a.text is not b for a, b in zip(some, readable, strict=True))
        rows = predictor.predict_proba(readable)
        found = _said(model, rows)
        for one, text, row, own in zip(some, readable, rows, found, strict=True):
            yield _answer(text, one, row, model.labels, top, own)

    with _progress(source, to is not None) as moved:
        if as_json:
            rows = [one.to_json() for one in answered()]
        elif to is not None:
            try:
                count = answers.write(answered(), to, classes=model.labels, top=top, moved=moved)
            except KeyboardInterrupt:
                err.print(told(f"Interrupted; the answers so far are in {to}.part"))
                raise typer.Exit(130) from None
        else:
            for one in answered():
                if jsonl:
                    sys.stdout.write(f"{exact(answers.line(one))}\n")
                else:
                    out.print(one_line(_line(one, top)))
                moved(1)
    if as_json:
        print_json({"study": model.study or name, "arm": model.arm, "predictions": rows})
    if mended:
        say(f"{counted(mended, 'text')} held halves of characters; U+FFFD was read in their place.")
    if to is not None:
        tell(f"Wrote {counted(count, 'answer')} of {model.arm} to {to}")


@dataclass(frozen=True)
class _Said:
    """What a model says of a text: its class, below 0 for no answer, and as `Answer` has them
    whether it answers alone, and the classes that the text may be of, by index."""

    best: int
    decided: bool | None = None
    classes: Sequence[int] | None = None


def _said(model: Chosen, rows: Any) -> list[_Said]:
    """What it says of each row of probabilities."""
    from suite.verdict import conformal
    from suite.verdict.answering import of
    from suite.verdict.deciding import applied

    rule = model.decision
    if rule is None:
        return [_Said(int(label)) for label in of(rows)[0]]
    found = [
        _Said(int(best), bool(own))
        for best, own in zip(*applied(rule, rows, model.labels), strict=True)
    ]
    if rule.sets is None:
        return found
    order = rows.argsort(axis=1, kind="stable")[:, ::-1]
    own = conformal.sets(rows, rule.sets.threshold)
    return [
        replace(one, classes=[int(i) for i in places if holds[i]])
        for one, places, holds in zip(found, order, own, strict=True)
    ]


def _answer(
    text: str, given: Given, row: Any, labels: Sequence[str], top: int | None, said: _Said
) -> Answer:
    from suite.handover.answers import Answer

    best = said.best
    if top is None:
        order = list(range(len(labels)))
    else:
        order = [int(i) for i in row.argsort(kind="stable")[::-1] if i != best]
        order = [*([best] if best >= 0 else []), *order][:top]
    shares = {labels[i]: float(row[i]) for i in order}
    classes = None if said.classes is None else [labels[i] for i in said.classes]
    named = labels[best] if best >= 0 else None
    return Answer(text, given.kept, named, shares, said.decided, classes)


def _line(answer: Answer, top: int | None) -> str:
    """For people: what is kept of the row, the class or classes, the text."""
    shown = answer.probabilities
    if answer.label is None:
        named = "(no answer)  0.000"
    elif top is None:
        named = f"{answer.label}  {shown[answer.label]:.3f}"
    else:
        named = "  ".join(f"{label}  {value:.3f}" for label, value in shown.items())
    if answer.decided is False:
        named += f"  {told('(passed on)')}"
    return "  ".join([*map(str, answer.kept.values()), named, answer.text])


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
    from suite.study.made_of import asks
    from suite.study.winner import winner

    kept = winner(name, arm, storage)
    tidy(storage)
    found = write(kept, folder, onnx=onnx, say=say)
    tell(f"Wrote {found.arm} to {folder}")
    shown = folder if folder.is_absolute() or folder.parts[:1] == ("..",) else f"./{folder}"
    # That the folder is the user's own stands nowhere in it.
    allowed = [
        word
        for served in asks(kept.models)
        for word in ("--allow-endpoint", address.server(served))
    ]
    then = shell.command("predict", shown, "a text", *allowed)
    next_step(f"{then}, or {shell.command('serve', shown, *allowed)}")
