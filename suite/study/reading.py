"""A study's trials read straight from its tables: what `show`, `list` and `report` need, at once.

Optuna builds an object for every parameter, distribution and attribute of every trial; for 10,000
trials that takes some five seconds, and all of it is thrown away, since a finished trial carries
its result in one attribute of ours. Here only that attribute is read. A test holds this to what
Optuna itself reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy import String, and_, select

from suite.study.internals import (
    STUDIES,
    STUDY_ATTRIBUTES,
    TRIAL_ATTRIBUTES,
    TRIAL_VALUES,
    TRIALS,
    database,
    study_id,
)


@dataclass(frozen=True)
class Row:
    """One trial as stored: Optuna's id, number and state, times in UTC, and an attribute's JSON."""

    trial_id: int
    number: int
    state: str
    started: datetime | None
    ended: datetime | None
    attribute: str | None


@dataclass(frozen=True)
class Summary:
    """Finished trials (complete or pruned), and the best complete one's value, as the study's
    direction has it."""

    finished: int
    best: float | None


def rows(study: optuna.Study, attribute: str) -> list[Row]:
    """Every trial by number, with the JSON of one user attribute (None where it has none).

    All at once: while rows are still to be fetched SQLite's file is locked for reading, and whoever
    goes through them may read it by another connection. Between the two a writer that waits for the
    first keeps the second out, and none of the three goes on.
    """
    query = (
        select(
            TRIALS.c.trial_id,
            TRIALS.c.number,
            sqlalchemy.cast(TRIALS.c.state, String),
            TRIALS.c.datetime_start,
            TRIALS.c.datetime_complete,
            TRIAL_ATTRIBUTES.c.value_json,
        )
        .select_from(
            TRIALS.outerjoin(
                TRIAL_ATTRIBUTES,
                and_(
                    TRIAL_ATTRIBUTES.c.trial_id == TRIALS.c.trial_id,
                    TRIAL_ATTRIBUTES.c.key == attribute,
                ),
            )
        )
        .where(TRIALS.c.study_id == study_id(study))
        .order_by(TRIALS.c.number)
    )
    with database(study).engine.connect() as connection:
        return [
            Row(trial_id, number, state, _utc(started), _utc(ended), value)
            for trial_id, number, state, started, ended, value in connection.execute(query)
        ]


def attributes_of_all(study: optuna.Study, *keys: str) -> dict[int, dict[str, str]]:
    """Some attributes of every study of the storage: the study's key in it -> key -> its JSON."""
    query = select(
        STUDY_ATTRIBUTES.c.study_id, STUDY_ATTRIBUTES.c.key, STUDY_ATTRIBUTES.c.value_json
    ).where(STUDY_ATTRIBUTES.c.key.in_(keys))
    found: dict[int, dict[str, str]] = {}
    with database(study).engine.connect() as connection:
        for number, key, value in connection.execute(query):
            found.setdefault(number, {})[key] = value
    return found


def names_of_all(storage: RDBStorage) -> list[tuple[int, str, bool]]:
    """Of each study its key, its name, and whether that is text.

    A damaged row may hold other than text, and SQLite's any bytes: those that are no UTF-8 stand
    in the name as `\\xe9`, so that it can be shown and typed.
    """
    column: sqlalchemy.ColumnElement[str] = sqlalchemy.cast(STUDIES.c.study_name, String)
    packed = storage.engine.dialect.name == "sqlite"
    if packed:
        column = sqlalchemy.func.hex(sqlalchemy.cast(STUDIES.c.study_name, sqlalchemy.LargeBinary))
    query = select(STUDIES.c.study_id, column).where(STUDIES.c.study_name.is_not(None))
    found = []
    with storage.engine.connect() as connection:
        for key, stored in connection.execute(query):
            name = bytes.fromhex(stored).decode("utf-8", "backslashreplace") if packed else stored
            found.append((key, name, not packed or name.encode().hex() == stored.lower()))
    return found


def summary(study: optuna.Study) -> Summary:
    """Counted by the database."""
    state = sqlalchemy.cast(TRIALS.c.state, String)
    own = TRIALS.c.study_id == study_id(study)
    upward = study.direction != optuna.study.StudyDirection.MINIMIZE
    finished = (
        select(sqlalchemy.func.count())
        .select_from(TRIALS)
        .where(own, state.in_(["COMPLETE", "PRUNED"]))
    )
    best = (
        select((sqlalchemy.func.max if upward else sqlalchemy.func.min)(TRIAL_VALUES.c.value))
        .select_from(TRIAL_VALUES.join(TRIALS, TRIAL_VALUES.c.trial_id == TRIALS.c.trial_id))
        .where(own, state == "COMPLETE")
    )
    with database(study).engine.connect() as connection:
        return Summary(
            int(connection.execute(finished).scalar_one()), connection.execute(best).scalar_one()
        )


def _utc(stored: datetime | None) -> datetime | None:
    """Optuna stores times in UTC and shows them in local time, neither with a zone."""
    return stored and stored.replace(tzinfo=UTC)
