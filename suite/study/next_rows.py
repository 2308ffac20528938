"""Which texts of a file to label next, by what a study's model answers to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from suite import strategies
from suite.contracts.language import language_of
from suite.contracts.picking import Way
from suite.contracts.task import Task
from suite.data import snapshot
from suite.data.audit import normalise
from suite.data.columns import missing
from suite.data.joining import Joining
from suite.data.labels import Labels
from suite.data.room import Room
from suite.data.texts import TextFile, whole
from suite.data.vectors import vectors
from suite.endpoint import consent
from suite.endpoint.consent import Consent
from suite.errors import DataError, counted
from suite.study.distilling import Left, answerable, answers
from suite.study.winner import winner
from suite.verdict.picking import margins, picked

#: Places of texts that stand in test, named at most.
_NAMED = 5


@dataclass(frozen=True)
class Next:
    """A text to label.

    Args:
        row: its place in the file, from 1.
        label: the class that the model would give it, with its probability.
        margin: how far that lies above the next class.
    """

    row: int
    text: str
    label: str
    probability: float
    margin: float


@dataclass(frozen=True)
class Chosen:
    """The texts to label, by which arm's answers, of how many, and which were left out."""

    arm: str
    way: Way
    texts: list[Next]
    of: int
    left: Left


def choose(
    name: str,
    unlabelled: str,
    rows: int,
    way: Way,
    *,
    arm: str | None = None,
    columns: Sequence[str] = (),
    seed: int = 0,
    room: Room | None = None,
    url: str | None = None,
    allowed: Consent | None = None,
    watch: Callable[[int], None] = lambda answered: None,
) -> Chosen:
    """Picks the texts of a file that are to be labelled next.

    Args:
        name: the study's; `arm` the one that it recommends where None.
        unlabelled: a file of texts as `suite predict --file` reads them; `columns` what it calls
            the task's columns of texts.
        rows: how many to pick.
        allowed: which servers may be asked.
        watch: told how many texts are answered.

    Raises:
        StudyError: no such study or arm.
        DataError: the file can't be read, has texts of the study's test, or none to label.
            Those that a class stands beside, in the task's column of labels, have one.
        EndpointError: the arm's server can't be asked.
    """
    kept = winner(name, arm, url)
    data = snapshot.read_snapshot(kept.snapshot)
    texts, labelled = _read(kept.definition.task, unlabelled, kept.joining, columns, room)
    unseen = [data.test] if data.calibration is None else [data.test, data.calibration]
    _refuse_test(texts, {normalise(text) for rows in unseen for text in rows.texts}, unlabelled)
    open_ = [text for text in texts if normalise(text) not in labelled]
    pool, left = answerable(open_, (data.train, data.validation), unseen)
    left = replace(left, labelled=len(texts) - len(open_))
    if not pool:
        raise _none_left(texts, left, unlabelled)
    with consent.held(allowed or Consent()):
        predictor = strategies.load_predictor(kept.folder, classes=len(kept.labels))
        found = answers(predictor, pool, watch)
    spaced = language_of(kept.definition.task.language).spaced
    places = picked(
        way,
        found,
        vectors(pool, spaced=spaced, seed=seed) if way == "diverse" else None,
        rows,
        seed=seed,
    )
    first: dict[str, int] = {}
    for at, text in enumerate(texts, start=1):
        first.setdefault(text, at)
    apart = margins(found)
    chosen = [
        Next(
            first[pool[at]],
            pool[at],
            kept.labels[int(found[at].argmax())],
            float(found[at].max()),
            float(apart[at]),
        )
        for at in places.tolist()
    ]
    return Chosen(kept.arm, way, chosen, len(pool), left)


def _read(
    task: Task, file: str, joining: Joining, columns: Sequence[str], room: Room | None
) -> tuple[list[str], set[str]]:
    """A file's texts, and the forms of those that have a class of the task beside them."""
    column, classes = task.data.label, Labels(task)
    texts: list[str] = []
    labelled = set()
    for given in TextFile(file, joining, columns=columns, also=(column,), room=room).rows():
        text, label = whole(given.text), given.kept.get(column)
        texts.append(text)
        if not missing(label) and classes.index(classes.read(label)) is not None:
            labelled.add(normalise(text))
    return texts, labelled


def _none_left(texts: Sequence[str], left: Left, file: str) -> DataError:
    """The error of a file without a text to label."""
    if not texts:
        return DataError("no texts stand in it", where=file, fix="Give texts without labels.")
    return DataError(
        f"none of {counted(len(texts), 'text')} is left to label: {'; '.join(left.told)}",
        where=file,
        fix="Give texts that have no label yet, in the study or in their file.",
    )


def _refuse_test(texts: Sequence[str], tested: set[str], file: str) -> None:
    """
    Raises:
        DataError: texts stand in test, or in what is set aside for calibration.
    """
    inside = [
        at for at, text in enumerate(texts, start=1) if text.strip() and normalise(text) in tested
    ]
    if not inside:
        return
    places = ", ".join(map(str, inside[:_NAMED])) + (", …" if len(inside) > _NAMED else "")
    raise DataError(
        f"the study's test has {len(inside):,} of these {counted(len(texts), 'text')}: once "
        f"trained on, test would say nothing (in the file: {places})",
        where=file,
        fix="Take them out of the file.",
    )
