"""What a study has on disk: a trial's folder while it runs, an arm's best checkpoint for good."""

from __future__ import annotations

import re
import secrets
import shutil
import weakref
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path
from typing import Literal

from suite.child.messages import KEPT, LOG
from suite.contracts.results import Trial
from suite.data.answered import Answered
from suite.errors import StorageError, StudyError
from suite.machine import scratch
from suite.machine.scratch import Scratch
from suite.study import kept_record
from suite.study.artifacts import part, written
from suite.study.kept_record import Kept, Shipped
from suite.study.ledger import Ledger
from suite.verdict import standing

#: A kept checkpoint's folder: the arm's part, the trial's number, the mark.
_PLACE = re.compile(r".+-(\d+)-[0-9a-f]{8}")


class Keeping:
    """A study's folder on this machine, and which checkpoint each arm keeps.

    Args:
        ledger: the study; its folder is its own.
        say: told what was removed of commands that died.

    Raises:
        StorageError: the folder can't be written.
    """

    def __init__(self, ledger: Ledger, say: Callable[[str], None] = lambda text: None) -> None:
        self._ledger = ledger
        self._artifacts = ledger.artifacts
        self._say = say
        #: Bytes that the study's files may still have, where they are limited.
        self._room: int | None = None
        self.folder = self._artifacts.checked(ledger.artifacts.folder)
        with written(self.folder):
            scratch.tell(scratch.sweep(self.folder), str(self.folder), say)
            own = Scratch(self.folder)
        #: Where this command works while it runs; gone with it, or swept by the next.
        self.scratch = own.folder
        self.close = weakref.finalize(self, own.close)

    def kept(self, arm: str) -> Kept | None:
        """The arm's kept checkpoint, or None."""
        return kept_record.of_arm(self._ledger.study.user_attrs, arm)

    def taken(self, arm: str) -> Kept | Shipped | None:
        """What is taken away of an arm: its finals' model, else its kept checkpoint; or None."""
        return kept_record.taken(self._ledger.study.user_attrs, arm)

    def shipped(self, arm: str) -> Shipped | None:
        """The model of the arm's finals, where it is one of what the arm keeps now."""
        return kept_record.shipped(self._ledger.study.user_attrs, arm)

    def ship(self, arm: str, folder: Path, made: Shipped) -> Path:
        """Makes a trained predictor the model of an arm's finals; one before it is removed.

        Args:
            folder: where it lies; it is moved.

        Returns:
            Its place.

        Raises:
            StorageError: the disk refuses.
        """
        place = self._moved(folder, self._artifacts.kept(arm, made), "the model cannot be kept")
        self.unship(arm)
        kept_record.store_shipped(self._ledger.study, arm, made)
        return place

    def unship(self, arm: str) -> None:
        """Removes the model of an arm's finals, and what the arm's trainings answered."""
        key = f"{kept_record.SHIPPED_AT}{arm}"
        before = kept_record.read_shipped(self._ledger.study.user_attrs.get(key))
        if before is not None:
            kept_record.store_shipped(self._ledger.study, arm, None)
            self._artifacts.remove(self._artifacts.kept(arm, before))
        # What the checkpoint of the search answered (below 0) stays: it is not of these trainings.
        for place in (self._artifacts.tested(arm, 0), self._artifacts.calibrated(arm, 0)):
            for file in place.parent.glob(f"{place.name[:-1]}[0-9]*"):
                self._artifacts.checked(file).unlink(missing_ok=True)

    def keep_answers(self, place: Path, file: Path) -> None:
        """Keeps what a model answered, in the place of its like.

        Args:
            place: among the artifacts.
            file: where it lies; it is moved.

        Raises:
            StorageError: the disk refuses.
        """
        self._moved(file, place, "the answers cannot be kept")

    def answered(self, arm: str, kept: Kept, answered: Answered, file: Path) -> None:
        """Keeps what an arm's checkpoint answered to rows that it had not seen, where that was not
        kept when it was trained and the checkpoint still is the arm's.

        Raises:
            StorageError: the disk refuses.
        """
        with self._ledger.lock.held():
            if self.kept(arm) != kept:
                return
            self.keep_answers(self._artifacts.validated(kept.trial), file)
            now = replace(kept, answered=answered)
            kept_record.store(self._ledger.study, arm, now)

    def _moved(self, source: Path, place: Path, failed: str) -> Path:
        """Moves a file or folder among the artifacts; where it lies then."""
        place = self._artifacts.checked(place)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            source.replace(place)
        except OSError as error:
            raise StorageError(f"{failed}: {error.strerror}", where=str(place)) from None
        return place

    def here(self, arm: str, kept: Kept | Shipped) -> Path | None:
        """The folder of a kept model; None where it is not on this machine."""
        return self._artifacts.kept_here(arm, kept)

    def trial_folder(self, number: int) -> Path:
        """Where a trial works while it runs; it outlives a worker that dies, until swept."""
        return self._artifacts.checked(self.folder / f"trial-{number}")

    def bookmark(self, training: int | Literal["finals"]) -> Path:
        """Where a training's bookmark lies, while it may have to be gone on with."""
        return self._artifacts.checked(self._artifacts.bookmark(training))

    def bookmark_room(self, workers: int = 1) -> int | None:
        """Bytes that each worker's bookmark may have, its next one beside it; None where nobody
        limits them. It is told by the last `check_disk`."""
        return None if self._room is None else self._room // (2 * workers)

    def drop_bookmark(self, training: int | Literal["finals"]) -> None:
        """Removes it: the training has ended, or is never gone on with."""
        self._artifacts.remove(self._artifacts.bookmark(training))

    def attached(self, number: int) -> Path:
        """What a strategy attached to a trial: kept as long as the trial's checkpoint is."""
        return self._artifacts.checked(self._artifacts.attached(number))

    def place(
        self,
        arm: str,
        number: int,
        found: Trial,
        serving_shape: str,
        answered: Answered | None = None,
    ) -> Kept | None:
        """Moves a trial's checkpoint to where its arm's best lie, as far as it may become that.

        Until `keep` it is a running trial's, and nobody's best; whenever this is cut short, what
        the arm keeps is there.

        Args:
            serving_shape: of the checkpoint.
            answered: what it answered to rows that it had not seen.

        Returns:
            What `keep` is to be given; None where the arm has a better one.

        Raises:
            StorageError: the disk refuses.
        """
        before = self.kept(arm)
        if before is not None and not _replaces(found, before):
            return None
        assert found.validation is not None  # it was scored, or nothing of it would be kept
        now = Kept(
            trial=number,
            host=self._ledger.host,
            macro_f1=found.validation.macro_f1,
            feasible=found.feasible,
            serving_shape=serving_shape,
            mark=secrets.token_hex(4),
            objective=found.validation.objective,
            answered=answered,
        )
        place = self._artifacts.checked(self._artifacts.kept(arm, now))
        for old in self._of_trial(arm, number):
            self._artifacts.remove(old)  # of another history: this storage was copied, or put back
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            (self.trial_folder(number) / KEPT).rename(place)
        except OSError as error:
            raise StorageError(
                f"the checkpoint cannot be kept: {error.strerror}", where=str(place)
            ) from None
        return now

    def keep(self, arm: str, placed: Kept) -> None:
        """Makes a placed checkpoint the arm's, if it still is the best; only one is kept.

        Needs the lock. What was cut short is done again without harm.
        """
        before = self.kept(arm)
        if before == placed:
            return
        if before is not None and before.merit >= placed.merit:
            self._artifacts.remove(self._artifacts.kept(arm, placed))
            return
        self.unship(arm)
        kept_record.store(self._ledger.study, arm, placed)
        if before is not None:
            self._artifacts.remove(self._artifacts.kept(arm, before))
            self._artifacts.remove(self._artifacts.attached(before.trial))

    def _of_trial(self, arm: str, number: int) -> list[Path]:
        """Folders of what an arm kept of a trial of that number."""
        named = re.compile(rf"{re.escape(part(arm))}-{number}-[0-9a-f]{{8}}")
        return [path for path in self.folder.glob(f"{KEPT}/*") if named.fullmatch(path.name)]

    def forget(self, arm: str, number: int) -> None:
        """Removes what a trial left as its arm's best though it never ended: a retry makes it."""
        kept = self.kept(arm)
        if kept is not None and kept.trial == number:
            self._artifacts.remove(self._artifacts.kept(arm, kept))
            kept_record.store(self._ledger.study, arm, None)

    def keep_log(self, number: int, reason: str) -> str:
        """Takes a failed trial's log out of its folder; returns the reason with the new place."""
        log, place = self.trial_folder(number) / LOG, self._artifacts.log(number)
        if not log.exists():
            return reason
        self._artifacts.checked(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, place)
        return reason.replace(str(log), str(place))

    def clear(self, arm: str, number: int) -> None:
        """Removes what an ended trial leaves, but for what is kept."""
        shutil.rmtree(self.trial_folder(number), ignore_errors=True)
        kept = self.kept(arm)
        if kept is None or kept.trial != number:
            self._artifacts.remove(self._artifacts.attached(number))

    def sweep(self, bookmarked: Container[int]) -> None:
        """Removes what dead trials left on disk, and says how much. Needs the study's lock.

        A checkpoint of a trial that this storage does not know stays: the storage may be an older
        copy that was put back.

        Args:
            bookmarked: trials whose bookmark is still to be gone on from.
        """
        running = {trial.number for trial in self._ledger.running()}
        kept = kept_record.of_arms(self._ledger.study.user_attrs)
        needed = running | {kept.trial for kept in kept.values()}
        known = len(self._ledger.study.get_trials(deepcopy=False))
        places = {
            self._artifacts.kept(arm, of).name
            for arm in kept
            for of in (kept[arm], self.shipped(arm))
            if of is not None
        }
        made = kept_record.combinations(self._ledger.study.user_attrs)
        places |= {self._artifacts.kept(arm, of).name for arm, of in made.items()}
        left = [
            folder
            for folder in (*self.folder.glob("trial-*"), *self.folder.glob("attached/trial-*"))
            if _number(folder) not in needed | {None}
        ]
        for folder in self.folder.glob(f"{KEPT}/*"):
            named = _PLACE.fullmatch(folder.name)
            # A running trial may have placed one that is not kept yet.
            loose = named and int(named[1]) < known and int(named[1]) not in running
            if loose and folder.name not in places:
                left.append(folder)
        for folder in self.folder.glob("bookmarks/trial-*"):
            number = _number(folder)
            if number is not None and number not in bookmarked:
                left.append(folder)
        freed = 0
        for folder in left:
            freed += scratch.size(folder)
            self._artifacts.remove(folder)
        scratch.tell(freed, str(self.folder), self._say)

    def check_disk(self, limit: int | None) -> None:
        """Refuses to go on where the study's files pass a number of bytes.

        All that lies in its folder counts: rows, kept checkpoints, logs, and what running trials
        write.

        Raises:
            StudyError: they do.
        """
        if limit is None or not self.folder.exists():
            return
        used = scratch.size(self.folder)
        self._room = max(0, limit - used)
        if used > limit:
            raise StudyError(
                f"{self.folder} holds {used / 1e9:.1f} GB, above --max-disk {limit / 1e9:.1f} GB",
                fix="Give more with --max-disk and `suite study run "
                f"{self._ledger.definition.name}`; everything so far is kept.",
            )


def _number(folder: Path) -> int | None:
    number = folder.name.removeprefix("trial-")
    return int(number) if number.isdecimal() and number.isascii() else None


def _replaces(found: Trial, before: Kept) -> bool:
    """Whether a trial takes the place of what its arm keeps."""
    return standing.merit(found) > before.merit
