"""What the suite uses of Optuna that Optuna does not promise: all of it, and why.

The rest of the study room uses what is public. tests/test_internals.py holds every piece to the
Optuna that is installed, and sees that no other file reaches inside; a new minor version is let
in, here and in pyproject.toml, once that test passes with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pydantic_core
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.exceptions import DuplicatedStudyError
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, DateTime, Float, Integer, String, Table, column, select, table

#: The versions whose internals these are.
OPTUNA = ">=5.0,<5.1"

#: Tables of Optuna's database, with the columns that are read. Its own reading builds an object
#: for every parameter and attribute of every trial, which takes seconds.
TRIALS = table(
    "trials",
    column("trial_id", Integer),
    column("study_id", Integer),
    column("number", Integer),
    column("state", String),
    column("datetime_start", DateTime),
    column("datetime_complete", DateTime),
)
TRIAL_ATTRIBUTES = table(
    "trial_user_attributes",
    column("trial_id", Integer),
    column("key", String),
    column("value_json", String),
)
TRIAL_VALUES = table("trial_values", column("trial_id", Integer), column("value", Float))
STUDIES = table("studies", column("study_id", Integer), column("study_name", String))
STUDY_ATTRIBUTES = table(
    "study_user_attributes",
    column("study_id", Integer),
    column("key", String),
    column("value_json", String),
)

#: Where alembic writes down the version of the tables.
ALEMBIC = table("alembic_version", column("version_num", String))

#: Every table of Optuna's by its name, those before on which they stand.
TABLES: dict[str, Table] = {found.name: found for found in models.BaseModel.metadata.sorted_tables}

#: The system attribute that names an objective.
_METRIC_NAMES = "study:metric_names"


@cache
def versions() -> list[str]:
    """The versions of Optuna's tables that the installed one knows, its own first."""
    return [known.revision for known in _script().walk_revisions()]


def _script() -> ScriptDirectory:
    return ScriptDirectory(str(Path(models.__file__).parent / "alembic"))


def make_tables(connection: Connection) -> None:
    """Makes Optuna's tables as its storage does, within the connection's transaction.

    Its own way is many transactions, in which others see half of the tables.
    """
    models.BaseModel.metadata.create_all(connection)
    information = {
        "version_info_id": 1,
        "schema_version": models.SCHEMA_VERSION,
        "library_version": optuna.__version__,
    }
    connection.execute(TABLES["version_info"].insert().values(information))
    MigrationContext.configure(connection).stamp(_script(), versions()[0])


def create_study(
    storage: RDBStorage,
    name: str,
    attributes: Mapping[str, Any],
    notes: Mapping[str, Any],
    *,
    maximise: bool = True,
) -> None:
    """A new study, with its attributes, in one transaction: whole or not at all.

    Args:
        maximise: its value, or minimise it.
        attributes: as a user's.
        notes: as Optuna's own, for its tools.

    Raises:
        DuplicatedStudyError: the name is taken.
    """
    direction = StudyDirection.MAXIMIZE if maximise else StudyDirection.MINIMIZE
    study = models.StudyModel(
        study_name=name,
        directions=[models.StudyDirectionModel(objective=0, direction=direction)],
        user_attributes=[
            models.StudyUserAttributeModel(key=key, value_json=json.dumps(value))
            for key, value in attributes.items()
        ],
        system_attributes=[
            models.StudySystemAttributeModel(key=key, value_json=json.dumps(value))
            for key, value in notes.items()
        ],
    )
    try:
        with _create_scoped_session(storage.scoped_session) as session:
            session.add(study)
    except sqlalchemy.exc.IntegrityError:
        raise DuplicatedStudyError(f"the study {name!r} exists") from None


def metric_names(names: list[str]) -> dict[str, Any]:
    """What names a study's objectives to Optuna's tools, as a note of `create_study`."""
    return {_METRIC_NAMES: names}


def of_trials() -> Iterator[Table]:
    """The tables whose rows belong to a trial."""
    return (found for found in TABLES.values() if "trial_id" in found.c and found.name != "trials")


def of_studies() -> Iterator[Table]:
    """The tables whose rows belong to a study, but for trials."""
    return (
        found
        for found in TABLES.values()
        if "study_id" in found.c and found.name not in ("studies", "trials")
    )


def delete_study(connection: Connection, study_id: int) -> None:
    """Deletes a study by its key, whatever stands in it: nothing of it is read."""
    trials, studies = TABLES["trials"], TABLES["studies"]
    own = select(trials.c.trial_id).where(trials.c.study_id == study_id)
    for rows in of_trials():
        connection.execute(rows.delete().where(rows.c.trial_id.in_(own)))
    for rows in (trials, *of_studies(), studies):
        connection.execute(rows.delete().where(rows.c.study_id == study_id))


def database(study: optuna.Study) -> RDBStorage:
    """The database behind a study, which puts a cache in front of it and tells neither."""
    storage = study._storage
    found = getattr(storage, "_backend", storage)
    assert isinstance(found, RDBStorage)  # `open_storage` opens nothing else
    return found


def attributes(study: optuna.Study, key: str | None = None) -> dict[str, str]:
    """A study's attributes as their JSON stands, all or one: Optuna reads all or none.

    Raises:
        ValueError: one has no name.
    """
    query = select(STUDY_ATTRIBUTES.c.key, STUDY_ATTRIBUTES.c.value_json).where(
        STUDY_ATTRIBUTES.c.study_id == study_id(study)
    )
    if key is not None:
        query = query.where(STUDY_ATTRIBUTES.c.key == key)
    with database(study).engine.connect() as connection:
        found = {name: text for name, text in connection.execute(query)}
    if any(not isinstance(name, str) for name in found):
        raise ValueError("one of its attributes has no name")
    return found


def parsed(text: str | None) -> Any:
    """A value from its stored JSON, no deeper than can be written again; None from None.

    Raises:
        ValueError: it is no JSON, or nested deeper than 200.
    """
    return None if text is None else pydantic_core.from_json(text)


def study_id(study: optuna.Study) -> int:
    """A study's key in the tables. The public way asks the database for it by name."""
    return study._study_id


def another(study: optuna.Study) -> optuna.Study:
    """The study once more, for a thread to give a sampler and a pruner of its own.

    Loaded in the public way it would fill a cache of its own: with 10,000 trials, for seconds.
    """
    return optuna.load_study(study_name=study.study_name, storage=study._storage)


def given(trial: FrozenTrial) -> dict[str, Any]:
    """A trial's parameters, with those that it was enqueued with and has not asked for yet.

    Only a waiting trial's system attributes tell what it will be given.
    """
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}


def set_attributes(
    storage: RDBStorage, trial: optuna.Trial | FrozenTrial, values: Mapping[str, Any]
) -> None:
    """Writes user attributes of a trial that has not ended, all in one transaction.

    The public way writes one by one, each a transaction of its own that costs as much as all.
    """
    with _create_scoped_session(storage.scoped_session, True) as session:
        for name, value in values.items():
            storage._set_trial_attr_without_commit(
                session, models.TrialUserAttributeModel, trial._trial_id, name, value
            )


def fail(storage: RDBStorage, trial: FrozenTrial) -> None:
    """Ends a trial that waits or runs as a failed one. `Study.tell` refuses one that waits.

    Raises:
        UpdateFinishedTrialError: it has ended meanwhile.
    """
    storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL)


def attribute(study: optuna.Study, name: str) -> str | None:
    """A study's attribute as its JSON stands in the database now; None where there is none.

    The public way looks the study up first, and is a defect where it was deleted meanwhile.
    """
    query = select(STUDY_ATTRIBUTES.c.value_json).where(
        STUDY_ATTRIBUTES.c.study_id == study_id(study), STUDY_ATTRIBUTES.c.key == name
    )
    with database(study).engine.connect() as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def has_trial(storage: RDBStorage, trial_id: int) -> bool:
    """Whether a trial's row is there: a heartbeat is written for any number."""
    query = select(TRIALS.c.trial_id).where(TRIALS.c.trial_id == trial_id)
    with storage.engine.connect() as connection:
        return connection.execute(query).first() is not None


def finish(storage: RDBStorage, trial: FrozenTrial, state: TrialState, value: float | None) -> None:
    """Ends a running trial of whatever process as a finished one. `Study.tell` takes its own only.

    Raises:
        UpdateFinishedTrialError: it has ended meanwhile.
    """
    values = None if value is None else [value]
    storage.set_trial_state_values(trial._trial_id, state=state, values=values)


class CostAwareTPE(TPESampler):
    """TPE whose next point has the largest expected improvement per second, of those it draws
    (Snoek et al., 2012, section 3.2; TPE's expected improvement: Bergstra et al., 2011, eq. 18).

    Attributes:
        cost: the logarithm of what points take, each parameter's values an array in Optuna's own
            numbers; nobody's where None.
    """

    cost: Callable[[Mapping[str, np.ndarray]], np.ndarray] | None = None
    #: The share of trials that TPE takes for good ones.
    _GOOD = 0.1

    def _compute_acquisition_func(
        self, samples: dict[str, np.ndarray], mpe_below: Any, mpe_above: Any
    ) -> np.ndarray:
        ratio = super()._compute_acquisition_func(samples, mpe_below, mpe_above)
        if self.cost is None:
            return ratio
        improvement = -np.logaddexp(np.log(self._GOOD), np.log(1 - self._GOOD) - ratio)
        return np.asarray(improvement - self.cost(samples))


class View:
    """A study of which only some trials are seen.

    Pruners, samplers and importance want a `Study`, whose trials can't be chosen: what else they
    ask of it, in public or not, it answers itself.
    """

    def __init__(self, study: optuna.Study, seen: Callable[[], list[FrozenTrial]]) -> None:
        self._study = study
        self._seen = seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Those seen, in some states or in any; never copied."""
        return [trial for trial in self._seen() if states is None or trial.state in states]

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        """As samplers ask; their cache would hold all trials."""
        return self.get_trials(states=states)

    @property
    def trials(self) -> list[FrozenTrial]:
        """All that are seen."""
        return self.get_trials()
