"""A study's model as a teacher: what it answers to texts without labels, and to its own training
rows, written down for arms that learn from it (`+distilled`).

Which texts it may answer is decided here: none that stands in test, nor nearly, so that whoever
learns from the answers has not met test; none of the study's other rows, whose labels are known.
Training rows are answered by trainings that did not see them, as the trial over folds kept them,
or by a model that learns from none; else by nobody: a model would only repeat what it has learnt.
All answers are at the temperature that the arm answers users at. They are written down as they
come: a run that is cut short goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from suite import paths, strategies
from suite.contracts.results import StudyResults
from suite.contracts.strategy import Predictor, Probabilities, Rows
from suite.contracts.temperature import tempered
from suite.data import named, near, snapshot, soft, soft_begun
from suite.data.audit import normalise
from suite.data.room import Room
from suite.data.soft import Teacher
from suite.data.soft_begun import Begun
from suite.data.texts import TextFile, whole
from suite.endpoint import consent
from suite.endpoint.consent import Consent
from suite.errors import StudyError, counted
from suite.strategies.calibrated import temperature_of
from suite.strategies.mark import MARK
from suite.study import kept_record, probabilities, storage
from suite.study.definition import Definition
from suite.study.probabilities import ArmAnswers
from suite.study.winner import Winner, winner
from suite.verdict.standing import standing

#: Texts that are answered at once: of a slow model, what is lost where it is cut short.
AT_ONCE = 256


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
    labelled: int = 0
    """They, or what they repeat, have a label in their own file."""

    @property
    def all(self) -> int:
        """All of them."""
        return sum(count for count, _ in self.reasons)

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """How many were left out for which reason, of those that there are."""
        found = (
            (self.test, "left out for standing in test or calibration, or nearly"),
            (self.known, "left out for standing in train or validation"),
            (self.labelled, "left out for having a label in the file"),
            (self.repeated, "left out for repeating others"),
            (self.blank, "left out for being empty"),
            (self.unanswered, "left out for want of an answer"),
        )
        return [(count, why) for count, why in found if count]

    @property
    def told(self) -> list[str]:
        """The same in words."""
        return [f"{counted(count, 'text')} {why}" for count, why in self.reasons]


@dataclass(frozen=True)
class Written:
    """What there is to learn from now.

    Args:
        learnt: whether the teacher has learnt the training rows, so that it answers none of them.
        same: options of `suite study create` that take the same rows.
    """

    file: Path
    teacher: Teacher
    left: Left
    learnt: bool
    same: Sequence[str]


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
    """Asks a study's model about texts and writes its answers down: studies that begin to learn
    from a teacher after that learn from these.

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
        StorageError: the answers can't be written, or the same teacher is asked by another run.
        EndpointError: the teacher's server can't be asked; what it answered is kept.
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
    chosen, left = answerable(texts, (train, rows.validation), unseen)
    before = probabilities.of_arm(name, kept.arm, url)
    temperature = before.unseen.temperature if before.unseen else temperature_of(folder)
    file = paths.soft_begun(task, _which(kept, name, folder, temperature))
    with (
        consent.held(allowed or Consent()),
        soft_begun.going_on(file, len(kept.labels)) as begun,
    ):
        predictor = strategies.load_uncalibrated(folder, classes=len(kept.labels))

        def asked(texts: Sequence[str], watch: Callable[[int], None]) -> Probabilities:
            return answers_kept(predictor, texts, temperature, begun, watch)

        found = asked(chosen, watch)
        seconds = begun.seconds
        own = _own(kept, before, asked, train)
        answered = np.flatnonzero(found.any(axis=1))
        left = replace(left, unanswered=len(chosen) - len(answered))
        if not len(answered) and own is None:
            raise _teaches_nothing(kept, name, unlabelled)
        own_rows, of_rows = (own.rows, own.probabilities) if own else (None, None)
        teacher = Teacher(
            fingerprint=kept.definition.data.fingerprint,
            study=name,
            arm=kept.arm,
            trial=kept.trial,
            labels=kept.labels,
            train=len(train),
            texts=len(answered),
            own=0 if own_rows is None else len(own_rows),
            refit=refit or (own is not None and own.over_folds),
            asked=begun.asked,
            seconds=round(seconds, 3),
            **_measured(kept.results, kept.arm),
        )
        texts_of = [chosen[i] for i in answered]
        written = soft.write(task, teacher, texts_of, found[answered], own_rows, of_rows)
        begun.done()
    return Written(written, teacher, left, own is None, _same(kept.definition))


def _which(kept: Winner, name: str, folder: Path, temperature: float | None) -> str:
    """What tells one teacher from every other one: also from the same arm, trained anew."""
    mark = folder / MARK
    told = [
        kept.definition.data.fingerprint,
        name,
        kept.arm,
        kept.trial,
        kept.labels,
        temperature,
        mark.read_text(encoding="utf-8"),
        mark.stat().st_mtime_ns,
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _teaches_nothing(kept: Winner, name: str, unlabelled: str | None) -> StudyError:
    if unlabelled is not None:
        return StudyError(
            f"{kept.arm} of '{name}' answered no text that could teach",
            where=unlabelled,
            fix="Name a file of texts that stand in none of the study's rows.",
        )
    return StudyError(
        f"{kept.arm} of '{name}' has learnt its training rows: what it says of them would only "
        "repeat their labels",
        fix="Give --unlabelled FILE; or, to teach with training rows, a study whose recipe says "
        "`validation: folds`.",
    )


def _same(made: Definition) -> list[str]:
    """Options of `suite study create` that take a study's rows."""
    words: list[str] = []
    if made.data.rows.calibration and made.recipe_named is not None:
        words += ["--recipe", made.recipe_named]  # It sets the same rows aside.
    return words + named.options(
        folder=made.data_dir, use_sample=made.sample, train_rows=made.train_rows
    )


def _asked(predictor: Any) -> int:
    """Calls to servers, of a combination those of its members."""
    members = getattr(predictor, "members", None) or [predictor]
    servers = [getattr(one, "endpoint", None) for one in members]
    return sum(int(one.counts.asked) for one in servers if one is not None)


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


def answerable(
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


def answers(
    predictor: Predictor, texts: Sequence[str], watch: Callable[[int], None]
) -> Probabilities:
    """Probabilities float32 [texts, classes]; a row of zeros where there is no answer."""
    found = []
    for start in range(0, len(texts), AT_ONCE):
        found.append(predictor.predict_proba(texts[start : start + AT_ONCE]))
        watch(start + len(found[-1]))
    return np.concatenate(found) if found else np.zeros((0, 0), dtype=np.float32)


def answers_kept(
    predictor: Predictor,
    texts: Sequence[str],
    temperature: float | None,
    begun: Begun,
    watch: Callable[[int], None],
) -> Probabilities:
    """What a teacher answers at a temperature, float32 [texts, classes]; a row of zeros where there
    is no answer. It is asked about what `begun` has no answer to, which has them all then."""
    left = begun.lacking(texts)
    before = len(texts) - len(left)
    for start in range(0, len(left), AT_ONCE):
        some = left[start : start + AT_ONCE]
        calls, since = _asked(predictor), time.perf_counter()
        found = tempered(predictor.predict_proba(some), temperature)
        seconds = round(time.perf_counter() - since, 3)
        begun.add(some, found, seconds=seconds, asked=_asked(predictor) - calls)
        watch(before + start + len(some))
    return begun.of(texts)


@dataclass(frozen=True)
class _Own:
    """Training rows with what was answered by who had not seen them.

    `over_folds` is whether trainings over folds answered: these have seen validation.
    """

    rows: Rows
    probabilities: Probabilities
    over_folds: bool


def _own(
    kept: Winner,
    before: ArmAnswers,
    asked: Callable[[Sequence[str], Callable[[int], None]], Probabilities],
    train: Rows,
) -> _Own | None:
    """Training rows that may teach; None where nobody had not seen them.

    Args:
        before: what the arm's best trial answered to rows that it had not seen.
        asked: answers texts.
    """
    made = kept.made_by
    # A cascade or an ensemble is no arm of the definition.
    arm = next((one for one in kept.definition.arms if one.name == kept.arm), None)
    frozen = arm and made and not strategies.learns(arm.strategy, arm.model, made.params)
    if frozen:
        found = asked(train.texts, lambda answered: None)
    elif before.unseen is not None and before.unseen.which == "train+validation":
        found = before.unseen.calibrated[: len(train)]
    else:
        return None
    some = np.flatnonzero(found.any(axis=1))
    return _Own(train.take(some), found[some], not frozen) if len(some) else None


def _measured(results: StudyResults, arm: str) -> dict[str, Any]:
    """What is known of the teacher's arm."""
    place = standing(results).place(arm)
    rps = place.rps
    return {
        "objective": place.objective.key,
        "score": round(place.score, 6),
        "per_second": rps.offline_per_second if rps and rps.valid else None,
    }
