"""`suite doctor`: what this machine has, what is missing, and which arms can run here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from suite.cli import language
from suite.cli.console import next_step, out, print_json, print_table, styled, told, words
from suite.cli.options import AsJson, Storage

if TYPE_CHECKING:
    from suite.config.settings import Setting
    from suite.contracts.model import Model
    from suite.contracts.task import Task
    from suite.machine.checks import Check

HEADINGS = {
    "machine": "Machine",
    "packages": "Packages",
    "places": "Folders, database, Hub",
    "optional": "Optional",
}


@dataclass(frozen=True)
class ArmHere:
    """Whether an arm of the catalogue runs on this machine; None where that was not asked."""

    arm: str
    runs: bool | None
    reason: str = ""
    fix: str = ""


def doctor(
    as_json: AsJson = False,
    hub: Annotated[
        bool, typer.Option("--hub/--no-hub", help="Ask whether the Hub answers.")
    ] = True,
    storage: Storage = None,
) -> None:
    """Tell what will run here and what won't, why, and how to mend it. Nothing is downloaded.

    Exits with 2 only where nothing can run.

    Examples:

        suite doctor

        suite doctor --no-hub --json
    """
    from suite import strategies
    from suite.machine import checks as room
    from suite.machine import facts
    from suite.models import hub as hub_room
    from suite.serving import engines

    groups = room.grouped(
        hub=hub_room.reason if hub else None,
        storage=storage,
        downloads=hub_room.cache_folder(),
        packages=[*strategies.packages(), *engines.packages()],
    )
    arms = arms_here(hub=hub)
    set_here = _settings(storage)
    found = [check for checks in groups.values() for check in checks]
    able = any(arm.runs for arm in arms) and not any(check.blocks for check in found)
    if as_json:
        print_json(
            {
                "runs": able,
                "environment": facts.environment(),
                "settings": [_as_json(setting) for setting in set_here],
                "checks": [
                    {"group": group, **asdict(check)}
                    for group, checks in groups.items()
                    for check in checks
                ],
                "arms": [asdict(arm) for arm in arms],
            }
        )
    elif out.is_terminal and not out.is_dumb_terminal:
        _draw(groups, set_here, arms)
    else:
        _plain(groups, set_here, arms)
    if not able:
        raise typer.Exit(2)
    if not as_json:
        next_step("suite study create agnews")


def _settings(storage: str | None) -> list[Setting]:
    """Every setting and where it comes from, passwords masked."""
    from suite import redaction
    from suite.config import settings

    found = settings.settings()
    spoken = language.chosen(None, language.set_in_a_file())
    if words().language != spoken.language:
        spoken = language.Chosen(words().language, "--lang")
    found["lang"] = settings.Setting("lang", spoken.language, spoken.origin)
    if storage is not None:
        found["storage"] = settings.Setting("storage", storage, "--storage")
    address = redaction.address(str(found["storage"].value))
    found["storage"] = replace(found["storage"], value=address)
    return list(found.values())


def _as_json(setting: Setting) -> dict[str, Any]:
    from suite.contracts.prices import Prices

    told = setting.value
    return asdict(setting) | (
        {"value": told.model_dump(exclude_none=True)} if isinstance(told, Prices) else {}
    )


def language_judged(model: Model) -> str:
    """The language whose shipped task a model is judged by where no task is named."""
    from suite.contracts.language import LANGUAGES

    return next((code for code in LANGUAGES if model.reads(code)), "en")


@cache
def judged_by(language: str) -> Task:
    """That task."""
    from suite.config.task import find_task
    from suite.contracts.language import language_of

    return find_task(language_of(language).task)[0]


def arms_here(*, hub: bool) -> list[ArmHere]:
    """Every arm of the catalogue: what its strategy says of it, and whether its weights are had.

    Args:
        hub: whether the Hub may be asked if it answers.
    """
    from suite import strategies
    from suite.models.catalogue import load_catalogue

    found = []
    for model in load_catalogue().values():
        task = judged_by(language_judged(model))
        for name in strategies.names():
            if not strategies.fits(model, name):
                continue
            refused = strategies.get(name).refuses(model, task)
            arm = f"{model.name}/{name}"
            if refused is not None:
                found.append(ArmHere(arm, False, *_parted(refused)))
            else:
                found.append(_weights(arm, model, hub))
    return found


def _parted(refusal: str) -> tuple[str, str]:
    """A refusal's reason, and what would help, which follows the last semicolon."""
    reason, separator, fix = refusal.rpartition("; ")
    return (reason, fix) if separator else (refusal, "")


def _weights(arm: str, model: Model, hub: bool) -> ArmHere:
    from suite.models import hub as room

    if model.hub is None:
        return ArmHere(arm, True)
    if room.cached_snapshot(model.hub, model.revision) is not None:
        return ArmHere(arm, True, "weights in the local cache")
    fix = f"--model {model.name}=PATH names a local folder"
    if not hub:
        return ArmHere(arm, None, "weights not in the cache, Hub not asked", fix)
    if room.reachable():
        return ArmHere(arm, True, "weights come from the Hub at first use")
    return ArmHere(arm, False, "weights not in the cache, Hub out of reach", fix)


def _state(ok: bool | None) -> str:
    return {True: words()("able"), False: words()("unable"), None: "–"}[ok]


def _draw(groups: dict[str, list[Check]], found: list[Setting], arms: list[ArmHere]) -> None:
    """Grouped, for a terminal of 80 columns."""
    for group, checks in groups.items():
        grid = _grid(told(HEADINGS[group]))
        present = [c for c in checks if group == "optional" and c.ok]
        if present:
            named = ", ".join(c.name if c.name == "Chromium" else f"{c.name} {c.finding}"
                              for c in present)  # fmt: skip
            grid.add_row(Text(_state(True), "green"), told("present"), named)
        for check in checks:
            if check not in present:
                _row(
                    grid,
                    check.ok,
                    told(check.name),
                    told(check.finding),
                    "" if check.ok else told(check.fix),
                )
        out.print(grid)
    grid = _grid(told("Settings"))
    for setting in found:
        _row(grid, None, told(setting.name), f"{_value(setting)} ({told(setting.origin)})", "")
    out.print(grid)
    _draw_arms(arms)


def _draw_arms(arms: list[ArmHere]) -> None:
    """A line a model; why and what would help once, below."""
    from suite.cli.tables import prose

    say = words()
    together: dict[tuple[str, bool | None, str, str], list[str]] = {}
    for arm in arms:
        model, _, strategy = arm.arm.partition("/")
        together.setdefault((model, arm.runs, arm.reason, arm.fix), []).append(strategy)
    runs = sum(arm.runs is True for arm in arms)
    grid = _grid(say("arms_here", runs=runs, arms=len(arms)))
    whys: dict[tuple[str, str], list[str]] = {}
    for (model, able, reason, fix), strategies in together.items():
        _row(grid, able, model, say("comma").join(strategies), "")
        if reason:
            why = (reason, "" if fix.startswith("--model") else fix)
            whys.setdefault(why, []).append(model)
    out.print(grid)
    for (reason, fix), models in whys.items():
        what = say.join(list(dict.fromkeys(models)))
        prose(say("because", what=what, reason=told(f"{reason}; {fix}" if fix else reason)), "dim")
    if any(arm.fix.startswith("--model") for arm in arms):
        hint = "suite study create TASK --model NAME=PATH takes weights from a local folder"
        out.print(f"→ {told(hint)}", style="dim", markup=False)


def _grid(title: str) -> Table:
    grid = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False)
    grid.add_column(width=2)
    grid.add_column(no_wrap=True, min_width=18)
    grid.add_column(overflow="fold")
    return grid


def _row(grid: Table, ok: bool | None, name: str, finding: str, fix: str) -> None:
    style = {True: "green", False: "red", None: "dim"}[ok]
    told = styled(finding)
    if fix:
        told.append(styled(f"\n→ {fix}", "dim"))
    grid.add_row(Text(_state(ok), style), name, told)


def _value(setting: Setting) -> str:
    return "–" if setting.value is None else str(setting.value)


def _plain(groups: dict[str, list[Check]], found: list[Setting], arms: list[ArmHere]) -> None:
    """The same, a line each."""
    table = Table(*map(told, ("group", "state", "check", "finding", "what would help")))
    for group, checks in groups.items():
        for c in checks:
            table.add_row(
                told(group),
                _state(c.ok),
                told(c.name),
                told(c.finding),
                "" if c.ok else told(c.fix),
            )
    for setting in found:
        table.add_row(
            told("settings"),
            "–",
            told(setting.name),
            _value(setting),
            told(f"from: {setting.origin}"),
        )
    for arm in arms:
        table.add_row(
            told("arm"),
            told({True: "runs", False: "refused", None: "–"}[arm.runs]),
            arm.arm,
            told(arm.reason),
            told(arm.fix),
        )
    print_table(table)
