"""A study's trials read straight from its tables: what `show`, `list` and `report` need, at once.

Optuna builds an object for every parameter, distribution and attribute of every trial; for 10,000
trials that takes some five seconds, and all of it is thrown away, since a finished trial carries
its result in one attribute of ours. Here only that attribute is read. A test holds this to what
Optuna itself reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy import DateTime, Integer, String, and_, column, select, table

_TRIALS = table(
    "trials",
    column("trial_id", Integer),
    column("study_id", Integer),
    column("number", Integer),
    column("state", String),
    column("datetime_start", DateTime),
    column("datetime_complete", DateTime),
)
_ATTRIBUTES = table(
    "trial_user_attributes",
    column("trial_id", Integer),
    column("key", String),
    column("value_json", String),
)
_VALUES = table("trial_values", column("trial_id", Integer), column("value", sqlalchemy.Float))


@dataclass(frozen=True)
class Row:
    """One trial as stored: Optuna's id, number and state, local times, and an attribute's JSON."""

    trial_id: int
    number: int
    state: str
    started: datetime | None
    ended: datetime | None
    attribute: str | None


@dataclass(frozen=True)
class Summary:
    """Finished trials (complete or pruned), and the best complete one's value."""

    finished: int
    best: float | None


def backend(study: optuna.Study) -> RDBStorage:
    """The database behind a study, which keeps a cache in front of it."""
    storage = study._storage
    found = getattr(storage, "_backend", storage)
    assert isinstance(found, RDBStorage)  # `open_storage` opens nothing else
    return found


def rows(study: optuna.Study, attribute: str) -> Iterator[Row]:
    """Every trial by number, with the JSON of one user attribute (None where it has none)."""
    query = (
        select(
            _TRIALS.c.trial_id,
            _TRIALS.c.number,
            sqlalchemy.cast(_TRIALS.c.state, String),
            _TRIALS.c.datetime_start,
            _TRIALS.c.datetime_complete,
            _ATTRIBUTES.c.value_json,
        )
        .select_from(
            _TRIALS.outerjoin(
                _ATTRIBUTES,
                and_(_ATTRIBUTES.c.trial_id == _TRIALS.c.trial_id, _ATTRIBUTES.c.key == attribute),
            )
        )
        .where(_TRIALS.c.study_id == study._study_id)
        .order_by(_TRIALS.c.number)
    )
    with backend(study).engine.connect() as connection:
        for trial_id, number, state, started, ended, value in connection.execute(query):
            yield Row(trial_id, number, state, _local(started), _local(ended), value)


def summary(study: optuna.Study) -> Summary:
    """Counted by the database."""
    state = sqlalchemy.cast(_TRIALS.c.state, String)
    own = _TRIALS.c.study_id == study._study_id
    finished = (
        select(sqlalchemy.func.count())
        .select_from(_TRIALS)
        .where(own, state.in_(["COMPLETE", "PRUNED"]))
    )
    best = (
        select(sqlalchemy.func.max(_VALUES.c.value))
        .select_from(_VALUES.join(_TRIALS, _VALUES.c.trial_id == _TRIALS.c.trial_id))
        .where(own, state == "COMPLETE")
    )
    with backend(study).engine.connect() as connection:
        return Summary(
            int(connection.execute(finished).scalar_one()), connection.execute(best).scalar_one()
        )


def _local(stored: datetime | None) -> datetime | None:
    """Optuna stores times in UTC and shows them in local time, neither with a zone."""
    return stored and stored.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
