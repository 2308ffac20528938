"""`suite study delete`, `export-db`, `import-db`, `adopt`: where a study lies, and whose it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suite import shell
from suite.cli.console import next_step, say, tell, visible
from suite.cli.options import Name, Storage
from suite.errors import StorageError, StudyError, counted

if TYPE_CHECKING:
    from suite.study.database import Database


def delete(
    name: Name,
    storage: Storage = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete a study, its trials and its files; its further splits and its curve with theirs.

    Examples:

        suite study delete agnews

        suite study delete agnews --yes
    """
    from suite.study import listing
    from suite.study import storage as storages

    opened = storages.open_storage(storage)
    tidy(storage)
    what = f"'{name}' with its {counted(storages.trials(opened, name), 'trial')}"
    parts = listing.made_of(opened, name)
    if parts:
        trials = sum(storages.trials(opened, part) for part in parts)
        what += f", and {', '.join(parts)} with {counted(trials, 'trial')}"
    if not yes:
        if not sys.stdin.isatty():
            raise StudyError(f"deleting {what} needs --yes here")
        typer.confirm(visible(f"Delete {what} and kept checkpoints?"), abort=True)
    # The study itself last: until then the same command goes on.
    for one in (*parts, name):
        _delete(opened, one)
    next_step("suite study list")


def _delete(opened: Database, name: str) -> None:
    """Deletes one study with its files, and says so."""
    from suite.study import artifacts
    from suite.study import storage as storages

    files = storages.files(opened, name)
    if files is None:
        storages.delete(opened, name)
        tell(f"Deleted '{name}'.")
        say("Its files, if it has any, stay: they could not be told.")
        return
    with artifacts.removed(opened, files) as gone:
        storages.delete(opened, name)
    tell(f"Deleted '{name}'.")
    if not gone and files.readable:
        say(f"Its files stay, for they are {files.whose}: {files.folder}")


def export_db(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The SQLite file to write.")],
    storage: Storage = None,
) -> None:
    """Copy a study with all its trials into a SQLite file of its own.

    Examples:

        suite study export-db agnews agnews.db

        suite study export-db agnews /backup/agnews.db --storage sqlite:///studies/suite.db
    """
    from suite.study import copying
    from suite.study import storage as storages

    copying.export(storages.open_storage(storage), name, file)
    tell(f"Wrote '{name}' to {file}")
    next_step(f"{shell.command('study', 'import-db', file)}, where it is wanted")


def import_db(
    file: Annotated[Path, typer.Argument(help="A SQLite file that `export-db` wrote.")],
    name: Annotated[
        str | None,
        typer.Option(help="What to call the study here, with files of its own; for one study."),
    ] = None,
    storage: Storage = None,
) -> None:
    """Copy the studies of a SQLite file into the storage.

    Examples:

        suite study import-db agnews.db

        suite study import-db agnews.db --name agnews-theirs

        suite study import-db agnews.db --storage sqlite:///other.db
    """
    from suite.study import copying
    from suite.study import storage as storages

    if not file.exists():
        raise StorageError(f"no file {file}")
    source = storages.open_storage(file)
    names = storages.names(source)
    if not names:
        raise StorageError(f"{file} holds no study of the suite")
    if name is not None and len(names) > 1:
        raise StudyError(
            f"--name is for one study, and {file} holds {len(names)}",
            fix="Import them without it, or each from a file of its own (`export-db`).",
        )
    wanted = {old: name or old for old in names}
    for old, new in wanted.items():
        stated = new if name else storages.stated_name(storages.find(source, old))
        storages.check_name(new, stated)
    copying.copy(source, storages.open_storage(storage, create=True), wanted)
    for new in wanted.values():
        tell(f"Imported '{new}'")
    next_step(shell.command("study", "show", wanted[names[0]], storage=storage))


def adopt(name: Name, storage: Storage = None) -> None:
    """Make this storage the owner of a study's files.

    A study's files (rows, kept checkpoints, logs) lie in a folder beside its storage. One storage
    owns them; a copy of it, or the same after it was renamed, only reads them until it adopts
    them. The owner before then only reads.

    Examples:

        suite study adopt agnews

        suite study adopt agnews --storage sqlite:///studies/backup.db
    """
    from suite.study import artifacts
    from suite.study import storage as storages

    study, definition = storages.load(storages.open_storage(storage), name)
    before = artifacts.find(study, definition.data.fingerprint)
    if before.standing is artifacts.Standing.OWNER:
        say(f"'{name}' owned its files already: {before.folder}")
    else:
        now = artifacts.adopt(study, definition.data.fingerprint, say=say)
        tell(f"'{name}' owns its files now: {now.folder}")
    next_step(shell.command("study", "run", name, storage=storage))


def tidy(storage: str | None) -> None:
    """Removes what commands that died left beside a storage, and says how much."""
    from suite.study import artifacts

    artifacts.tidy(storage, say)
