"""`suite study list`, `show` and `best`: what a storage holds, read."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from suite import shell
from suite.cli import fitting
from suite.cli.console import next_step, out, print_json, print_table, warn, words
from suite.cli.options import AsJson, Name, Storage
from suite.cli.study_files import tidy
from suite.errors import StudyError
from suite.report import formats

if TYPE_CHECKING:
    from suite.contracts.results import StudyResults


def list_studies(storage: Storage = None, as_json: AsJson = False) -> None:
    """List the studies of a storage, further splits of a study's rows and its curve below it.

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
    told = words()
    # The order is that of pipes, which others cut by number.
    table = Table(
        fitting.name(told("head_study")),
        fitting.name(told("head_task"), leaves=2),
        fitting.name(told("head_recipe"), leaves=4),
        fitting.number(told("head_trials")),
        fitting.number(told("head_best")),
        fitting.word(told("head_finals"), leaves=1),
        fitting.word(told("head_created"), leaves=3),
    )
    for row in rows:
        task = row.task or formats.MISSING
        whole = row.whose if row.whose != row.study else None
        below = out.is_terminal and whole in {other.study for other in rows}
        table.add_row(
            f"  {row.study}" if below else row.study,
            told("sample_mark", task=task) if row.sample else task,
            row.recipe or formats.MISSING,
            f"{formats.count(row.finished)}/{formats.count(row.target)}",
            formats.score(row.best_validation.value if row.best_validation else None),
            told("scored") if row.finals else formats.MISSING,
            moments.shown(row.created) if row.created else told("cannot_be_read"),
        )
    if rows:
        print_table(table)
        for row in rows:
            if row.unreadable:
                warn(row.unreadable)
    else:
        out.print(told("no_studies"))
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
    from suite.cli.tables import failed, show_results, trials_table

    show_results(found)
    if out.is_terminal:
        out.print()
    # A pipe wants every row; a terminal the newest.
    print_table(trials_table(found, 200 if out.is_terminal else len(found.trials)))
    failed(found)


def best(name: Name, storage: Storage = None, as_json: AsJson = False) -> None:
    """Show the arm to take: its hyperparameters, its scores, what can't be told apart from it.

    Examples:

        suite study best agnews

        suite study best agnews --json
    """
    from suite.cli.tables import banner, prose, recommended
    from suite.contracts.results import trial_json
    from suite.report.data.combined import combined_sentences
    from suite.report.data.learnt import learnt_in
    from suite.verdict.metrics import METRICS
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
                "trial": trial_json(trial) if trial else None,
                "combined": asdict(final.combined) if final and final.combined else None,
                "test_macro_f1": final.test.macro_f1 if final else None,
                "test_macro_f1_interval": final.test.macro_f1_interval if final else None,
                "objective": {
                    "name": found.objective,
                    "value": final.test.score if final else None,
                },
                "objective_interval": final.test.interval if final else None,
                "unanswered": final.test.unanswered if final else None,
                "rank_range": final.rank_range if final else None,
                "stale": final.stale if final else None,
                "verdict": asdict(stood.verdict),
            }
        )
        return
    banner(found)
    told = words()
    metric = METRICS[found.objective].label(told.language)
    if final and final.combined:
        out.print(place.arm, style="bold")
        prose(f"  {told.sentences(combined_sentences(found, told))}")
    else:
        out.print(told("best_arm_trial", arm=place.arm, n=str(place.number)), style="bold")
    recommended(found)
    if tied:
        prose(f"  {told('level_with', arms=told.join(tied))}")
    if final:
        low, high = final.test.interval
        scored = told("scored_on", split=told("split_test"), metric=metric,
                      score=formats.score(final.test.score))  # fmt: skip
        stale = f" ({told('flag_stale_more')})" if final.stale else ""
        out.print(f"  {scored} [{formats.score(low)}, {formats.score(high)}]{stale}")
    if trial and trial.score is not None:
        scored = told("scored_on", split=told("split_validation"), metric=metric,
                      score=formats.score(trial.score))  # fmt: skip
        out.print(f"  {scored}")
    for key, value in trial.params.items() if trial else ():
        out.print(f"  {key} = {value}")
    learnt = learnt_in(trial, told)
    if learnt:
        out.print(f"  {told('learnt_in')}: {learnt}")


def _results(name: str, storage: str | None) -> StudyResults:
    from suite import api

    found = api.load_results(name, storage=storage, importance=False, predictions=False)
    tidy(storage)
    return found
