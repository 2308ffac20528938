"""What a study has on disk, while others write and remove in the same folder."""

import shutil
import threading

import pytest
from conftest import write_recipe

from suite.errors import StudyError
from suite.study.create import Wanted, create
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger


@pytest.fixture
def keeping(folder, toy_task):
    create(Wanted(task=toy_task, recipe=write_recipe(folder), name="t"))
    return Keeping(Ledger(None, "t"))


def test_the_disk_limit_is_looked_at_while_other_workers_delete(keeping):
    ended = threading.Event()

    def others():
        number = 0
        while not ended.is_set():
            number += 1
            for part in range(5):
                folder = keeping.trial_folder(number) / str(part)
                folder.mkdir(parents=True)
                for name in "abcdefgh":
                    (folder / name).write_bytes(b"x")
            shutil.rmtree(keeping.trial_folder(number))

    workers = [threading.Thread(target=others)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(300):
            keeping.check_disk(10**9)
    finally:
        ended.set()
        for worker in workers:
            worker.join()


def test_the_disk_limit_counts_every_file_once(keeping):
    before = keeping.folder / "kept" / "tfidf--toy"
    before.mkdir(parents=True)
    (before / "weights").write_bytes(b"x" * 200_000)
    (before / "again").symlink_to(before)
    (before / "gone").symlink_to(before / "nothing")
    # A combination's members: the same bytes under another name.
    (before / "member").hardlink_to(before / "weights")
    keeping.check_disk(290_000)
    with pytest.raises(StudyError, match=r"0\.0 GB, above --max-disk") as error:
        keeping.check_disk(199_999)
    assert "suite study run t" in error.value.fix
