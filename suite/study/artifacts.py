"""Where a study's files lie: a folder named by a random id, beside its storage, with its owner.

    <folder of the SQLite file, else studies/ in the working folder>/artifacts/<id>/
        owner.json      the id, the study's name, the place of the storage that may write here
        data/           the rows, as they were when the study was created
        kept/           the best checkpoint of each arm, and the model of its finals
        attached/       files that go with a kept checkpoint, among them what its trial answered to
                        rows that it had not seen; in finals/, what their models answered to test
                        and to calibration
        bookmarks/      of trainings that were broken off, or run: where they go on from
        logs/           what failed trials said
        bench/          the trained models' own answers, and logs of engines that failed
        .suite-work-…   what a running command needs for as long as it runs

A database travels, and what stands in it may be anybody's: no path in it is followed. The folder
is computed from the id alone, its parts from an arm's name and a trial's number, and whatever is
written or removed is checked once more after links are resolved. A copied database has the same
id, so the folder also says whose it is. Where id and owner agree, the study reads, writes and
removes; where only the id does, it reads; `suite study adopt` makes it the owner.
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

import optuna
from sqlalchemy.engine import URL

from suite import shell
from suite.child.messages import ANSWERED, KEPT
from suite.contracts.task import NAME
from suite.data.snapshot import stands
from suite.errors import StorageError, StudyError
from suite.machine import scratch
from suite.study import database, owner, readable
from suite.study.database import Database
from suite.study.kept_record import Kept, Shipped
from suite.study.lock import StudyLock
from suite.study.owner import Owner

#: A study's id, as an attribute of its own.
ID = "suite:artifacts"

#: The rows' snapshot in a study's folder.
DATA = "data"

_ID = re.compile(r"[0-9a-f]{32}")
#: What an arm's name may be as part of a path, as it stands.
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,150}")


class Standing(Enum):
    """What a study may do with its folder."""

    OWNER = "reads, writes, removes"
    READER = "reads: another storage owns the folder"
    ABSENT = "there is no folder yet"
    UNKNOWN = "neither: the folder does not say whose it is, or is a link"
    BEFORE = "reads, and takes it over when it writes: from before there were ids"


@dataclass(frozen=True)
class Artifacts:
    """A study's files.

    Args:
        root: the folder of all studies of the storage, links resolved.
        folder: the study's own in it.
        study: its name.
        id: its id; None where it has none yet.
        owner: what its folder names.
    """

    root: Path
    folder: Path
    study: str
    id: str | None
    standing: Standing
    owner: Owner | None = None

    @property
    def readable(self) -> bool:
        """Whether what lies there is the study's."""
        return self.standing in (Standing.OWNER, Standing.READER, Standing.BEFORE)

    @property
    def whose(self) -> str:
        """Whose the files are, where they are not this storage's."""
        if self.standing is Standing.BEFORE:
            return "from before studies had ids, and may be another storage's"
        if self.owner is None:
            return "nobody's that their folder names"
        return f"those of '{self.owner.study}' in the storage {self.owner.where}"

    @property
    def data(self) -> Path:
        """The rows' snapshot."""
        return self.folder / DATA

    def rows(self) -> Path:
        """The rows' snapshot, to be read.

        Raises:
            StudyError: no folder of the study's is here.
        """
        if not self.readable:
            again = shell.command("study", "run", self.study, "--data", "DIR")
            raise StudyError(
                f"the rows of '{self.study}' are not here",
                where=str(self.folder),
                fix=f"`{again}` puts them there.",
            )
        return self.data

    @property
    def bench(self) -> Path:
        """What `suite bench` keeps."""
        return self.folder / "bench"

    def log(self, number: int) -> Path:
        """The log of a trial that failed."""
        return self.folder / "logs" / f"trial-{number}.txt"

    def bookmark(self, training: int | Literal["finals"]) -> Path:
        """Where the bookmark of a trial's training lies, or of one of finals, of which one runs at
        a time."""
        name = training if training == "finals" else f"trial-{training}"
        return self.folder / "bookmarks" / name

    def attached(self, number: int) -> Path:
        """What a strategy attached to a trial: kept as long as the trial's checkpoint is."""
        return self.folder / "attached" / f"trial-{number}"

    def validated(self, number: int) -> Path:
        """What a trial answered to rows that it had not seen."""
        return self.attached(number) / ANSWERED

    def tested(self, arm: str, index: int) -> Path:
        """What a model of an arm's finals answered to test, by the index of its training."""
        return self._of_finals(arm) / str(index)

    def calibrated(self, arm: str, index: int) -> Path:
        """What such a model answered to the rows that were set aside for calibration."""
        return self._of_finals(arm) / f"calibration{index}"

    def _of_finals(self, arm: str) -> Path:
        return self.folder / "attached" / "finals" / part(arm)

    def kept(self, arm: str, kept: Kept | Shipped) -> Path:
        """The place of a kept model, whether it is there or not."""
        return self.folder / KEPT / "-".join(filter(None, (part(arm), kept.place)))

    def kept_here(self, arm: str, kept: Kept | Shipped) -> Path | None:
        """The folder of a kept model; None where it is not on this machine."""
        place = self.kept(arm, kept)
        return place if self.readable and place.is_dir() and self._within(place) else None

    def checked(self, path: Path) -> Path:
        """A path that may be written to or removed.

        Raises:
            StorageError: the study does not own its folder, or a link leads out of it.
        """
        if self.standing is not Standing.OWNER or not self._within(path):
            raise StorageError(
                "this is not the study's to change: a link leads out of its folder",
                where=str(path),
                fix=f"Put a folder in the link's place; the study's own is {self.folder}.",
            )
        return path

    def remove(self, path: Path) -> None:
        """Removes a folder of the study's, where it is there.

        Raises:
            StorageError: as `checked`.
        """
        if path.is_symlink():  # Only the link is the study's.
            self.checked(path.parent)
            path.unlink(missing_ok=True)
        elif path.exists():
            shutil.rmtree(self.checked(path), ignore_errors=True)

    def follows(self, path: Path) -> bool:
        """Whether a path that the rows name is the user's own, and may be read.

        It is where the study was created here, or where it stays in the working folder.
        """
        if self.standing is Standing.OWNER and self.owner is not None and self.owner.made_here:
            return True
        return path.resolve().is_relative_to(Path.cwd().resolve())

    def _within(self, path: Path) -> bool:
        """Whether a path lies in the study's own folder once links are resolved."""
        return path.resolve().is_relative_to(self.folder)


def part(arm: str) -> str:
    """An arm's name as one part of a path, whatever it holds.

    >>> part("tfidf/classic"), part("../../victim")
    ('tfidf--classic', 'arm-a4f7461a4a2e9c3b')
    """
    plain = arm.replace("/", "--")
    if _PART.fullmatch(plain):
        return plain
    return f"arm-{hashlib.sha256(arm.encode('utf-8', 'replace')).hexdigest()[:16]}"


def new_id() -> str:
    """An id that no other study has."""
    return secrets.token_hex(16)


def find(study: optuna.Study, fingerprint: str | None) -> Artifacts:
    """A study's files, and what it may do with them. Nothing is written.

    Args:
        fingerprint: of the study's rows; a folder from before there were ids is its own where it
            holds these. None where it can't be told.
    """
    url, name = database.of(study).place, study.study_name
    root = _root(url)
    given = readable.attribute(study, ID)
    known = given if isinstance(given, str) and _ID.fullmatch(given) else None
    folder = root / (known or "-")
    if known is not None and (folder.exists() or folder.is_symlink()):
        named = None if folder.is_symlink() else owner.read(folder)
        standing = Standing.UNKNOWN
        if named is not None and named.id == known:
            own = (named.study, named.storage) == (name, owner.place(url, folder))
            standing = Standing.OWNER if own else Standing.READER
        return Artifacts(root, folder, name, known, standing, named)
    before = _before(name)
    if before is not None and (given is None or known is not None):
        named = owner.read(before)
        if named is not None:  # Claimed for a study; the move was cut short.
            place = owner.place(url, root / named.id)
            own = (named.study, named.storage) == (name, place) and known in (None, named.id)
        else:
            unclaimed = known is None and not (before / owner.FILE).is_symlink()
            own = unclaimed and fingerprint is not None and stands(before / DATA, fingerprint)
        if own:
            return Artifacts(root, before, name, known, Standing.BEFORE, named)
    return Artifacts(root, folder, name, known, Standing.ABSENT)


def claim(
    study: optuna.Study,
    fingerprint: str,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> Artifacts:
    """A study's files, to be written to; its folder is made where there is none.

    Args:
        fingerprint: of the study's rows.
        say: told where a folder is begun or taken over.

    Raises:
        StudyError: another storage owns the folder, or nobody knows who does.
        StorageError: it can't be written.
    """
    found = find(study, fingerprint)
    if found.standing is Standing.OWNER:
        return found
    with StudyLock(database.of(study), study.study_name).held():
        found = find(study, fingerprint)
        if found.standing in (Standing.READER, Standing.UNKNOWN):
            raise _refused(study, found)
        if found.standing is not Standing.OWNER:
            _make(study, found, say)
    return find(study, fingerprint)


def adopt(
    study: optuna.Study, fingerprint: str, *, say: Callable[[str], None] = lambda text: None
) -> Artifacts:
    """Makes this storage the owner of the study's folder; the one before then only reads.

    Raises:
        StudyError: there is no folder, or a command runs in it.
        StorageError: it can't be written.
    """
    found = find(study, fingerprint)
    if found.standing is Standing.ABSENT:
        raise StudyError(
            f"there is nothing of '{study.study_name}' to take over: {found.folder} does not exist",
            fix="Copy the study's folder there, or go on with "
            f"`{_command('run', study)}`, which begins one.",
        )
    if found.standing in (Standing.OWNER, Standing.BEFORE):
        return claim(study, fingerprint, say=say)
    if found.folder.is_symlink() or not found.folder.is_dir():
        raise _refused(study, found)
    if scratch.in_use(found.folder):
        raise StudyError(
            f"a command works in the files of '{study.study_name}' now",
            where=str(found.folder),
            fix="Let it end, or end it, and adopt them then.",
        )
    assert found.id is not None
    with written(found.folder), scratch.folder(found.folder) as aside:
        owner.write(found.folder, _owner(study, found.root, found.id), aside)
    return find(study, fingerprint)


def tidy(storage: str | None, say: Callable[[str], None]) -> None:
    """Removes what dead commands left among the files that a storage owns, and says how much.

    Args:
        storage: an address that could be opened; None for the default.
    """
    url = database.locate(storage)
    root = _root(url)
    freed = scratch.sweep(root)
    for folder in root.iterdir() if root.is_dir() else ():
        if _ID.fullmatch(folder.name) and not folder.is_symlink():
            named = owner.read(folder)
            if named is not None and named.storage == owner.place(url, folder):
                freed += scratch.sweep(folder)
    scratch.tell(freed, str(root), say)


@contextmanager
def begun(storage: Database, name: str) -> Iterator[tuple[str, Path]]:
    """Within: a new study's id, and its folder in the making; it takes its place where all went
    well, and is gone where not.

    Raises:
        StorageError: it can't be written.
    """
    url, id = storage.place, new_id()
    root = _root(url)
    made = Owner(id, name, owner.place(url, root / id), made_here=True)
    with written(root), scratch.folder(root) as aside:
        draft = aside / id
        draft.mkdir()
        owner.write(draft, made, aside)
        yield id, draft
        draft.rename(root / id)


@contextmanager
def removed(storage: Database, found: Artifacts) -> Iterator[bool]:
    """Within: what removes the study from its storage; its files go with it where it owns them,
    and stay where that fails. Yields whether they go."""
    default, url = database.locate(None), storage.place
    # Of databases from before there were ids nobody knows which one a folder belongs to: it goes
    # with the one that such studies stood in by default.
    own = found.standing is Standing.OWNER or (
        found.standing is Standing.BEFORE
        and owner.place(default, found.root) == owner.place(url, found.root)
    )
    if not own:
        yield False
        return
    with written(found.folder), scratch.folder(found.root) as aside:
        found.folder.rename(aside / "study")
        try:
            yield True
        except BaseException:
            (aside / "study").rename(found.folder)
            raise


def _root(url: URL) -> Path:
    """The folder of all artifacts of a storage, links resolved."""
    if url.get_backend_name() == "sqlite":
        home = Path(url.database or "").resolve().parent
    else:
        home = Path.cwd() / "studies"
    return (home / "artifacts").resolve()


def _before(name: str) -> Path | None:
    """The folder that a study of that name had before there were ids, if it is there."""
    folder = (Path.cwd() / "studies" / "artifacts").resolve() / name
    if not NAME.fullmatch(name) or folder.is_symlink() or not folder.is_dir():
        return None
    return folder


def _make(study: optuna.Study, found: Artifacts, say: Callable[[str], None]) -> None:
    """Gives a study its folder: the one from before, else a new one. Needs the study's lock."""
    id = found.id or (found.owner.id if found.owner else new_id())
    folder = found.root / id
    made = _owner(study, found.root, id)
    with written(folder), scratch.folder(found.root) as aside:
        if found.standing is Standing.BEFORE:
            # In this order: cut short anywhere, the next claim goes on.
            owner.write(found.folder, made, aside)
            study.set_user_attr(ID, id)
            _move(found.folder, folder, aside / id)
            say(f"The files of '{found.study}' lie in {folder} from now on.")
        else:
            (aside / id).mkdir()
            owner.write(aside / id, made, aside)
            study.set_user_attr(ID, id)
            say(
                f"No files of '{found.study}' are here: its folder begins anew in {folder}. Its "
                "trials stay; checkpoints that were kept elsewhere are not in it."
            )
            (aside / id).rename(folder)


def _move(source: Path, place: Path, aside: Path) -> None:
    """Moves a folder into place, by way of `aside` where that is another disk."""
    try:
        source.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copytree(source, aside, symlinks=True)
        aside.rename(place)
        shutil.rmtree(source, ignore_errors=True)


def _owner(study: optuna.Study, root: Path, id: str) -> Owner:
    url = database.of(study).place
    return Owner(id, study.study_name, owner.place(url, root / id))


def _refused(study: optuna.Study, found: Artifacts) -> StudyError:
    name = found.study
    if found.folder.is_symlink() or not found.folder.is_dir():
        return StudyError(
            f"the files of '{name}' can't be used: a folder is expected there, and no link",
            where=str(found.folder),
            fix="Put the folder itself there; all artifacts may be linked to another disk, "
            "one study's not.",
        )
    may = "may read them, not write" if found.readable else "may not use them"
    return StudyError(
        f"the files of '{name}' are {found.whose}; this storage {may}",
        where=str(found.folder),
        fix=f"`{_command('adopt', study)}` makes this storage their owner, and the other "
        "a reader. Or go on with the study there; or import it under another name, to begin with "
        "a folder of its own: `suite study import-db FILE --name NAME`.",
    )


def _command(what: str, study: optuna.Study) -> str:
    """A command about the study, with its storage where that is not the default."""
    url = database.of(study).place
    default = url == database.locate(None)
    storage = None if default else url.render_as_string(hide_password=False)
    return shell.command("study", what, study.study_name, storage=storage)


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Within: a disk that refuses is one error that says where."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"the study's folder cannot be written: {error.strerror or error}",
            where=str(folder),
            fix="Free some space, or work in a folder of your own.",
        ) from None
