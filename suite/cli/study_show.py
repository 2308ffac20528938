"""`suite study list`, `show` and `best`: what a storage holds, read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from suite import shell
from suite.cli.console import next_step, out, print_json, print_table, warn
from suite.cli.options import AsJson, Name, Storage
from suite.cli.study_files import tidy
from suite.errors import StudyError

if TYPE_CHECKING:
    from suite.contracts.results import StudyResults


def list_studies(storage: Storage = None, as_json: AsJson = False) -> None:
    """List the studies of a storage.

    Examples:

        suite study list

        suite study list --storage sqlite:///other.db --json
    """
    from rich.table import Table

    from suite.contracts import moments
    from suite.study import listing
    from suite.study import storage as storages

    rows = listing.studies(storages.open_storage(storage))
    tidy(storage)
    if as_json:
        print_json({"studies": [asdict(row) for row in rows]})
        return
    table = Table("study", "task", "recipe", "trials", "best F1 (validation)", "test", "created")
    for row in rows:
        best = row.best_validation_macro_f1
        table.add_row(
            row.study,
            (row.task or "–") + (" (SAMPLE)" if row.sample else ""),
            row.recipe or "–",
            f"{row.finished}/{row.target}",
            "–" if best is None else f"{best:.4f}",
            "scored" if row.finals else "–",
            moments.shown(row.created or "cannot be read"),
        )
    if rows:
        print_table(table)
        for row in rows:
            if row.unreadable:
                warn(row.unreadable)
    else:
        out.print("No studies yet.")
        next_step("suite study create agnews")


def show(name: Name, storage: Storage = None, as_json: AsJson = False) -> None:
    """Show a study: its leaderboard and its trials.

    Examples:

        suite study show agnews

        suite study show agnews --json | jq .finals
    """
    found = _results(name, storage)
    if as_json:
        print_json(found.to_json())
        return
    from suite.cli.tables import show_results, trials_table

    show_results(found)
    # A pipe wants every row; a terminal the newest.
    print_table(trials_table(found, 200 if out.is_terminal else len(found.trials)))


def best(name: Name, storage: Storage = None, as_json: AsJson = False) -> None:
    """Show the arm to take: its hyperparameters, its scores, what can't be told apart from it.

    Examples:

        suite study best agnews

        suite study best agnews --json
    """
    from suite.cli.tables import banner, recommended
    from suite.contracts.results import trial_adapter
    from suite.verdict.metrics import OBJECTIVE
    from suite.verdict.standing import standing

    found = _results(name, storage)
    stood = standing(found)
    if stood.verdict is None:
        again = shell.command("study", "run", name, storage=storage)
        raise StudyError(f"'{name}' has no finished trial yet", fix=f"Go on with `{again}`.")
    place = stood.place(stood.verdict.recommended)
    trial, final = place.trial, place.final
    tied = [a for a in stood.leaders if a != place.arm and not stood.beats(a, place.arm)]
    if as_json:
        print_json(
            {
                "study": name,
                "arm": place.arm,
                "tied_with": tied,
                "trial": trial_adapter().dump_python(trial, mode="json") if trial else None,
                "test_macro_f1": final.test.macro_f1 if final else None,
                "stale": final.stale if final else None,
                "verdict": asdict(stood.verdict),
            }
        )
        return
    banner(found)
    out.print(f"{place.arm} (trial {place.number})", style="bold", markup=False)
    recommended(found)
    if tied:
        out.print(f"  can't be told apart from: {', '.join(tied)}", markup=False)
    if final:
        low, high = final.test.interval
        out.print(
            f"  test {OBJECTIVE.label('en')} {final.test.objective:.4f} [{low:.4f}, {high:.4f}]"
            + (" (stale: searched on since)" if final.stale else ""),
            markup=False,
        )
    if trial and trial.objective is not None:
        out.print(f"  validation {OBJECTIVE.label('en')} {trial.objective:.4f}", markup=False)
    for key, value in trial.params.items() if trial else ():
        out.print(f"  {key} = {value}", markup=False)


def _results(name: str, storage: str | None) -> StudyResults:
    from suite import api

    found = api.load_results(name, storage=storage, importance=False, predictions=False)
    tidy(storage)
    return found
