"""A recipe's objective: searched by, ranked by, named in every output; another's is refused."""

from __future__ import annotations

import json

import pytest
from conftest import command_line, write_recipe

from suite.config.recipe import find_recipe
from suite.report import formats
from suite.study.ledger import Ledger


def test_a_study_goes_by_the_objective_of_its_recipe(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    spaces = {"*": {"C": [0.01, 1.0]}}
    recipe = write_recipe(
        folder,
        "mine",
        arms=["tfidf/classic"],
        trials=2,
        objective="mcc",
        spaces=spaces,
        validation="holdout",
    )
    command_line("study", "create", "agnews", "--sample", "--recipe", recipe, "--name", "s",
                 "--train-rows", "200", "--quiet")  # fmt: skip
    found = json.loads(command_line("study", "show", "s", "--json").stdout)
    assert found["objective"] == "mcc"
    trials = found["trials"]
    assert len(trials) == 2
    ledger = Ledger(None, "s")
    values = [t.value for t in ledger.study.get_trials()]
    for trial, value in zip(trials, values, strict=True):
        scores = trial["validation"]
        named = {"name": "mcc", "value": scores["others"]["mcc"]}
        assert scores["objective"] == named != scores["macro_f1"]
        assert trial["checkpoints"][-1]["objective"] == named
        assert value == named["value"]
    (final,) = found["finals"]
    best = max(trials, key=lambda trial: trial["validation"]["objective"]["value"])
    assert final["trial"] == best["number"]
    test = final["test"]
    assert test["objective"] == {"name": "mcc", "value": pytest.approx(test["others"]["mcc"])}
    low, high = test["objective_interval"]
    assert low < test["objective"]["value"] < high
    low, high = test["macro_f1_interval"]
    assert low < test["macro_f1"] < high and test["macro_f1"] != test["objective"]["value"]
    shown = command_line("study", "show", "s").stdout
    chosen = f"{final['arm']}, best of 2, {formats.score(best['validation']['objective']['value'])}"
    assert chosen in " ".join(shown.split())
    assert "Matthews correlation" in shown and f"{test['objective']['value']:.4f}"[1:] in shown
    (listed,) = json.loads(command_line("study", "list", "--json").stdout)["studies"]
    assert listed["best_validation"]["name"] == "mcc"
    assert listed["best_validation_macro_f1"] is None
    command_line("report", "s", "--out", "out", "--format", "html,csv,md")
    (page,) = (folder / "out").glob("*.html")
    assert "Matthews correlation on test" in page.read_text(encoding="utf-8")
    assert chosen in page.read_text(encoding="utf-8")
    (board,) = (folder / "out").glob("*-leaderboard.csv")
    assert ",mcc," in board.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_a_study_by_a_loss_takes_what_loses_least(folder, name):
    spaces = {"*": {"C": [0.01, 1.0]}}
    recipe = write_recipe(folder, "mine", arms=["tfidf/classic"], trials=2, objective=name,
                          spaces=spaces, validation="holdout")  # fmt: skip
    assert find_recipe(recipe)[0].objective == name
    if name == "brier":
        return
    command_line("study", "create", "agnews", "--sample", "--recipe", recipe, "--name", "s",
                 "--train-rows", "200", "--quiet")  # fmt: skip
    found = json.loads(command_line("study", "show", "s", "--json").stdout)
    values = [t.value for t in Ledger(None, "s").study.get_trials()]
    assert Ledger(None, "s").study.direction.name == "MINIMIZE"
    assert values == [t["validation"]["others"][name] for t in found["trials"]]
    (final,) = found["finals"]
    assert final["trial"] == values.index(min(values))
    test = final["test"]
    assert test["objective"] == {"name": name, "value": pytest.approx(test["others"][name])}
    low, high = test["objective_interval"]
    assert 0 < low < test["objective"]["value"] < high
    low, high = test["macro_f1_interval"]
    assert low < test["macro_f1"] < high
    (listed,) = json.loads(command_line("study", "list", "--json").stdout)["studies"]
    assert listed["best_validation"] == {"name": name, "value": min(values)}
    command_line("report", "s", "--out", "out", "--format", "html,md")
    (page,) = (folder / "out").glob("*.html")
    assert "log-loss on test" in page.read_text(encoding="utf-8")
