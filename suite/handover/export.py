"""A study's kept checkpoint as a folder of its own: to load, to serve, to publish.

What a predictor writes stands in it as it is, so transformers loads the folder where the strategy
keeps a whole transformers model, and the suite loads it in any case. Beside it:

    README.md         the model card: the study's numbers, with their circumstances
    labels.json       the classes by index, the columns of a text, where the model comes from
    onnx/model.onnx   on request, its answers compared with the model's
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.deciding import Decision
from suite.contracts.language import LanguageCode
from suite.data import snapshot
from suite.data.joining import Joining
from suite.errors import ModelError, StorageError, counted
from suite.files import reason
from suite.handover.model_card import OnnxFile, card, is_classifier
from suite.machine.scratch import Scratch, sweep, tell
from suite.models import checkpoint
from suite.study import decisions_record

if TYPE_CHECKING:
    from suite.study.winner import Winner

LABELS = "labels.json"
CARD = "README.md"
ONNX = Path("onnx") / "model.onnx"

#: Validation rows on which the ONNX file is compared, and training texts it is made ready with.
AGREEMENT_ROWS, EXAMPLE_TEXTS = 1000, 64
#: Validation texts that a copy has to answer.
CHECKED_TEXTS = 8


_FIX = "Export the model again with `suite export NAME DIR`."


class _Label(Strict):
    name: str
    shown: str


class _Described(Strict):
    """What is in labels.json."""

    schema_version: Literal[1] = 1
    labels: Annotated[list[_Label], Field(min_length=2, max_length=100_000)]
    language: LanguageCode
    task: str = ""
    text: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: ["text"])
    join: str = " "
    id: str | None = None
    study: str
    arm: str
    trial: Annotated[int, Field(ge=0)]
    decision: Decision | None = None


@dataclass(frozen=True)
class Exported:
    """An exported folder.

    Args:
        labels: the classes' names, by class index.
        language: of the texts.
        joining: what its texts are made of.
        decision: when it answers alone; None where that was not asked.
    """

    folder: Path
    labels: list[str]
    arm: str
    study: str
    trial: int | None
    language: str
    joining: Joining = field(default_factory=Joining)
    decision: Decision | None = None


def export(
    winner: Winner,
    folder: Path,
    *,
    onnx: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Exported:
    """Writes a kept checkpoint into a new folder, all or nothing.

    Args:
        onnx: also `onnx/model.onnx`, in float32.
        say: told what takes long, and how the ONNX file compares.

    Raises:
        StorageError: the folder exists or can't be written.
        ModelError: the model can't be written as ONNX, or its ONNX file answers otherwise.
    """
    if folder.exists() or folder.is_symlink():
        raise StorageError(f"{folder} exists", fix="Name a new folder.")
    if onnx:
        _refuse_onnx(winner)
    folder = folder.absolute()
    scratch: Scratch | None = None
    try:
        tell(sweep(folder.parent), str(folder.parent), say)
        scratch = Scratch(folder.parent)
        aside = scratch.folder / "model"
        shutil.copytree(winner.folder, aside)
        task = winner.definition.task
        _name_labels(aside, task.label_names)
        described: dict[str, Any] = {
            "schema_version": 1,
            "labels": [{"name": label.name, "shown": label.shown} for label in task.labels],
            "language": task.language,
            "task": task.name,
            "text": task.data.text,
            "join": task.data.join,
            "id": task.data.id,
            "study": winner.definition.name,
            "arm": winner.arm,
            "trial": winner.trial,
        }
        if winner.decision is not None:
            described["decision"] = decisions_record.dumped([winner.decision])[0]
        _write(aside / LABELS, json.dumps(described, ensure_ascii=False, indent=1))
        _refuse_mute(winner, aside)
        made = _write_onnx(winner, aside, scratch.folder, say) if onnx else None
        _write(aside / CARD, card(winner, aside, made))
        os.rename(aside, folder)
    except (OSError, shutil.Error) as error:
        # What `copytree` could not copy is listed, each with its own error as a text.
        what = str(error).splitlines()[0][:300] if isinstance(error, shutil.Error) else reason(
            error, folder
        )  # fmt: skip
        raise StorageError(
            f"the folder can't be written: {what}",
            where=str(folder),
            fix="Name a folder on a disk with space left, in a place you may write to.",
        ) from None
    finally:
        if scratch is not None:
            scratch.close()
    return read_exported(folder)


def read_exported(folder: Path) -> Exported:
    """What an exported folder holds; one that `save_predictor` wrote does where it names labels.

    Raises:
        ModelError: it holds no predictor, or nothing that names its classes.
    """
    from suite.strategies import MARK, strategy_of

    if not (folder / MARK).exists():
        raise ModelError(
            "no exported model is there",
            where=str(folder),
            fix="`suite export NAME DIR` writes one.",
        )
    strategy_of(folder)
    if not (folder / LABELS).exists():
        return Exported(folder, _configured(folder), folder.name, "", None, "en")
    described = jsonfile.load(folder / LABELS, _Described, fix=_FIX)
    return Exported(
        folder=folder,
        labels=[label.name for label in described.labels],
        arm=described.arm,
        study=described.study,
        trial=described.trial,
        language=described.language,
        joining=Joining(tuple(described.text), described.join, described.id),
        decision=described.decision,
    )


def _configured(folder: Path) -> list[str]:
    """The classes that a transformers configuration names."""
    file = folder / checkpoint.CONFIG
    named = jsonfile.read(file).get("id2label") if file.exists() else None
    count = len(named) if isinstance(named, dict) else 0
    found = [named.get(str(index)) for index in range(count)] if isinstance(named, dict) else []
    if len(found) < 2 or not all(isinstance(name, str) for name in found):
        raise ModelError(
            "nothing there names the classes",
            where=str(folder / LABELS),
            fix=_FIX,
        )
    return [str(name) for name in found]


def _write(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8", "replace"))


def _name_labels(folder: Path, names: list[str]) -> None:
    """Names the classes in a sequence classifier's configuration, where it does not yet."""
    if not is_classifier(folder):
        return
    file = folder / "config.json"
    config = jsonfile.read(file)
    wanted = {str(index): name for index, name in enumerate(names)}
    if config.get("id2label") != wanted:
        config["id2label"] = wanted
        config["label2id"] = {name: index for index, name in enumerate(names)}
        _write(file, json.dumps(config, ensure_ascii=False, indent=2))


def _refuse_mute(winner: Winner, aside: Path) -> None:
    """Refuses a copy that can't be loaded, or that answers no probabilities."""
    from suite.serving.engines import kept
    from suite.strategies import load_predictor, refuse_no_probabilities

    if kept.look(aside).kind == "endpoint":
        return  # Asking it may cost, and nothing of it lies here.
    predictor = load_predictor(aside, classes=len(winner.definition.task.labels))
    _, rows = snapshot.read_train_validation(winner.snapshot)
    refuse_no_probabilities(predictor.predict_proba(rows.texts[:CHECKED_TEXTS]), winner.folder)


def _refuse_onnx(winner: Winner) -> None:
    """Says why there can be no ONNX file, before anything is copied."""
    from suite.serving.engines import candidates, kept

    look = kept.look(winner.folder)
    if look.kind != "network":
        what = "is asked over the network" if look.kind == "endpoint" else "is no neural network"
        raise ModelError(
            f"{winner.arm} {what}: there is nothing to write as ONNX",
            where="--onnx",
            fix="Export it without --onnx; `suite predict DIR` and `suite serve DIR` use it.",
        )
    if look.chunked:
        raise ModelError(
            f"{winner.arm} reads a long text in chunks, which become one behind the network: an "
            "ONNX file would hold half of it",
            where="--onnx",
            fix="Export it without --onnx; `suite bench` measures it in ONNX Runtime too.",
        )
    for found in candidates(winner.folder):
        if (found.engine, found.precision) == ("onnxruntime", "float32") and found.refused:
            raise ModelError(
                f"{winner.arm} can't be written as ONNX: {found.refused}", where="--onnx"
            )


def _write_onnx(winner: Winner, aside: Path, scratch: Path, say: Callable[[str], None]) -> OnnxFile:
    from suite.contracts.strategy import Refused
    from suite.serving.engines import open_engine
    from suite.serving.engines.agreement import agreement
    from suite.strategies import load_predictor

    train, rows = snapshot.read_train_validation(winner.snapshot)
    if len(rows) > AGREEMENT_ROWS:
        rows = rows.take(sorted(Random(0).sample(range(len(rows)), AGREEMENT_ROWS)))
    texts = train.texts[:EXAMPLE_TEXTS]
    say(f"Writing ONNX, and comparing it on {counted(len(rows), 'validation row')} …")
    working = scratch / "onnx"
    working.mkdir()
    reference = load_predictor(winner.folder).predict_proba(rows.texts)
    try:
        engine = open_engine(winner.folder, "onnxruntime", "float32", texts=texts, scratch=working)
    except Refused as refusal:
        raise ModelError(
            f"{winner.arm} can't be written as ONNX: {refusal}", where="--onnx"
        ) from None
    classes = len(winner.definition.task.labels)
    found = agreement(reference, engine.predict_proba(rows.texts), rows.labels, classes, "float32")
    if not found.agrees:
        raise ModelError(
            f"the ONNX file answers otherwise than the model: {found.reason}", where="--onnx"
        )
    target = aside / ONNX
    target.parent.mkdir()
    # Weights above ONNX's 2 GB stand beside the file, which names them.
    for part in sorted(working.glob(f"{ONNX.name}*")):
        shutil.move(part, target.parent / part.name)
    say(
        f"ONNX: it decides {found.share:.2%} of {counted(len(rows), 'validation row')} as the "
        f"model does; "
        f"macro-F1 {found.macro_f1:.4f}, the model's {found.reference_macro_f1:.4f}"
    )
    return OnnxFile(found, len(rows))
