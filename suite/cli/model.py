"""`suite model …`: the catalogue, and whether a model can be used here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import completion, model_uses
from suite.cli.console import next_step, print_json, print_table, say, tell, told, words
from suite.cli.fitting import name, number, text, word
from suite.cli.options import AsJson, Device, Threads
from suite.cli.words import Quiet
from suite.report import formats
from suite.report.words import Words

if TYPE_CHECKING:
    from suite.contracts.model import Model

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
            help="A model's name, a local folder, or NAME=PATH of one.",
            autocompletion=completion.models,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a model is, whether its weights can be had here, and which strategies run with it.

    Of a folder config.json, the headers of the weights and the tokenizer are read, and no weights.

    Examples:

        suite model check bert-base-cased

        suite model check ./all-MiniLM-L6-v2

        suite model check minilm=/models/all-MiniLM-L6-v2 --json
    """
    name = _option(name)
    model = _model(name)
    away = _away(model)
    found = model_uses.uses(model, away)
    runs = model_uses.runs(found)
    if as_json:
        kept = model.model_dump(mode="json")
        print_json({"model": kept, "weights": away, "strategies": found, "runs": runs})
        raise typer.Exit(0 if runs else 2)
    tell(f"{model.name}: {model.family}, {model.identity}")
    if model.hub and model.revision == "main":
        tell("  revision: UNPINNED; 'main' may change under a study")
    elif model.hub:
        tell(f"  revision: pinned, found in {model.revision_from or '(not noted)'}")
    if model.licence:
        tell(f"  licence: {model.licence}")
    if model.note:
        tell(f"  note: {model.note}")
    tell(f"  weights: {away or 'can be had here'}")
    print_table(_table(found))
    if not runs:
        raise typer.Exit(2)
    given = ("--model", name) if "=" in name else ()
    next_step(shell.command("study", "create", "agnews", *given, "--arms", f"{model.name}/*"))


@app.command("distil-static")
def distil_static(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER",
            help="An encoder's folder, NAME=PATH of one, or a model of the catalogue.",
            autocompletion=completion.models,
        ),
    ],
    target: Annotated[Path, typer.Argument(metavar="DEST", help="A new folder.")],
    dimensions: Annotated[
        int, typer.Option(min=8, max=4096, help="Width of the vectors, at most the encoder's own.")
    ] = 256,
    device: Device = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Make a static model of an encoder: a vector for each word piece, read once and alone.

    Arms of it need no network: a text is the mean of its pieces' vectors (model2vec).

    Examples:

        suite model distil-static ./all-MiniLM-L6-v2 ./static-minilm

        suite model distil-static e5=./multilingual-e5-small ./static-e5 --dimensions 384
    """
    from suite.models.catalogue import option_of
    from suite.strategies.teaching import distil_static as room

    made = room.distil(_model(_option(source)), target, dimensions=dimensions, say=say)
    tell(
        f"{made.pieces:,} word pieces read in {made.seconds:,.0f} s; their vectors have "
        f"{made.dimensions} numbers, which keep {made.explained:.0%} of the variance: {made.folder}"
    )
    option = option_of(made.folder)
    arms = f"{option.partition('=')[0]}/*"
    next_step(shell.command("study", "create", "agnews", "--model", option, "--arms", arms))


def _option(name: str) -> str:
    """A model as `--model` or a glob names it: of a folder alone NAME=PATH, after itself."""
    from suite.models.catalogue import load_catalogue, option_of

    alone = "=" not in name and name not in load_catalogue() and Path(name).is_dir()
    return option_of(Path(name)) if alone else name


def _model(option: str) -> Model:
    from suite.models.catalogue import described, find_model, load_catalogue

    return described(option) if "=" in option else find_model(option, load_catalogue())


def _away(model: Model) -> str | None:
    """Why a model's weights can't be had, or None."""
    from suite.endpoint import consent, reach

    with consent.held(consent.Consent(named=() if model.endpoint is None else (model.endpoint,))):
        return reach.unavailable(model)


def _table(found: Sequence[model_uses.Use]) -> Table:
    say = words()
    table = Table(
        name(say("head_strategy")),
        word(say("head_runs")),
        text(say("head_happens")),
    )
    for one in found:
        said = told(one.refused) if one.refused else say("semicolon").join(_happens(say, one))
        table.add_row(one.strategy, say("no" if one.refused else "yes"), said)
    return table


def _happens(say: Words, use: model_uses.Use) -> Iterator[str]:
    """What a strategy does with the weights."""
    if use.classes is not None:
        yield say("head_kept", n=use.classes)
    if use.new:
        yield say("modules_new", names=say("comma").join(use.new))
    if use.ignored:
        yield say("modules_ignored", names=say("comma").join(use.ignored))
    if use.embeds:
        yield say("made_to_embed")
