"""What commands that make a study or go on with it have in common: words that are checked first,
what is told of the study, the run itself with its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from suite import shell
from suite.cli.console import detail, err, is_verbose, next_step, print_json, say, told
from suite.contracts.moments import duration
from suite.errors import counted

if TYPE_CHECKING:
    from suite.study.definition import Definition


def check_words(*, durations: tuple[str | None, ...], sizes: tuple[str | None, ...]) -> None:
    """Tells wrong words before any work is done.

    Raises:
        StudyError: one that was given is no duration.
        SuiteError: one that was given is no size.
    """
    from suite.files import parse_size
    from suite.study.duration import parse_duration

    for said in filter(None, durations):
        parse_duration(said)
    for said in filter(None, sizes):
        parse_size(said)


def run_and_show(
    name: str,
    storage: str | None,
    quiet: bool,
    *,
    known: bool = False,
    as_json: bool = False,
    **options: Any,
) -> None:
    """Preflight, search, finals, and the table.

    Args:
        known: which arms can't run was said before.
        as_json: everything that was found, as JSON, in place of the table.
        options: of `api.run_study`.
    """
    from suite import api
    from suite.cli.progress import observer
    from suite.cli.tables import show_results

    again = shell.command("study", "run", name, storage=storage)
    with observer(quiet) as watching:
        try:
            found = api.run_study(
                name, storage=storage, watcher=watching, importance=False, **options
            )
        except KeyboardInterrupt:
            err.print(told(f"Interrupted; everything is saved. Go on with: {again}"))
            raise typer.Exit(130) from None
    if as_json:
        print_json(found.to_json())
        return
    show_results(found, known=known)
    missing = found.missing_trials
    if missing > 0 and not found.finals:
        say(f"Still missing: {counted(missing, 'trial')}.")
        next_step(again)
        return
    if missing > 0:
        say(f"Still missing: {counted(missing, 'trial')}; `{again}` searches on.")
    parts = found.growth.missing if found.growth is not None else []
    if parts:
        say(f"Still missing of the curve: {counted(len(parts), 'part')}; `{again}` goes on.")
    next_step(shell.command("report", name, storage=storage))


def tell_arms(definition: Definition) -> None:
    """The arms that were chosen, what is downloaded for them, and the others, by their reasons."""
    from suite.cli.tables import by_reason
    from suite.models import hub

    choice = definition.recipe.choose
    if choice is not None:
        names = ", ".join(arm.name for arm in definition.runnable)
        say(f"Chosen for {duration(choice.seconds)} (--preset {choice.preset}): {names}")
        fetched = {a.model.name: hub.to_fetch(a.model) or 0.0 for a in definition.runnable}
        told = [f"{name} {size / 1e6:,.0f} MB" for name, size in fetched.items() if size]
        if told:
            say(f"Downloaded for them: {', '.join(told)}")
    refused = [(arm.name, arm.refused) for arm in definition.arms if arm.refused]
    for line in by_reason("refused_arms" if choice is None else "left_out_arms", refused):
        say(line)


def tell_definition(definition: Definition) -> None:
    """The data found, what the Hub said, and each arm's space."""
    from suite.models import hub

    if not is_verbose():
        return
    rows = definition.data.rows
    detail(
        f"data: {definition.data.source}, fingerprint {definition.data.fingerprint}, "
        f"{rows.train:,} train, {rows.validation:,} validation, {rows.test:,} test"
    )
    if any(arm.model.hub for arm in definition.arms):
        detail(f"Hub: {hub.reason() or 'reachable'}")
    for arm in definition.runnable:
        space = ", ".join(arm.space.dimensions)
        detail(f"{arm.name}: {f'searches {space}' if space else 'nothing to search'}")
