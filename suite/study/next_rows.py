"""Which texts of a file to label next, by what a study's model answers to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from suite import strategies
from suite.contracts.language import language_of
from suite.contracts.picking import Way
from suite.data import snapshot
from suite.data.audit import normalise
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
        EndpointError: the arm's server can't be asked.
    """
    kept = winner(name, arm, url)
    data = snapshot.read_snapshot(kept.snapshot)
    texts = [whole(text) for text in TextFile(unlabelled, kept.joining, columns=columns, room=room)]
    unseen = [data.test] if data.calibration is None else [data.test, data.calibration]
    _refuse_test(texts, {normalise(text) for rows in unseen for text in rows.texts}, unlabelled)
    pool, left = answerable(texts, (data.train, data.validation), unseen)
    if not pool:
        raise DataError(
            f"none of {counted(len(texts), 'text')} is left to label: {left.known:,} have labels "
            f"in the study, {left.repeated:,} repeat others, {left.blank:,} are empty",
            where=unlabelled,
            fix="Give texts that are not in the study yet.",
        )
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
