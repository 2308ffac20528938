"""Texts that fit no class: scores of what a model has beside its probabilities, in a study's finals
and by themselves."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import command_line, toy_rows, write_recipe

from suite.child import scoping
from suite.contracts.strategy import Beside, Rows
from suite.study import finals_training, trainings_record
from suite.study.ledger import Ledger
from suite.study.probabilities import Reader
from suite.verdict import out_of_scope

FAST, SURE = "fasttext/classic", "tfidf/classic"
#: The scores that embeddings give.
NEAR = ("distance", "neighbours")
#: Words that no other text has.
FAR = ("asteroid", "quartz", "violin", "glacier", "saffron", "lantern", "meadow", "turbine")


def rows_with_others(count, seed):
    """Rows of the toy task, a fifth of them of no class."""
    generator = np.random.default_rng(seed)
    others = [
        {"text": " ".join(generator.choice(FAR, 6)), "label": "other"} for _ in range(count // 5)
    ]
    rows = [*others]
    for row in toy_rows(count - len(others), seed):
        rows.append({"text": row["text"], "label": ("ham", "spam")[row["label"]]})
    return [rows[place] for place in generator.permutation(len(rows))]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the study `t` of a task that names the label of texts that fit no class."""
    folder = tmp_path_factory.mktemp("scope")
    (folder / "data").mkdir()
    for split, count, seed in (("train", 250, 1), ("test", 120, 2)):
        lines = [json.dumps(row) for row in rows_with_others(count, seed)]
        (folder / "data" / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "toy.yaml").write_text(
        "name: toy\ntitle: Toy mail\nlanguage: en\n"
        "labels: [{name: ham}, {name: spam}, {name: other}]\nout_of_scope: other\n"
        "data: {folder: data, licence: made for the tests}\n"
        "validation: {share: 0.25, seed: 0}\ncalibration: {share: 0.2, least: 40}\n"
    )
    recipe = write_recipe(
        folder,
        arms=[FAST, SURE],
        trials=2,
        spaces={SURE: {"classifier": "logistic"}},
        finals={"seeds": 2, "share": None, "refit": True},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        command_line("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--quiet")
    return folder


@pytest.fixture
def study(place, monkeypatch):
    """In that folder."""
    monkeypatch.chdir(place)
    return Ledger(None, "t")


def test_finals_compare_every_score_and_cut_where_rows_were_set_aside(study):
    found = {final.arm: final.out_of_scope for final in study.results().finals}
    # fastText has the means that its scores are made of; of n-grams there is no embedding.
    assert set(found[FAST].tried) == {"probability", "class", "energy", *NEAR}
    assert set(found[SURE].tried) == {"probability", "class", "energy"}
    for one in found.values():
        assert set(one.on_test) == set(one.tried) and one.cut_on == "calibration"
        assert one.score == max(one.tried, key=one.tried.get)
        assert (one.inside, one.outside) == (96, 24) and one.auroc > 0.9
    # Its words stand in no other text: whatever is far from them is near to no class.
    assert all(found[FAST].on_test[score].auroc > 0.9 for score in NEAR)


def test_scores_of_each_training_are_stored_with_its_answers(study):
    answers = Reader(study.study, study.definition, study.artifacts).left(FAST)
    assert len(answers.test) == len(answers.calibration) == 2
    for one in (*answers.test, *answers.calibration):
        assert set(one.belongs) == {"energy", *NEAR}
        assert all(len(values) == len(one.rows) for values in one.belongs.values())
    last = answers.test[0].last(5, "test")
    assert [*last.belongs["energy"]] == [*answers.test[0].belongs["energy"][-5:]]
    stored = study.study.user_attrs[f"{trainings_record.TRAINING}{FAST}:0"]
    assert isinstance(stored["belongs"]["energy"], str)
    before = {key: value for key, value in stored.items() if key not in ("belongs", "aside")}
    assert trainings_record._read(before, 0).belongs == {}  # of a version that told none
    assert trainings_record._read({**stored, "belongs": {"energy": "?"}}, 0) is None


def test_finals_of_before_are_judged_by_probabilities_and_nobody_is_asked():
    """Of trainings without further scores validation's are of no use."""

    def refuse(*words):
        raise AssertionError(words)

    trainings = [SimpleNamespace(belongs={"energy": [1.0]}), SimpleNamespace(belongs={})]
    trainer = SimpleNamespace(_predicted=refuse)
    one = SimpleNamespace(trainings=trainings)
    assert finals_training.Trainer.belonging(trainer, one) == {}


class Known:
    """A predictor whose scores and embeddings are what a text says: three numbers each."""

    def __init__(self, embeds=True):
        self._embeds = embeds

    def beside(self, texts):
        numbers = np.array([[float(part) for part in text.split()] for text in texts], np.float32)
        return Beside(numbers, numbers[:, :2] if self._embeds else None)


def test_energy_and_distance_are_of_the_models_own_numbers():
    train = Rows(("0 0 0", "0 1 0", "4 4 0", "4 5 0", "9 9 9"), (0, 0, 1, 1, 2))
    rows = Rows(("0 0.5 0", "40 -30 0"), (0, 2))
    found = scoping.belonging(Known(), rows, train, outside=2)
    logits = np.array([[0, 0.5, 0], [40, -30, 0]])
    assert found["energy"] == pytest.approx(out_of_scope.energy(logits, 2).tolist())
    assert all(found[score][0] > found[score][1] for score in NEAR)
    assert set(scoping.belonging(Known(False), rows, train, outside=2)) == {"energy"}
    assert scoping.belonging(SimpleNamespace(), rows, train, outside=2) == {}
    # A score that is no number for some row judges none.
    nowhere = Rows(("nan nan nan",), (0,))
    assert scoping.belonging(Known(), nowhere, train, outside=2) == {}


def test_how_near_training_texts_lie_is_the_cosine_to_the_tenth_of_them():
    generator = np.random.default_rng(0)
    known, rows = generator.normal(size=(40, 5)), generator.normal(size=(3, 5))
    cosines = known @ rows.T / np.linalg.norm(known, axis=1)[:, None] / np.linalg.norm(rows, axis=1)
    tenth = np.sort(cosines, axis=0)[-10]
    assert out_of_scope.nearness(rows, known) == pytest.approx(tenth, abs=1e-6)
    few = np.sort(cosines[:4], axis=0)[0]
    assert out_of_scope.nearness(rows, known[:4]) == pytest.approx(few, abs=1e-6)
    assert out_of_scope.nearness(np.zeros((1, 5)), known).tolist() == [0.0]
