"""How often test splits were opened: each study counts its own, and all of a storage that have the
same test split are looked at together.
"""

from __future__ import annotations

import optuna

from suite.study import reading
from suite.study.attributes import FINGERPRINT, TEST_DIGEST
from suite.study.internals import database, study_id

OPENINGS = "suite:openings"


def of_study(study: optuna.Study) -> int:
    """How often the test split was opened."""
    return int(study.user_attrs.get(OPENINGS, 0))


def count(study: optuna.Study, digest: str) -> None:
    """Counts one more opening. Needs the study's lock.

    Args:
        digest: of the test split that is opened.
    """
    if study.user_attrs.get(TEST_DIGEST) != digest:  # a study from before it was kept
        study.set_user_attr(TEST_DIGEST, digest)
    study.set_user_attr(OPENINGS, of_study(study) + 1)


def of_split(study: optuna.Study) -> dict[str, int]:
    """Study of the storage -> how often it has opened the test split of this one, where it has.

    Each counts its own, under its own lock, and whoever counts looks at the others afterwards: of
    two that open at once, the later one sees both. Studies from before a split's digest was kept
    are known by the fingerprint of all their rows.
    """
    every = reading.attributes_of_all(study, TEST_DIGEST, FINGERPRINT, OPENINGS)
    own = every.get(study_id(study), {})
    digest, rows = own.get(TEST_DIGEST), own.get(FINGERPRINT)
    found = {}
    for key, name, _ in reading.names_of_all(database(study)):
        known = every.get(key, {})
        old = digest is None or known.get(TEST_DIGEST) is None
        same = rows is not None and known.get(FINGERPRINT) == rows
        if key == study_id(study) or (same if old else known[TEST_DIGEST] == digest):
            count = known.get(OPENINGS, "0")
            if count.isdecimal() and int(count):
                found[name] = int(count)
    return found
