"""`suite errors`: the test rows that arms got wrong, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suite import shell
from suite.cli import fitting
from suite.cli.console import (
    exact,
    next_step,
    one_line,
    out,
    print_json,
    print_table,
    say,
    told,
)
from suite.cli.options import OUT_FIX, AsJson, Name, Storage, check_new
from suite.cli.study_files import tidy
from suite.errors import UsageError, counted, nearest
from suite.files import whole

if TYPE_CHECKING:
    from suite.contracts.predictions import Missed

#: Rows shown in a terminal where no number is asked for, and confused pairs above them.
ROWS = 20
PAIRS = 10
NO_ANSWER = "(no answer)"


def errors(
    name: Name,
    arm: Annotated[
        str | None,
        typer.Option(help="Only rows that this arm gets wrong. Default: that any arm does."),
    ] = None,
    confused: Annotated[
        str | None,
        typer.Option(
            metavar="TRUE,PREDICTED", help="Only rows of one class that were taken for another."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="So many rows at most. Default: 20 in a terminal, else all of them."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the rows into a new .csv or .jsonl."),
    ] = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Show the test rows that arms got wrong: text, true class, what each arm answered and how
    sure it was.

    Rows that most arms miss come first; they are the first place to look for wrong labels. Of an
    arm that was trained over several seeds, the first one's answer is shown. The finals kept these
    answers: looking at them does not open the test split again. What is changed because of them
    is chosen by test, though, and wants new test rows to be judged by.

    Examples:

        suite errors agnews

        suite errors agnews --arm tfidf/classic --confused World,Business --limit 5

        suite errors agnews --out errors.csv

        suite errors agnews --json | jq .confused
    """
    from suite import api
    from suite.handover.missed import confused_pairs
    from suite.handover.missed import errors as wrong
    from suite.study import artifacts
    from suite.study import storage as storages

    if as_json and to is not None:
        raise UsageError("--json contradicts --out", fix="Give one of them.")
    check_new(to, ".csv", ".jsonl")
    found = api.load_results(name, storage=storage, importance=False)
    tidy(storage)
    pair = None if confused is None else _pair(confused, found.labels)
    study, definition = storages.load(storages.open_storage(storage), name)
    lies = artifacts.find(study, definition.data.fingerprint)
    rows = wrong(found, lies.rows(), arm, pair)
    shown = rows[: limit or (ROWS if to is None and not as_json and out.is_terminal else None)]
    labels = found.labels
    if as_json:
        print_json(
            {
                "study": name,
                "arm": arm,
                "test_rows": found.data.rows.test,
                "errors": len(rows),
                "confused": [
                    {"true": _label(labels, p.true), "predicted": _label(labels, p.predicted),
                     "arm": p.arm, "rows": p.rows}
                    for p in confused_pairs(rows, arm)
                ],
                "rows": [_as_json(row, labels) for row in shown],
            }
        )  # fmt: skip
        return
    whose = f"'{arm}'" if arm else "an arm"
    told = f"{counted(len(rows), 'row')} of {found.data.rows.test:,} test rows"
    told += f" that {whose} gets wrong" + (f", {confused}" if confused else "")
    if to is not None:
        _write(to, shown, labels)
        out.print(f"Wrote {counted(len(shown), 'row')} to {to}", markup=False)
        return
    out.print(f"{told}; {len(shown):,} shown" if len(shown) < len(rows) else told, markup=False)
    if rows:
        _print_pairs(rows, labels, arm)
    for row in shown:
        _print_row(row, labels)
    if len(shown) < len(rows):
        say("More: --limit N; all of them: --out errors.csv.")
    next_step(shell.command("report", name, "--examples", storage=storage))


def _pair(text: str, labels: Sequence[str]) -> tuple[int, int]:
    """Two classes with a comma between them; a name may hold a comma itself."""
    parts = text.split(",")
    sides = [(",".join(parts[:i]), ",".join(parts[i:])) for i in range(1, len(parts))]
    known = {label: i for i, label in enumerate(labels)}
    for true, predicted in ((a.strip(), b.strip()) for a, b in sides):
        if true in known and predicted in known:
            return known[true], known[predicted]
    strange = next((p.strip() for p in parts if p.strip() not in known), text)
    raise UsageError(
        f"'{strange}' is no class" if len(parts) == 2 else f"'{text}' is not two classes",
        where="--confused",
        fix=f"Write TRUE,PREDICTED. {nearest(strange, labels)}",
    )


def _label(labels: Sequence[str], index: int) -> str | None:
    """A class' name; None for no answer."""
    if index < 0:
        return None
    return labels[index] if index < len(labels) else str(index)


def _as_json(row: Missed, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "row": row.row,
        **({} if row.id is None else {"id": row.id}),
        "text": row.text,
        "true": _label(labels, row.label),
        "answers": {
            arm: {"label": _label(labels, answer), "probability": row.confidence.get(arm)}
            for arm, answer in row.predicted.items()
        },
    }


def _write(to: Path, rows: Sequence[Missed], labels: Sequence[str]) -> None:
    """Rows as CSV, a column for each arm's answer and one for its probability, or as JSON lines."""
    import json

    from suite.report.pages.text_tables import csv_text

    arms = list(dict.fromkeys(arm for row in rows for arm in row.predicted))
    named = any(row.id is not None for row in rows)
    columns = ["row", *(["id"] if named else []), "text", "true"]
    columns += [column for arm in arms for column in (arm, f"{arm} probability")]

    def cells(row: Missed) -> Mapping[str, Any]:
        found: dict[str, Any] = {"row": row.row, "id": row.id, "text": row.text}
        found["true"] = _label(labels, row.label)
        for arm in arms:
            found[arm] = _label(labels, row.predicted[arm])
            found[f"{arm} probability"] = row.confidence.get(arm)
        return found

    if to.suffix == ".csv":
        text = csv_text(columns, map(cells, rows))
    else:
        lines = (json.dumps(_as_json(row, labels), ensure_ascii=False) for row in rows)
        text = "".join(f"{exact(line)}\n" for line in lines)
    with whole(to, what="the rows cannot be written", fix=OUT_FIX, new=True) as draft:
        draft.write_text(text, encoding="utf-8", newline="")


def _print_pairs(rows: Sequence[Missed], labels: Sequence[str], arm: str | None) -> None:
    from rich.table import Table

    from suite.handover.missed import confused_pairs

    table = Table(
        fitting.name(told("true class")),
        fitting.name(told("taken for")),
        fitting.name(told("arm"), leaves=1),
        fitting.number(told("rows")),
    )
    pairs = confused_pairs(rows, arm)
    for pair in pairs[:PAIRS]:
        predicted = _label(labels, pair.predicted) or NO_ANSWER
        table.add_row(_label(labels, pair.true), predicted, pair.arm, f"{pair.rows:,}")
    if len(pairs) > PAIRS:
        table.title = told(f"the {PAIRS} most frequent of {len(pairs)} confusions")
    print_table(table)


def _print_row(row: Missed, labels: Sequence[str]) -> None:
    """A row as a few lines: its number and class, what each arm said, its text."""
    out.print()
    named = f"{told('row')} {row.row}" + (f" ({row.id})" if row.id is not None else "")
    out.print(f"{named}: {_label(labels, row.label)}", style="bold", markup=False)
    for arm, answer in row.predicted.items():
        share = row.confidence.get(arm)
        sure = "" if share is None else f"  {share:.2f}"
        mark = "  " if answer == row.label else "x "
        out.print(f"  {mark}{arm}: {_label(labels, answer) or NO_ANSWER}{sure}", markup=False)
    out.print(f"  {one_line(row.text)}", markup=False)
