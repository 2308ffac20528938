"""A study's model as a teacher: what it answers to texts without labels, and to its own training
rows, written down for arms that learn from it (`+distilled`).

Which texts it may answer is decided here: none that stands in test, nor nearly, so that whoever
learns from the answers has not met test; none of the study's other rows, whose labels are known.
Training rows are answered by trainings that did not see them, as the trial over folds kept them,
or by a model that learns from none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from suite import paths, strategies
from suite.contracts.results import StudyResults
from suite.contracts.strategy import Predictor, Probabilities, Rows
from suite.data import near, snapshot, soft
from suite.data.audit import normalise
from suite.data.room import Room
from suite.data.soft import Teacher
from suite.data.texts import TextFile, whole
from suite.endpoint import consent
from suite.endpoint.consent import Consent
from suite.errors import StudyError
from suite.study import kept_record, probabilities, storage
from suite.study.winner import Winner, winner
from suite.verdict.standing import standing

#: Texts that are answered at once.
AT_ONCE = 1024


@dataclass(frozen=True)
class Left:
    """Texts that were left out, by why."""

    blank: int = 0
    repeated: int = 0
    known: int = 0
    """They stand in train or validation."""
    test: int = 0
    """They stand in test, or in what is set aside for calibration, or nearly."""
    unanswered: int = 0

    @property
    def all(self) -> int:
        """All of them."""
        return self.blank + self.repeated + self.known + self.test + self.unanswered


@dataclass(frozen=True)
class Written:
    """What there is to learn from now."""

    file: Path
    teacher: Teacher
    left: Left


def distil(
    name: str,
    task: str,
    unlabelled: str | None,
    *,
    arm: str | None = None,
    columns: Sequence[str] = (),
    room: Room | None = None,
    url: str | None = None,
    allowed: Consent | None = None,
    watch: Callable[[int], None] = lambda answered: None,
) -> Written:
    """Asks a study's model about texts and writes its answers down, in place of those before.

    Args:
        name: the study's; `arm` the one that it recommends where None.
        task: that the answers are for.
        unlabelled: a file of texts as `suite predict --file` reads them; `columns` what it calls
            the task's columns of texts. None where only training rows are to teach.
        room: how much of the file may be in memory at once.
        allowed: which servers may be asked.
        watch: told how many texts are answered.

    Raises:
        StudyError: no such study or arm, one of another task, or nothing that could be learned.
        DataError: the file is missing, damaged, or of no known kind.
        StorageError: the answers can't be written.
        EndpointError: the teacher's server can't be asked.
    """
    kept = winner(name, arm, url)
    if kept.definition.task.name != task:
        raise StudyError(
            f"'{name}' is a study of {kept.definition.task.name}, not of {task}",
            fix=f"suite distil {kept.definition.task.name} --teacher {name}",
        )
    folder, refit = _unrefitted(kept, name, url)
    rows = snapshot.read_snapshot(kept.snapshot)
    train = rows.train
    unseen = [rows.test] if rows.calibration is None else [rows.test, rows.calibration]
    texts: Iterable[str] = ()
    if unlabelled is not None:
        texts = TextFile(unlabelled, kept.joining, columns=columns, room=room)
    chosen, left = _chosen(texts, (train, rows.validation), unseen)
    with consent.held(allowed or Consent()):
        predictor = strategies.load_predictor(folder, classes=len(kept.labels))
        begun = time.perf_counter()
        found = _answers(predictor, chosen, watch)
        seconds = time.perf_counter() - begun
        own = _own(kept, name, url, predictor, train)
    answered = np.flatnonzero(found.any(axis=1))
    left = replace(left, unanswered=len(chosen) - len(answered))
    if not len(answered) and own is None:
        raise StudyError(
            f"{kept.arm} of '{name}' answered no text that could teach",
            fix="Give --unlabelled FILE; or, to teach with training rows, a study whose recipe "
            "says `validation: folds`.",
        )
    own_rows, of_rows = own or (None, None)
    asked = getattr(predictor, "endpoint", None)
    teacher = Teacher(
        fingerprint=kept.definition.data.fingerprint,
        study=name,
        arm=kept.arm,
        trial=kept.trial,
        labels=kept.labels,
        train=len(train),
        texts=len(answered),
        own=0 if own_rows is None else len(own_rows),
        refit=refit,
        asked=asked.counts.asked if asked is not None else 0,
        seconds=round(seconds, 3),
        **_measured(kept.results, kept.arm),
    )
    file = paths.soft_labels(task)
    soft.write(file, teacher, [chosen[i] for i in answered], found[answered], own_rows, of_rows)
    return Written(file, teacher, left)


def _unrefitted(kept: Winner, name: str, url: str | None) -> tuple[Path, bool]:
    """The folder of the search's checkpoint, which has not seen validation, where it is here; else
    of the model that is shipped. And whether it has."""
    if not kept.refit:
        return kept.folder, False
    study, _ = storage.load(storage.open_storage(url), name)
    searched = kept_record.of_arm(study.user_attrs, kept.arm)
    if searched is not None and searched.trial == kept.trial:
        place = kept.artifacts.kept_here(kept.arm, searched)
        if place is not None:
            return place, False
    return kept.folder, True


def _chosen(
    texts: Iterable[str], known: Sequence[Rows], unseen: Sequence[Rows]
) -> tuple[list[str], Left]:
    """The texts that may be answered, in their order, and how many may not."""
    seen = {normalise(text) for rows in known for text in rows.texts}
    kept: dict[str, str] = {}
    blank = repeated = stands = 0
    for text in texts:
        text = whole(text)
        form = normalise(text)
        if not text.strip():
            blank += 1
        elif form in seen:
            stands += 1
        elif form in kept:
            repeated += 1
        else:
            kept[form] = text
    forms = list(kept)
    tested = [normalise(text) for rows in unseen for text in rows.texts]
    outright = set(tested)
    nearly = near.held(near.signatures(forms), near.signatures(tested))
    chosen = [
        kept[form]
        for form, close in zip(forms, nearly.tolist(), strict=True)
        if not close and form not in outright
    ]
    return chosen, Left(blank, repeated, stands, len(forms) - len(chosen))


def _answers(
    predictor: Predictor, texts: Sequence[str], watch: Callable[[int], None]
) -> Probabilities:
    """Probabilities float32 [texts, classes]; a row of zeros where there is no answer."""
    found = []
    for start in range(0, len(texts), AT_ONCE):
        found.append(predictor.predict_proba(texts[start : start + AT_ONCE]))
        watch(start + len(found[-1]))
    return np.concatenate(found) if found else np.zeros((0, 0), dtype=np.float32)


def _own(
    kept: Winner, name: str, url: str | None, predictor: Predictor, train: Rows
) -> tuple[Rows, Probabilities] | None:
    """Training rows with what was answered by who had not seen them; None where nobody was that."""
    made = kept.made_by
    # A cascade or an ensemble is no arm of the definition.
    arm = next((one for one in kept.definition.arms if one.name == kept.arm), None)
    frozen = arm and made and not strategies.learns(arm.strategy, arm.model, made.params)
    if frozen:
        found = _answers(predictor, train.texts, lambda answered: None)
    else:
        over = probabilities.of_arm(name, kept.arm, url).unseen
        if over is None or over.which != "train+validation":
            return None
        found = over.probabilities[: len(train)]
    some = np.flatnonzero(found.any(axis=1))
    return (train.take(some), found[some]) if len(some) else None


def _measured(results: StudyResults, arm: str) -> dict[str, Any]:
    """What is known of the teacher's arm."""
    place = standing(results).place(arm)
    rps = place.rps
    return {
        "objective": place.objective.key,
        "score": round(place.score, 6),
        "per_second": rps.offline_per_second if rps and rps.valid else None,
    }
