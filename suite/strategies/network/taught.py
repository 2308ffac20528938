"""A training whose rows are also a teacher's: texts without labels with the probabilities that it
gave them, and training rows whose target is half their label, half what it said.

Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv:1503.02531), at
temperature 1.
"""

from __future__ import annotations

import numpy as np

from suite import paths
from suite.contracts.strategy import Refused, Rows, Run
from suite.contracts.teaching import NAME, Teaching
from suite.data import soft
from suite.strategies.network.other_rows import OtherRows

#: Part of the label in the target of a training row that the teacher answered.
LABEL_SHARE = 0.5


def taught(run: Run) -> Run:
    """The run with the teacher's rows behind its own, where its trial is to learn from them; else
    the run as it is.

    Raises:
        Refused: what was distilled belongs to other rows.
        DataError: it is missing or damaged.
    """
    if not Teaching.of(run.params).distilled:
        return run
    # A refit or a preflight adds to the fingerprint of the study's rows.
    rows = run.fingerprint.partition("-")[0]
    digest = run.teacher or soft.newest(run.task, rows)
    there = soft.there(run.task.name)
    if digest is None and not there:
        raise Refused(soft.nobody(run.task.name))
    # Where no answers belong to these rows, the message is about the last that were written.
    file = there[0] if digest is None else paths.soft_labels(run.task.name, digest)
    if not file.exists():
        raise Refused(
            f"the teacher's answers that this study began to learn from are not here: {file}; copy "
            "them from where it began"
        )
    found = soft.read(file)
    teacher = found.teacher
    if teacher.fingerprint != rows or teacher.labels != run.task.label_names:
        raise Refused(
            f"the answers of {teacher.arm} in {teacher.study} belong to other rows "
            f"({teacher.fingerprint}, not {rows}): what taught it may stand in test here; name a "
            "study of the same rows: suite distil TASK --teacher STUDY"
        )
    # A preflight trains on its share of these, too, so that it tells what all of them take.
    share = min(1.0, len(run.train) / teacher.train)
    count = round(share * len(found.texts))
    run.note(
        taught={
            "by": teacher.arm,
            "study": teacher.study,
            "texts": count,
            "own": len(found.own),
            "asked": teacher.asked,
            "refit": teacher.refit,
            "objective": teacher.objective,
            "score": teacher.score,
            "per_second": teacher.per_second,
        }
    )
    return OtherRows(run, _rows(run, found, count), "taught", settled={NAME: False})


def _rows(run: Run, found: soft.Taught, count: int) -> Rows:
    classes = len(run.task.labels)
    own = np.eye(classes, dtype=np.float32)[np.asarray(run.train.labels, dtype=np.int64)]
    for place, text in enumerate(run.train.texts):
        said = found.own.get(text)
        if said is not None:
            own[place] = LABEL_SHARE * own[place] + (1 - LABEL_SHARE) * said
    theirs = found.probabilities[:count]
    return Rows(
        (*run.train.texts, *found.texts[:count]),
        (*run.train.labels, *map(int, theirs.argmax(axis=1))),
        soft=np.concatenate([own, theirs]),
    )
