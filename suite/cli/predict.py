"""`suite predict` and `suite export`: a study's winner, used."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from suite.cli.console import out, print_json
from suite.cli.study import AsJson, Name, Storage
from suite.errors import StorageError, StudyError

Arm = Annotated[str | None, typer.Option(help="The arm. Default: the winner.")]


def predict(
    name: Name,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...", help="Texts; '-' or none: one a line from standard input."
        ),
    ] = None,
    arm: Arm = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Classify texts with a study's kept winner.

    Examples:

        suite predict agnews "Oil prices fall as supply grows"

        cat headlines.txt | suite predict agnews --json
    """
    from suite.strategies import load_predictor

    folder, chosen, labels = _kept(name, arm, storage)
    given = texts if texts and texts != ["-"] else [line.rstrip("\n") for line in sys.stdin]
    if not given:
        raise StudyError("no text to classify", fix='For example: suite predict agnews "a text"')
    probabilities = load_predictor(folder).predict_proba(given)
    rows = [
        {
            "text": text,
            # A row of zeros is no answer: nothing that names a class.
            "label": labels[int(row.argmax())] if row.any() else None,
            "probabilities": {label: float(p) for label, p in zip(labels, row, strict=True)},
        }
        for text, row in zip(given, probabilities, strict=True)
    ]
    if as_json:
        print_json({"study": name, "arm": chosen, "predictions": rows})
        return
    for row, values in zip(rows, probabilities, strict=True):
        out.print(
            f"{row['label'] or '(no answer)'}  {float(values.max()):.3f}  {row['text']}",
            markup=False,
        )


def export(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="The folder to write.")],
    arm: Arm = None,
    storage: Storage = None,
) -> None:
    """Copy a study's kept winner into a folder of its own.

    Neural arms are written as transformers writes them: the folder loads with
    `AutoModelForSequenceClassification.from_pretrained`.

    Example:

        suite export agnews ./agnews-model
    """
    source, chosen, _ = _kept(name, arm, storage)
    if folder.exists():
        raise StorageError(f"{folder} exists", fix="Name a new folder.")
    shutil.copytree(source, folder)
    out.print(f"Wrote {chosen} to {folder}", markup=False)


def _kept(name: str, arm: str | None, storage: str | None) -> tuple[Path, str, list[str]]:
    from suite.errors import nearest
    from suite.study import record
    from suite.study import storage as storages
    from suite.study.record import KEPT_AT

    study, definition = storages.load(storages.open_storage(storage), name)
    found = record.results(study, definition)
    kept: dict[str, dict[str, Any]] = {
        key.removeprefix(KEPT_AT): value
        for key, value in study.user_attrs.items()
        if key.startswith(KEPT_AT) and value
    }
    if not kept:
        raise StudyError(
            f"'{name}' has no kept checkpoint yet", fix=f"Go on with `suite study run {name}`."
        )
    if arm is not None and arm not in kept:
        raise StudyError(f"'{name}' keeps no checkpoint of '{arm}'", fix=nearest(arm, kept))
    if arm is None:
        ranked = [f.arm for f in found.finals if f.arm in kept]
        arm = (
            ranked[0]
            if ranked
            else max(kept, key=lambda a: (kept[a]["feasible"], kept[a]["macro_f1"]))
        )
    folder = Path(kept[arm]["path"])
    if not folder.is_dir():
        raise StudyError(f"the checkpoint of {arm} is on {kept[arm]['host']}, in {folder}")
    return folder, arm, [label.shown for label in definition.task.labels]
