"""What the suite uses of Optuna's internals, held to the Optuna that is installed."""

import ast
import inspect
import tomllib

import optuna
import pytest
import sqlalchemy
from documents import ROOT
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import TrialState
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from suite.study import internals

pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")

HOME = ROOT / "suite" / "study" / "internals.py"


@pytest.fixture
def study(folder):
    return optuna.create_study(study_name="t", storage=RDBStorage("sqlite:///t.db"))


def test_the_installed_optuna_is_of_the_versions_whose_internals_these_are():
    assert SpecifierSet(internals.OPTUNA).contains(optuna.__version__)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {Requirement(text).name: Requirement(text) for text in project["dependencies"]}
    assert wanted["optuna"].specifier == SpecifierSet(internals.OPTUNA)


def private(path):
    """Private names that a file takes from Optuna or from any object but its own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("optuna"):
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            yield from (name for name in names if name.startswith("_"))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not own and not node.attr.startswith("__"):
                yield node.attr
        if isinstance(node, ast.Constant) and node.value == "fixed_params":
            yield node.value


def test_no_other_file_reaches_inside():
    others = [path for path in (ROOT / "suite" / "study").rglob("*.py") if path != HOME]
    assert len(others) > 20
    assert {path.name: found for path in others if (found := sorted(private(path)))} == {}
    assert set(private(HOME)) == {
        "_rdb", "_create_scoped_session", "_set_trial_attr_without_commit", "_storage", "_study_id",
        "_trial_id", "fixed_params", "_compute_acquisition_func",
    }  # fmt: skip


def test_the_tables_are_those_of_optuna():
    theirs = models.BaseModel.metadata.tables
    for ours in (internals.TRIALS, internals.TRIAL_ATTRIBUTES, internals.TRIAL_VALUES):
        for column in ours.columns:
            found = theirs[ours.name].columns[column.name].type
            # A state is an enumeration there; its name is what the database holds.
            assert isinstance(found, type(column.type)), (ours.name, column.name)


def test_the_functions_take_what_they_are_given():
    setting = inspect.signature(RDBStorage._set_trial_attr_without_commit)
    assert list(setting.parameters) == ["self", "session", "model_cls", "trial_id", "key", "value"]
    scope = inspect.signature(_create_scoped_session)
    assert list(scope.parameters) == ["scoped_session", "ignore_integrity_error"]


def test_a_study_tells_its_database_its_key_and_its_cache(study):
    database = internals.database(study)
    assert isinstance(database, RDBStorage) and str(database.engine.url) == "sqlite:///t.db"
    assert internals.study_id(study) == database.get_study_id_from_name("t")
    again = internals.another(study)
    assert again is not study and again.study_name == "t"
    again.add_trial(optuna.trial.create_trial(value=1.0))
    assert study.get_trials(deepcopy=False)[0] is again.get_trials(deepcopy=False)[0]


def test_a_waiting_trial_tells_what_it_will_be_given(study):
    study.enqueue_trial({"x": 0.5, "y": 1})
    assert internals.given(study.trials[0]) == {"x": 0.5, "y": 1}
    study.ask().suggest_float("x", 0, 1)
    assert internals.given(study.trials[0]) == {"x": 0.5, "y": 1}
    study.ask().suggest_float("x", 2, 3)
    assert internals.given(study.trials[1]) == study.trials[1].params


def test_attributes_are_written_in_one_transaction(study):
    trial = study.ask()
    trial.set_user_attr("a", "before")
    database = internals.database(study)
    commits = []
    sqlalchemy.event.listen(database.engine, "commit", commits.append)
    internals.set_attributes(database, trial, {"a": 1, "b": [2], "c": None})
    assert len(commits) == 1
    assert study.trials[0].user_attrs == {"a": 1, "b": [2], "c": None}
    internals.set_attributes(database, study.trials[0], {"b": 3})
    assert study.trials[0].user_attrs["b"] == 3
    study.tell(trial, 1.0)
    with pytest.raises(UpdateFinishedTrialError):
        internals.set_attributes(database, trial, {"a": 2})


def test_a_trial_that_waits_can_be_failed(study):
    study.enqueue_trial({"x": 1})
    waiting = study.trials[0]
    with pytest.raises(ValueError, match="WAITING"):  # else the public way would do
        study.tell(waiting.number, state=TrialState.FAIL)
    internals.fail(internals.database(study), waiting)
    assert study.trials[0].state == TrialState.FAIL
    with pytest.raises(UpdateFinishedTrialError):
        internals.fail(internals.database(study), waiting)


@pytest.mark.parametrize(
    "pruner",
    [
        optuna.pruners.MedianPruner(n_startup_trials=1),
        optuna.pruners.PercentilePruner(50.0, n_startup_trials=1),
        optuna.pruners.SuccessiveHalvingPruner(min_resource=20, reduction_factor=2),
    ],
    ids=lambda pruner: type(pruner).__name__,
)
def test_a_pruner_looks_at_the_trials_that_are_seen(study, pruner):
    def trial(value):
        asked = study.ask()
        asked.report(value, 20)
        return asked

    for value in (0.1, 0.2, 0.3):
        study.tell(trial(value), value)
    asked = trial(0.5)
    frozen = study.trials[asked.number]
    all_seen = internals.View(study, lambda: study.trials)
    assert pruner.prune(all_seen, frozen) == pruner.prune(study, frozen)
    alone = internals.View(study, lambda: [frozen])
    assert pruner.prune(alone, frozen) is False
