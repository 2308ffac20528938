"""What a study has on disk: a trial's folder while it runs, an arm's best checkpoint for good."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from suite.child.messages import KEPT, LOG, Finished
from suite.contracts.results import Trial
from suite.errors import StorageError, StudyError
from suite.study import kept_record
from suite.study.kept_record import Kept
from suite.study.ledger import Ledger
from suite.verdict import standing


class Keeping:
    """A study's folder on this machine, and which checkpoint each arm keeps."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.folder = ledger.folder

    def kept(self, arm: str) -> Kept | None:
        """The arm's kept checkpoint, or None."""
        return kept_record.of_arm(self._ledger.study.user_attrs, arm)

    def trial_folder(self, number: int) -> Path:
        """Where a trial works while it runs."""
        return self.folder / f"trial-{number}"

    def attached(self, number: int) -> Path:
        """What a strategy attached to a trial: kept as long as the trial's checkpoint is."""
        return self.folder / "attached" / f"trial-{number}"

    def keep(self, arm: str, number: int, found: Trial, outcome: Finished, source: Path) -> None:
        """Moves a checkpoint into the arm's place if it is the arm's best; only one is kept.

        Raises:
            StorageError: the disk refuses.
        """
        place = self.folder / KEPT / arm.replace("/", "--")
        with self._ledger.lock.held():
            before = self.kept(arm)
            if before is not None and not _replaces(found, before):
                return
            _move(source, place)
            if before is not None:
                shutil.rmtree(self.attached(before.trial), ignore_errors=True)
            feasible, macro_f1 = standing.merit(found)
            now = Kept(
                trial=number,
                host=self._ledger.host,
                path=str(place.resolve()),
                macro_f1=macro_f1,
                feasible=feasible,
                serving_shape=outcome.serving_shape,
            )
            kept_record.store(self._ledger.study, arm, now)

    def forget(self, arm: str, number: int) -> None:
        """Removes what a trial left as its arm's best though it never ended: a retry makes it."""
        kept = self.kept(arm)
        if kept is not None and kept.trial == number:
            shutil.rmtree(kept.path, ignore_errors=True)
            kept_record.store(self._ledger.study, arm, None)

    def keep_log(self, number: int, reason: str) -> str:
        """Takes a failed trial's log out of its folder; returns the reason with the new place."""
        log, place = self.trial_folder(number) / LOG, self.folder / "logs" / f"trial-{number}.txt"
        if not log.exists():
            return reason
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, place)
        return reason.replace(str(log), str(place))

    def clear(self, arm: str, number: int) -> None:
        """Removes what an ended trial leaves, but for what is kept."""
        shutil.rmtree(self.trial_folder(number), ignore_errors=True)
        kept = self.kept(arm)
        if kept is None or kept.trial != number:
            shutil.rmtree(self.attached(number), ignore_errors=True)

    def sweep(self) -> None:
        """Removes what dead trials left on disk."""
        if not self.folder.exists():
            return
        running = {trial.number for trial in self._ledger.running()}
        kept = {kept.trial for kept in kept_record.of_arms(self._ledger.study.user_attrs).values()}
        for pattern, needed in (("trial-*", running), ("attached/trial-*", running | kept)):
            for folder in self.folder.glob(pattern):
                number = folder.name.removeprefix("trial-")
                if number.isdigit() and int(number) not in needed:
                    shutil.rmtree(folder, ignore_errors=True)

    def check_disk(self, limit: int | None) -> None:
        """Refuses to go on where the study's files pass a number of bytes.

        Raises:
            StudyError: they do.
        """
        if limit is None or not self.folder.exists():
            return
        used = _bytes(self.folder)
        if used > limit:
            raise StudyError(
                f"{self.folder} holds {used / 1e9:.1f} GB, above --max-disk {limit / 1e9:.1f} GB",
                fix="Give more with --max-disk and `suite study run "
                f"{self._ledger.definition.name}`; everything so far is kept.",
            )


def _bytes(folder: Path) -> int:
    """Bytes of a folder's files; what others remove meanwhile does not count."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _replaces(found: Trial, before: Kept) -> bool:
    """Whether a trial takes the place of what its arm keeps."""
    return standing.merit(found) > (before.feasible, before.macro_f1)


def _move(source: Path, place: Path) -> None:
    """Puts a folder in the place of another, which stands until then."""
    place.parent.mkdir(parents=True, exist_ok=True)
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    try:
        if place.exists():
            place.rename(old)
        source.rename(place)
    except OSError as error:
        raise StorageError(
            f"the checkpoint cannot be kept: {error.strerror}", where=str(place)
        ) from None
    shutil.rmtree(old, ignore_errors=True)
