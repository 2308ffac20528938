"""`suite model …`: the catalogue, and whether a model can be used here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import completion
from suite.cli.console import next_step, out, print_json, print_table, tell, words
from suite.cli.fitting import name, number, word
from suite.cli.options import AsJson
from suite.report import formats

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
    say = words()
    table = Table(
        name(say("head_model")),
        word(say("head_family"), leaves=2),
        number(say("head_millions"), leaves=1),
        name(say("head_weights"), leaves=3),
        word(say("head_revision"), leaves=4),
    )
    for model in models.values():
        table.add_row(
            model.name,
            say.family(model.family),
            formats.quantity(model.parameters),
            model.hub or model.path or model.endpoint or say("from_training_texts"),
            ""
            if not model.hub
            else (say("unpinned") if model.revision == "main" else model.revision[:12]),
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
    tell(f"{model.name}: {model.family}, {model.identity}")
    if model.hub and model.revision == "main":
        tell("  revision: UNPINNED; 'main' may change under a study")
    elif model.hub:
        out.print(
            f"  revision: pinned, found in {model.revision_from or '(not noted)'}", markup=False
        )
    if model.note:
        tell(f"  note: {model.note}")
    fitting = [s for s in strategies.names() if strategies.fits(model, s)]
    tell(f"  strategies: {', '.join(fitting) or 'none'}")
    named = () if model.endpoint is None else (model.endpoint,)
    with consent.held(consent.Consent(named=named)):
        reason = reach.unavailable(model)
    folder = None if reason else hub.weights_for(model)
    if isinstance(folder, Path):
        reason = _tried(folder, fitting)
    elif not reason:
        tell("  weights: can be had here")
    if reason:
        tell(f"  weights: {reason}")
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
            tell(f"  {one.strategy}: fits{f' ({told})' if told else ''}")
        else:
            tell(f"  {one.strategy}: refused: {one.refused}")
    refused = [one.refused for one in found if one.refused]
    return refused[0] if found and len(refused) == len(found) else None
