"""The options that several commands share, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suite.cli import completion
from suite.contracts.limits import MOST_SEED, MOST_SPLITS, MOST_TRIALS
from suite.errors import StorageError, UsageError
from suite.files import check_place

if TYPE_CHECKING:
    from suite.contracts.task import Reading
    from suite.data.room import Room

#: What would work where an output can't be written.
OUT_FIX = "Name a file in a place you may write to, with --out."

Task = Annotated[
    str,
    typer.Argument(
        help="A shipped task's name, a task file, or a file of labelled rows.",
        autocompletion=completion.tasks,
    ),
]
TrainRows = Annotated[
    int | None, typer.Option(min=2, help="Only so many training rows (stratified, nested).")
]
Name = Annotated[
    str,
    typer.Argument(
        help="The study's name; `suite study list` names them.", autocompletion=completion.studies
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        help="Database URL. Default: sqlite:///studies/suite.db. For several machines: "
        "postgresql+psycopg://user@host/db."
    ),
]
Arms = Annotated[
    list[str] | None,
    typer.Option(
        help="model/strategy, globs allowed; in place of the recipe's. Repeatable.",
        autocompletion=completion.arms,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=PATH", help="A local transformers folder. Repeatable."),
]
Folder = Annotated[
    Path | None,
    typer.Option(help="Folder with train, validation or dev, and test."),
]
Sample = Annotated[bool, typer.Option("--sample", help="Use the bundled sample.")]
NoFallback = Annotated[
    bool, typer.Option("--no-fallback", help="Never let the sample take the data's place.")
]
Seed = Annotated[int | None, typer.Option(min=0, max=MOST_SEED, help="Default: the recipe's.")]
Trials = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST_TRIALS, help="Finished trials the study is to have in all; stored with it."
    ),
]
TargetF1 = Annotated[
    float | None,
    typer.Option(
        "--target-f1",
        min=0,
        max=1,
        help="End the search where a trial within the bounds has this macro-F1 on validation; "
        "stored with the study. 0: no target.",
    ),
]
Patience = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=MOST_TRIALS,
        help="End the search where so many finished trials in a row found nothing better; stored "
        "with the study. 0: never.",
    ),
]
Timeout = Annotated[
    str | None,
    typer.Option(
        help="What the command may take, finals included: 90s, 30m, 2h, 1d. A trial that does not "
        "fit any more is not started. Default: no end; of a recipe that chooses its arms its own."
    ),
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Trials at a time on this machine.")]
MaxDisk = Annotated[str | None, typer.Option(help="Stop when the study's files pass this: 20GB.")]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        help="What reading rows may use at once: 8GB. Default: a quarter of what this process may "
        "use."
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write TensorBoard logs there, one run per trial."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Also run arms whose single trial exceeds the budget.")
]
RetryArm = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ARM",
        help="Try an arm again that is out, whatever the reason; globs allowed. Repeatable.",
        autocompletion=completion.arms,
    ),
]
Text = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN", help="Of own rows: a column of texts; several are joined. Repeatable."
    ),
]
Label = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Of own rows: the column of the classes.")
]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="COLUMN", help="Of own rows: a column kept in outputs."),
]
Group = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Carve test and validation so that rows with one value in it stay on one side.",
    ),
]
Time = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="Make the newest rows by this column the test."),
]
TestShare = Annotated[
    float | None,
    typer.Option(help="Part of own rows that is the test. Default: a fifth, at most 10,000."),
]
Splits = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_SPLITS,
        help="Part the rows so many times into train and test, each searched on its own, within "
        "--timeout. 1: never more than once.",
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(metavar="CHARACTER", help="What stands between fields. Default: found."),
]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of a text file. Default: found.")
]
SkipBadRows = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows",
        help="Leave out rows with more or fewer fields than the header, and lines that are no "
        "JSON.",
    ),
]
Case = Annotated[
    bool | None,
    typer.Option(
        "--merge-case/--keep-case",
        help="Labels that differ by case, or by letters of another script that look alike, alone: "
        "one class, or several. Default: asked.",
        show_default=False,
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse rows without text or label; else they are left out."),
]


def _settle(ctx: typer.Context, param: typer.CallbackParam, value: str | int | None) -> Any:
    """What an option says holds from here on, before anything heavy is imported."""
    if value is not None and not ctx.resilient_parsing:
        from suite.config import settings
        from suite.machine import computing

        settings.ask(str(param.name), value)
        computing.settle()
    return value


Device = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        callback=_settle,
        help="Compute on cpu, cuda, cuda:N or mps. Default: SUITE_DEVICE, suite.toml, the GPU.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1024,
        callback=_settle,
        help="Threads to compute with, of all workers together. Default: SUITE_THREADS, "
        "suite.toml, the cores.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def check_new(to: Path | None, *kinds: str) -> None:
    """Refuses an output that could not be written, before anything takes time. What is there may be
    somebody's work.

    Args:
        kinds: suffixes that it may have; any where none is named.

    Raises:
        UsageError: it has another suffix.
        StorageError: it exists, or nothing can be written there.
    """
    if to is None:
        return
    if kinds and to.suffix not in kinds:
        raise UsageError(f"{to} is neither {' nor '.join(kinds)}", where="--out")
    if to.exists():
        raise StorageError(f"{to} exists", fix="Name a new file.")
    check_place(to, OUT_FIX)


def refuse_idle(ctx: typer.Context, needs: str, *options: str) -> None:
    """Refuses options that would be passed over in silence where what they belong to is not given.

    Args:
        needs: what they belong to.

    Raises:
        UsageError: one of them is given.
    """
    for option in options:
        source = ctx.get_parameter_source(option.removeprefix("--").replace("-", "_"))
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(
                f"{option} says nothing without {needs}", fix=f"Add {needs}, or leave {option} out."
            )


def room_for(max_memory: str | None) -> Room:
    """How much of what is read may be in memory, as `--max-memory` says."""
    from suite.data.room import Room
    from suite.files import parse_size

    return Room(None if max_memory is None else parse_size(max_memory))


def reading_of(
    delimiter: str | None, encoding: str | None, skip_bad_rows: bool, merge_case: bool | None
) -> Reading:
    """How a file of rows is read, as far as the options say it.

    Raises:
        UsageError: a delimiter or an encoding that is none.
    """
    from suite.config.task import reading

    said = {
        "delimiter": _DELIMITERS.get(delimiter or "", delimiter),
        "encoding": encoding,
        "skip_bad_rows": skip_bad_rows or None,
        "case": None if merge_case is None else ("merge" if merge_case else "keep"),
    }
    return reading({key: value for key, value in said.items() if value is not None})


#: How a shell's user writes a tab.
_DELIMITERS = {"\\t": "\t", "tab": "\t"}
