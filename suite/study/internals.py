"""What the suite uses of Optuna that Optuna does not promise: all of it, and why.

The rest of the study room uses what is public. tests/test_internals.py holds every piece to the
Optuna that is installed, and sees that no other file reaches inside; a new minor version is let
in, here and in pyproject.toml, once that test passes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import DateTime, Float, Integer, String, column, table

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


def database(study: optuna.Study) -> RDBStorage:
    """The database behind a study, which puts a cache in front of it and tells neither."""
    storage = study._storage
    found = getattr(storage, "_backend", storage)
    assert isinstance(found, RDBStorage)  # `open_storage` opens nothing else
    return found


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


def copy(
    source: RDBStorage,
    target: RDBStorage,
    name: str,
    to: str,
    changed: Callable[[str, Any], Any],
) -> None:
    """Copies a study with all its trials, its attributes' values changed on the way.

    The public way copies them as they are; overwritten afterwards, they would still stand in the
    file.

    Args:
        to: its name there.
        changed: an attribute's value by its name and its value.
    """
    old = source.get_study_id_from_name(name)
    new = target.create_new_study(source.get_study_directions(old), to)
    for key, value in source.get_study_system_attrs(old).items():
        target.set_study_system_attr(new, key, changed(key, value))
    for key, value in source.get_study_user_attrs(old).items():
        target.set_study_user_attr(new, key, changed(key, value))
    for trial in source.get_all_trials(old):  # Copies of the storage's own.
        for attributes in (trial.user_attrs, trial.system_attrs):
            attributes.update({key: changed(key, value) for key, value in attributes.items()})
        target.create_new_trial(new, template_trial=trial)


class View:
    """A study of which only some trials are seen.

    Pruners and importance want a `Study`, whose trials can't be chosen: what else they ask of it,
    in public or not, it answers itself.
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

    @property
    def trials(self) -> list[FrozenTrial]:
        """All that are seen."""
        return self.get_trials()
