"""Rows set aside for calibration, the probabilities that finals keep, and what is made of them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import command_line, files_of, toy_rows, write_recipe, write_task

from suite import strategies
from suite.contracts.deciding import Asked, Limit
from suite.contracts.strategy import Rows
from suite.contracts.task import Calibration
from suite.contracts.temperature import tempered
from suite.data import snapshot
from suite.data.parts import assemble
from suite.data.sample import sample_data
from suite.data.splits import Keyed
from suite.errors import DataError, StudyError
from suite.report.pages.page import render_page
from suite.report.words import Words
from suite.strategies.calibrated import temperature_of
from suite.study import (
    artifacts,
    calibrating,
    deciding,
    kept_record,
    probabilities,
    record,
    storage,
    trainings_record,
)
from suite.study.probabilities import kept_probabilities
from suite.study.winner import winner
from suite.verdict import calibration

A, B = "tfidf/toy", "fasttext/toy"


# ---------------------------------------------------------------- rows set aside


def keyed(count, seed, groups=None):
    drawn = toy_rows(count, seed)
    rows = Rows(tuple(r["text"] for r in drawn), tuple(r["label"] for r in drawn))
    return Keyed(rows, groups)


def loaded(calibration=None, groups=None, train_rows=None, **data):
    from suite.contracts.task import Task

    task = Task.model_validate(
        {
            "name": "toy", "title": "Toy", "language": "en",
            "labels": [{"name": "ham"}, {"name": "spam"}],
            "data": {"folder": "data", "licence": "none"} | data,
            "validation": {"share": 0.25, "seed": 0},
        }
    )  # fmt: skip
    parts = {"train": keyed(400, 1, groups)}
    if groups is None:
        parts["test"] = keyed(100, 2)
    return assemble(task, parts, "toy", [], train_rows, calibration=calibration)


def test_rows_are_set_aside_from_train_alone_and_nothing_else_moves():
    before, now = loaded(), loaded(Calibration(share=0.2, least=10))
    assert now.validation == before.validation and now.test == before.test
    aside = now.calibration
    assert len(aside) == now.facts.rows.calibration == 60 and len(now.train) == 240
    assert sorted((*now.train.texts, *aside.texts)) == sorted(before.train.texts)
    assert sum(aside.labels) == 30  # each class gives its share
    assert now.facts.fingerprint != before.facts.fingerprint
    # Without any, the fingerprint is what it was before there were such rows.
    assert before.facts.rows.calibration == 0 and before.calibration is None
    assert before.facts.fingerprint == snapshot.fingerprint(
        before.train, before.validation, before.test
    )
    # They are the same whatever part of the others is taken, as validation is.
    fewer = loaded(Calibration(share=0.2, least=10), train_rows=50)
    assert fewer.calibration == aside and fewer.train == now.train.take(range(50))


def test_groups_stay_whole():
    groups = tuple(f"g{row // 5}" for row in range(400))
    now = loaded(Calibration(share=0.2, least=10), groups, test={"share": 0.2, "group": "who"})
    of = dict(zip(keyed(400, 1).rows.texts, groups, strict=True))
    sides = [{of[t] for t in rows.texts} for rows in (now.calibration, now.train, now.validation)]
    assert sides[0] and not sides[0] & (sides[1] | sides[2])
    assert now.groups == (*(of[t] for t in now.train.texts), *(of[t] for t in now.validation.texts))


def test_too_few_rows_are_refused_with_how_many_would_do():
    with pytest.raises(DataError) as refused:
        loaded(Calibration())
    assert "calibration sets 500 rows aside, more than half of the 300" in refused.value.what
    assert "1,000 rows to train on would do" in refused.value.fix
    with pytest.raises(DataError, match="--train-rows"):
        sample_data("en", train_rows=2400, calibration=Calibration())
    assert sample_data("en", calibration=Calibration()).facts.rows.calibration == 500


def test_a_snapshot_holds_them(tmp_path):
    data = loaded(Calibration(share=0.2, least=10))
    snapshot.write_snapshot(tmp_path / "data", data)
    there = snapshot.read_snapshot(tmp_path / "data")
    assert there.calibration == data.calibration and there.train == data.train
    assert snapshot.read_split(tmp_path / "data", "calibration") == data.calibration
    # Left out of what is known of it, the snapshot is another one's.
    facts = json.loads((tmp_path / "data" / "facts.json").read_text())
    del facts["digests"]["calibration"]
    (tmp_path / "data" / "facts.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="was changed"):
        snapshot.read_snapshot(tmp_path / "data")
    snapshot.write_snapshot(tmp_path / "none", loaded())
    with pytest.raises(DataError, match="no calibration split"):
        snapshot.read_split(tmp_path / "none", "calibration")


# ---------------------------------------------------------------- what finals keep


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with rows set aside and finals over two seeds, in a folder of its own."""
    folder = tmp_path_factory.mktemp("calibration")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_task(folder)
        recipe = write_recipe(
            folder, arms=[A, B], trials=2, calibration={"share": 0.2, "least": 20},
            finals={"seeds": 2, "share": None, "refit": True}, spaces={"*/toy": {"noise": 0.3}},
        )  # fmt: skip
        command_line("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--quiet")
    return folder


@pytest.fixture
def there(study, monkeypatch):
    monkeypatch.chdir(study)
    return study


def test_finals_keep_what_each_training_answered(there):
    data = snapshot.read_snapshot(files_of("t") / "data")
    assert len(data.calibration) == 30
    found = kept_probabilities("t", A)
    assert found.labels == ("ham", "spam") and found.arm == A
    assert [len(found.test), len(found.calibration)] == [2, 2]
    assert found.test[0].rows.texts == data.test.texts
    for one, rows in (
        (found.unseen, data.validation), (found.validation, data.validation),
        *((one, data.calibration) for one in found.calibration),
    ):  # fmt: skip
        assert one.rows == rows and one.digest == snapshot.digest(rows)
    assert [one.seed for one in found.calibration] == [one.seed for one in found.test]
    # The first is of the model that is shipped; no model was trained on what it answers here.
    asked = strategies.load_uncalibrated(winner("t", A).folder)
    for kept, rows in ((found.test[0], data.test), (found.calibration[0], data.calibration)):
        assert np.abs(kept.probabilities - asked.predict_proba(rows.texts)).max() <= 0.0005
    learnt = json.loads((winner("t", A).folder / "toy.json").read_text())["votes"]
    numbers = {text.split()[-1] for text in data.calibration.texts}
    assert not numbers & {w for words in learnt.values() for w in words}
    # Two arms of the study were asked the same rows.
    first, second = probabilities.of_arms("t", [A, B])
    assert first.validation.digest == second.validation.digest
    with pytest.raises(StudyError, match="has no arm"):
        kept_probabilities("t", "tfidf/toys")


def test_each_arm_answers_at_the_temperature_that_was_fitted(there):
    finals = {
        one["arm"]: one
        for one in json.loads(command_line("study", "show", "t", "--json").stdout)["finals"]
    }
    for arm in (A, B):
        told, found = finals[arm]["calibration"], kept_probabilities("t", arm)
        temperature, gain = calibration.cross_fitted(
            found.unseen.probabilities, found.unseen.rows.labels
        )
        assert (told["temperature"], told["gain"]) == (temperature, gain)
        assert (told["fitted_on"], told["rows"]) == ("validation", 50)
        assert {one.temperature for one in (found.unseen, *found.test)} == {temperature}
        taken = winner("t", arm).folder
        assert temperature_of(taken) == temperature
        # What is told is of the answers as they were kept, and as they are given.
        labels = found.test[0].rows.labels
        own, given = (
            [
                s.log_loss
                for s in (calibration.scores(getattr(one, how), labels) for one in found.test)
            ]
            for how in ("probabilities", "calibrated")
        )
        assert told["before"]["log_loss"] == pytest.approx(sum(own) / 2)
        assert told["after"]["log_loss"] == pytest.approx(sum(given) / 2)
        asked = strategies.load_predictor(taken).predict_proba(found.test[0].rows.texts)
        assert np.abs(found.test[0].calibrated - asked).max() <= 0.002
    assert finals[A]["calibration"]["temperature"] is not None
    assert (
        finals[A]["calibration"]["after"]["log_loss"]
        < finals[A]["calibration"]["before"]["log_loss"]
    )


def test_a_model_of_many_more_rows_keeps_its_own(there):
    study, definition = storage.load(storage.open_storage(None), "t")
    lies = artifacts.find(study, definition.data.fingerprint)
    assert calibrating.fitted(study, definition, lies, A, refit=True).temperature is not None
    # Where validation has more than half as many rows as train, refitting makes another model.
    few = replace(definition.data.rows, train=99)
    other = definition.model_copy(update={"data": replace(definition.data, rows=few)})
    assert calibrating.fitted(study, other, lies, A, refit=True).temperature is None
    assert calibrating.fitted(study, other, lies, A, refit=False).temperature is not None
    # Over folds each row was answered by a model of all the others.
    assert calibrating.alike(few, "train+validation")


def test_of_trainings_at_other_temperatures_the_shipped_one_s_like_are_told(there):
    """A training from before there were temperatures has none, beside such as have one."""
    study, definition = storage.load(storage.open_storage(None), "t")
    lies = artifacts.find(study, definition.data.fingerprint)
    trial = kept_record.of_arm(study.user_attrs, A).trial
    first, second = trainings_record.stored(study, A, trial=trial, refit=True)
    labels = snapshot.read_split(lies.data, "test").labels
    fit = calibrating.fitted(study, definition, lies, A, refit=True)
    assert first.temperature == second.temperature == fit.temperature != 1

    def told(*trainings):
        (final,) = record.results(study, definition).finals[:1]
        own = {A: list(trainings)}
        (found,) = calibrating.with_calibration(
            [replace(final, arm=A)], labels, own, {A: fit}, lies
        )
        return found.calibration

    old = told(replace(first, temperature=None), second)
    assert old.temperature is None and old.before == old.after
    now = told(first, replace(second, temperature=None))
    assert now.temperature == fit.temperature and now == told(first)
    assert now.before.log_loss > now.after.log_loss


def test_it_is_exported_and_told(there):
    command_line("export", "t", "model", "--arm", A)
    temperature = temperature_of(there / "model")
    assert temperature == temperature_of(winner("t", A).folder)
    assert "Its probabilities are calibrated" in (there / "model" / "README.md").read_text()
    text = "win cash prize"
    said = json.loads(command_line("predict", "model", text, "--json").stdout)
    raw = strategies.load_uncalibrated(there / "model").predict_proba([text])
    assert max(said["predictions"][0]["probabilities"].values()) == pytest.approx(
        tempered(raw, temperature).max(), abs=1e-4
    )
    shown = command_line("study", "show", "t").stdout
    assert "How sure it may be" in shown
    results = record.results(*storage.load(storage.open_storage(None), "t"))
    for language, heading in (("en", "How sure it may be"), ("zh", "概率是否可信")):
        page = render_page(results, Words(language))
        assert f">{heading}</h2>" in page and 'data-chart="reliability"' in page
        assert page.count(f"{temperature:.2f}") >= 1


def test_what_is_damaged_is_refused_and_made_again(there):
    place = files_of("t") / "attached" / "finals" / "fasttext--toy"
    before = kept_probabilities("t", B)
    (place / "calibration0").write_bytes(b"other")
    # What another training answered is not taken for what the shipped model did.
    assert len(before.calibration) == 2
    with pytest.raises(StudyError, match="no probabilities of fasttext/toy are kept"):
        deciding.decide("t", Asked(Limit(0.4, 0.6)), arm=B)
    told = []
    others = deciding.decide("t", Asked(Limit(0.4, 0.6)), say=told.append)
    assert [one.arm for one in others] == [A] and f"{B}: nothing is said of when" in told[0]
    (files_of("t") / "attached").joinpath(f"trial-{before.unseen.trial}", "answered").unlink()
    with pytest.raises(StudyError) as refused:
        kept_probabilities("t", B)
    assert "suite finals t" in str(refused.value)
    command_line("finals", "t")
    again = kept_probabilities("t", B)
    for one, other in zip(
        (before.unseen, *before.calibration), (again.unseen, *again.calibration), strict=True
    ):
        assert (one.probabilities == other.probabilities).all() and one.seed == other.seed


def test_a_study_from_before_is_told_how_they_are_made(there):
    study, _ = storage.load(storage.open_storage(None), "t")
    kept = kept_record.of_arm(study.user_attrs, A)
    kept_record.store(study, A, replace(kept, answered=None))
    with pytest.raises(StudyError) as refused:
        kept_probabilities("t", A)
    assert "before these were kept" in refused.value.what
    command_line("finals", "t")
    assert kept_probabilities("t", A).unseen.which == "validation"


def test_they_go_with_the_study(there):
    place = files_of("t")
    command_line("study", "export-db", "t", "copy.db")
    command_line("study", "delete", "t", "--yes")
    assert not place.exists()
