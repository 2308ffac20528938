"""`suite model …`: the catalogue, and whether a model can be used here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import completion
from suite.cli.console import next_step, out, print_json, print_table
from suite.cli.options import AsJson

app = typer.Typer(
    no_args_is_help=True,
    help="""Look at the catalogue of models.

    Examples:

        suite model list

        suite model check bert-base-cased
    """,
)


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the models of the catalogue.

    Examples:

        suite model list

        suite model list --json
    """
    from suite.models.catalogue import load_catalogue

    models = load_catalogue()
    if as_json:
        print_json({"models": [m.model_dump(mode="json") for m in models.values()]})
        return
    table = Table("model", "family", "millions", "weights", "revision")
    for model in models.values():
        table.add_row(
            model.name,
            model.family,
            "–" if model.parameters is None else f"{model.parameters:,.1f}",
            model.hub or model.path or model.endpoint or "built from the task's training texts",
            ""
            if not model.hub
            else ("UNPINNED (main)" if model.revision == "main" else model.revision[:12]),
        )
    print_table(table)


@app.command("check")
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="A model's name, or NAME=PATH of a local folder.",
            autocompletion=completion.models,
        ),
    ],
) -> None:
    """Say what a model is, whether its weights can be had here, and which strategies fit it.

    Examples:

        suite model check bert-base-cased

        suite model check minilm=/models/all-MiniLM-L6-v2
    """
    from suite import strategies
    from suite.endpoint import consent, reach
    from suite.models import hub
    from suite.models.catalogue import find_model, load_catalogue, local_model

    model = local_model(name) if "=" in name else find_model(name, load_catalogue())
    out.print(f"{model.name}: {model.family}, {model.identity}", markup=False)
    if model.hub and model.revision == "main":
        out.print("  revision: UNPINNED; 'main' may change under a study", markup=False)
    elif model.hub:
        out.print(
            f"  revision: pinned, found in {model.revision_from or '(not noted)'}", markup=False
        )
    if model.note:
        out.print(f"  note: {model.note}", markup=False)
    fitting = [s for s in strategies.names() if strategies.fits(model, s)]
    out.print(f"  strategies: {', '.join(fitting) or 'none'}", markup=False)
    named = () if model.endpoint is None else (model.endpoint,)
    with consent.held(consent.Consent(named=named)):
        reason = reach.unavailable(model)
    folder = None if reason else hub.weights_for(model)
    if isinstance(folder, Path):
        reason = _tried(folder, fitting)
    elif not reason:
        out.print("  weights: can be had here", markup=False)
    if reason:
        out.print(f"  weights: {reason}", markup=False)
        raise typer.Exit(2)
    given = ("--model", name) if "=" in name else ()
    next_step(shell.command("study", "create", "agnews", *given, "--arms", f"{model.name}/*"))


def _tried(folder: Path, names: list[str]) -> str | None:
    """Prints what each strategy finds in weights that are here; why none can use them, or None."""
    from suite import strategies
    from suite.strategies.network import examined

    found = examined.examined(
        folder, [(name, use) for name in names if (use := strategies.reads(name))]
    )
    for one in found:
        if one.refused is None:
            told = "; ".join(f"{what} {', '.join(which)}" for what, which in one.said if which)
            out.print(f"  {one.strategy}: fits{f' ({told})' if told else ''}", markup=False)
        else:
            out.print(f"  {one.strategy}: refused: {one.refused}", markup=False)
    refused = [one.refused for one in found if one.refused]
    return refused[0] if found and len(refused) == len(found) else None
