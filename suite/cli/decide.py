"""`suite decide`: from which probability on each arm's model answers alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import fitting
from suite.cli.console import next_step, out, print_json, print_table, words
from suite.cli.console import say as to_err
from suite.cli.options import AsJson, Name, Storage
from suite.cli.study_files import tidy
from suite.errors import UsageError

if TYPE_CHECKING:
    from suite.contracts.deciding import Decision
    from suite.contracts.results import StudyResults
    from suite.report.words import Words


def decide(
    name: Name,
    max_error: Annotated[
        float | None,
        typer.Option(
            help="Share of its answers that may be wrong at most. Default: the recipe's, else .05."
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(help="With which that is claimed. Default: the recipe's, else .9."),
    ] = None,
    max_wrong: Annotated[
        float | None,
        typer.Option(
            help="In place of both: share of all texts that may be answered wrongly at most, in "
            "the mean."
        ),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(
            help="Also name the classes that a text may be of: a set that holds the true one for "
            "this share of texts. Default: the recipe's, else no sets."
        ),
    ] = None,
    offsets: Annotated[
        bool | None,
        typer.Option(
            "--offsets/--no-offsets",
            help="Also move classes that are answered too seldom or too often for the best "
            "macro-F1, where that does it on rows that it was not fitted on. Default: the "
            "recipe's, else no.",
        ),
    ] = None,
    arm: Annotated[
        str | None, typer.Option(help="Only this arm. Default: all that keep a model.")
    ] = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Find from which probability on each arm's model answers alone, so that its answers are wrong
    at most so often; it passes the other texts on.

    Certified is that on rows which were set aside before the search (`calibration` in the recipe).
    Without them it is estimated, on the rows that trials were scored on. Test only tells what
    comes of it. The threshold is kept: from then on `suite predict`, `suite serve` and
    `suite export` say of each answer whether it is `decided`.

    Examples:

        suite decide agnews --max-error .05

        suite decide agnews --max-error .01 --confidence .95 --arm tfidf/classic

        suite decide agnews --max-wrong .02

        suite decide agnews --json | jq .decisions
    """
    from suite import api
    from suite.contracts.deciding import Asked, Limit
    from suite.study import deciding, decisions_record
    from suite.study import storage as storages

    recipe = storages.load(storages.open_storage(storage), name)[1].recipe
    limit = None
    limiting = max_error is not None or confidence is not None
    if max_wrong is not None:
        if limiting:
            raise UsageError(
                "--max-wrong is of all texts, --max-error of the answered ones",
                fix="Give one of them.",
            )
        if not 0 < max_wrong < 1:
            raise UsageError(
                f"--max-wrong {max_wrong:g} lies not between 0 and 1",
                fix="Say how much may be wrong, for example .02 for two texts of a hundred.",
            )
    elif recipe.decide is not None and not limiting:
        max_wrong = recipe.decide.max_wrong
    if max_wrong is None and (recipe.decide or not recipe.value or limiting or offsets):
        said = recipe.decide.limit if recipe.decide else Limit()
        limit = Limit(
            said.max_error if max_error is None else max_error,
            said.confidence if confidence is None else confidence,
        )
    if recipe.decide is not None:
        coverage = recipe.decide.coverage if coverage is None else coverage
        offsets = recipe.decide.offsets if offsets is None else offsets
    asked = Asked(limit, recipe.value, coverage, bool(offsets), max_wrong)
    found = deciding.decide(name, asked, arm=arm, url=storage, say=to_err)
    tidy(storage)
    if as_json:
        print_json({"study": name, "decisions": decisions_record.dumped(found)})
        return
    from suite.report.data.decided import decided_sentences

    say = words()
    print_table(_table(found, say))
    taken = _taken(found, api.load_results(name, storage=storage, importance=False))
    for line in decided_sentences(taken, say):
        out.print(line)
    next_step(shell.command("predict", name, "a text", "--arm", taken.arm, storage=storage))


def _taken(found: Sequence[Decision], results: StudyResults) -> Decision:
    """That of the arm to take, else the first."""
    taken = results.verdict.recommended if results.verdict else None
    return next((one for one in found if one.arm == taken), found[0])


def _table(found: Sequence[Decision], say: Words) -> Table:
    from suite.report.data.decided import decided_row

    table = Table(
        fitting.name(say("head_arm")),
        fitting.number(say("decided_answering")),
        fitting.number(say("decided_wrong"), leaves=3),
        fitting.number(say("decided_at_most"), leaves=2),
        fitting.number(say("decided_threshold")),
        fitting.number(say("decided_test_answers"), leaves=4),
        fitting.number(say("decided_test_wrong"), leaves=5),
        fitting.number(say("decided_saved"), leaves=6),
        fitting.word(say("decided_ground")),
    )
    for row in (decided_row(one, say) for one in found):
        table.add_row(
            row.arm,
            row.answers,
            row.wrong,
            row.at_most,
            row.threshold,
            row.test_answers,
            row.test_wrong,
            row.saved,
            row.ground,
        )
    return table
