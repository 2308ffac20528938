"""`suite export`: the folder loads elsewhere, and its card says what the study measured."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from conftest import toy_rows, write_recipe
from typer.testing import CliRunner

from suite.cli import app
from suite.contracts.results import Final, TestScores
from suite.contracts.speeds import Rps, SingleStream
from suite.errors import ModelError, StorageError
from suite.handover import model_card
from suite.handover.export import export, read_exported
from suite.strategies import load_predictor
from suite.strategies.calibrated import temperature_of
from suite.study import rounds
from suite.study.kept_record import Shipped
from suite.study.winner import winner

cli = CliRunner()
TEXTS = ["win a prize now", "lunch with a friend", "garden music 😀", "x " * 400]


def suite(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A study `t` with a classic arm, a linear head and a probe."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # What the cards say of speeds is of one round as of six.
        patch.setattr(rounds, "ROUNDS", 1)
        patch.setattr(rounds, "REPEATS", 0)
        (folder / "data").mkdir()
        for split, count, seed in (("train", 200, 1), ("test", 100, 2)):
            lines = [json.dumps(row) for row in toy_rows(count, seed)]
            (folder / "data" / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
        (folder / "toy.yaml").write_text(
            "name: toy\ntitle: Toy <b>mail</b>\nlanguage: en\n"
            "labels: [{name: ham, display: Wanted}, {name: 'sp|am: `x` <i>'}]\n"
            "data: {folder: data, licence: 'made *for* the tests'}\n"
            "validation: {share: 0.25, seed: 0}\n"
        )
        arms = ["tfidf/classic", "tiny-bert/linear_head", "tiny-bert/probe"]
        recipe = write_recipe(
            folder, arms=arms, trials=3, budget={"epochs": 2, "checkpoints": 1},
            measure={"seconds": 0.2},
        )  # fmt: skip
        suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--quiet")
    return folder


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


def head_of(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    _, head, page = text.split("---\n", 2)
    return yaml.safe_load(head), page


def test_transformers_alone_loads_the_folder_and_answers_as_the_kept_predictor(at_home, tmp_path):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    kept = winner("t", "tiny-bert/linear_head")
    target = tmp_path / "model"
    export(kept, target)
    tokenizer = AutoTokenizer.from_pretrained(target)
    model = AutoModelForSequenceClassification.from_pretrained(target)
    assert model.config.id2label == {0: "ham", 1: "sp|am: `x` <i>"}
    assert model.config.label2id == {"ham": 0, "sp|am: `x` <i>": 1}
    batch = tokenizer(
        TEXTS, truncation=True, max_length=256, padding=True, split_special_tokens=True,
        return_tensors="pt",
    )  # fmt: skip
    with torch.no_grad():
        logits = model(**batch).logits
    # The temperature is the folder's, and no part of transformers' own.
    temperature = temperature_of(target)
    assert temperature is not None and f"logits / {temperature:.6g})" in head_of(target)[1]
    got = (logits / temperature).softmax(-1).numpy()
    expected = load_predictor(kept.folder).predict_proba(TEXTS)
    np.testing.assert_allclose(got, expected, atol=1e-5)
    np.testing.assert_allclose(load_predictor(target).predict_proba(TEXTS), expected, atol=1e-6)
    # The card's own lines work as they stand.
    code = re.search(r"```python\n(.*?)```", (target / "README.md").read_text(), re.S)[1]
    printed = []
    exec(code.replace("./model", str(target)), {"print": printed.append})
    assert printed[0] in model.config.label2id


def test_every_kind_of_arm_is_exported_with_its_labels_and_its_card(at_home, tmp_path):
    for arm in ("tfidf/classic", "tiny-bert/probe"):
        target = tmp_path / arm.replace("/", "-")
        suite("export", "t", target, "--arm", arm)
        found = read_exported(target)
        assert (found.labels, found.arm, found.study) == (["ham", "sp|am: `x` <i>"], arm, "t")
        expected = load_predictor(winner("t", arm).folder).predict_proba(TEXTS)
        got = json.loads(suite("predict", target, *TEXTS, "--json").stdout)["predictions"]
        for row, values in zip(got, expected):
            assert list(row["probabilities"].values()) == pytest.approx(values.tolist(), abs=1e-6)
        assert os.stat(target).st_mode & 0o055 == 0o055  # others may read it, as any folder
        assert not list(tmp_path.glob(".*"))
        head, page = head_of(target)
        assert "library_name" not in head and "use `suite predict`" in page


def test_the_card_has_the_studys_numbers_and_the_hub_reads_it(at_home, tmp_path):
    from huggingface_hub import ModelCard

    kept = winner("t", "tiny-bert/linear_head")
    export(kept, tmp_path / "model")
    head, page = head_of(tmp_path / "model")
    final = next(f for f in kept.results.finals if f.arm == kept.arm)
    assert head["language"] == ["en"] and head["pipeline_tag"] == "text-classification"
    assert head["library_name"] == "transformers"
    assert head["metrics"] == ["f1", "accuracy", "aurc"]
    assert "license" not in head  # random weights: nobody named one
    card = ModelCard.load(tmp_path / "model" / "README.md")
    f1, accuracy, aurc = card.data.eval_results
    assert aurc.metric_value == pytest.approx(final.test.others["aurc"], abs=1e-6)
    assert (f1.metric_type, f1.dataset_split) == ("f1", "test")
    assert f1.metric_value == pytest.approx(final.test.macro_f1, abs=1e-6)
    assert accuracy.metric_value == pytest.approx(final.test.accuracy, abs=1e-6)
    low, high = final.test.macro_f1_interval
    for told in (
        f"{final.test.macro_f1:.4f} (95 % interval {low:.4f} to {high:.4f})",
        f"{final.rank} of 3",
        *(f"{value:.4f}" for value in final.test.per_class_f1),
        f"{kept.made_by.train_seconds:,.1f} s",
        f"`{kept.results.data.fingerprint}`",
        "train 150, validation 50, test 100",
        f"learning\\_rate | {kept.made_by.params['learning_rate']:.6g}",
        "MLPerf LoadGen",
        "float32",
        "made \\*for\\* the tests",
        "opened once",
    ):
        assert told in page, (told, page)
    assert str(at_home) not in page  # whose machine it was is nobody's business
    assert not any(row["text"] in page for row in toy_rows(200, 1))


def test_names_from_data_do_nothing_on_the_page(at_home, tmp_path):
    export(winner("t", "tfidf/classic"), tmp_path / "model")
    head, page = head_of(tmp_path / "model")
    assert head["model-index"][0]["name"] == "Toy <b>mail</b>: tfidf/classic"
    assert "<b>" not in page and "<i>" not in page and "sp\\|am: \\`x\\` &lt;i&gt;" in page
    hostile = (
        "a\n# b",
        "---\nlicense: mit\n---",
        "![x](http://evil/x.png)",
        "www.evil.com",
        "@everyone",
        "\u202eabc\x00\x1b[31m",
        "l" * 10_000,
    )
    for text in hostile:
        shown = model_card.escaped(text)
        assert "\n" not in shown and len(shown) < 500
        assert not re.search(r"(?<!\\)[\[\]`|@]|://|www\.|[\x00-\x1f\u202e<>]", shown), shown


def test_hostile_names_stay_values_in_the_head(at_home, tmp_path):
    kept = winner("t", "tfidf/classic")
    task = kept.definition.task.model_copy(update={"title": "x\n---\nlicense: mit\n# y: [\u2028"})
    hostile = replace(kept, definition=kept.definition.model_copy(update={"task": task}))
    (tmp_path / "README.md").write_text(model_card.card(hostile, kept.folder), encoding="utf-8")
    lines = (tmp_path / "README.md").read_text(encoding="utf-8").split("\n")
    assert lines[0] == "---"
    end = lines.index("---", 1)
    head = yaml.safe_load("\n".join(lines[1:end]))
    assert "license" not in head and head["model-index"][0]["name"].startswith("x\n---\n")
    assert "\n# y" not in "\n".join(lines[end:])


def test_ties_seeds_staleness_and_what_is_not_tested_are_told(at_home):
    kept = winner("t", "tfidf/classic")
    rps = Rps(
        SingleStream(1.5, 2.0, None, True), 1234.5, True, "torch", "bfloat16", 64, "cuda:0 (H100)",
        3.0, 8, True,
    )  # fmt: skip
    scores = TestScores(0.9, 0.91, (0.88, 0.92), per_class_f1=[0.8, 1.0])
    final = Final("tfidf/classic", 7, 3, True, 1, scores, 1.0, rps, ["a/b", "tfidf/classic"])
    page = model_card.card(
        replace(kept, results=replace(kept.results, finals=[final])), kept.folder
    )
    for told in (
        "can't be told apart from a/b |",
        "mean of 3 seeds",
        "The test numbers are of trial 7",
        "2.00 ms",
        "| One text at a time, p99 | – |",
        "torch, bfloat16",
        "64 texts at most",
        "cuda:0 (H100), 8 threads",
        "Other work ran",
    ):
        assert told in page, (told, page)
    # Shipped is the model of the finals: what it was trained on, and what it scores itself.
    rows = kept.results.data.rows
    made = Shipped(kept.trial, kept.host, "0" * 8, 12345, True, 4.25, "toy")
    own = replace(final, trial=kept.trial, seed_scores=[0.8765, 0.9, 0.92], refit=True)
    refitted = replace(kept, shipped=made, results=replace(kept.results, finals=[own]))
    page = model_card.card(refitted, kept.folder)
    assert (
        f"trained on train and validation together, {rows.train + rows.validation} rows, with the "
        f"hyperparameters of trial {kept.trial} and seed 12345, and was named before test was "
        "opened; its macro-F1 on test is 0.8765. The test numbers above are means over 3 trainings."
    ) in page
    assert "which had seen none of these rows" in page and "| Training time | 4.2 s |" in page
    assert "| Seed | 12345 |" in page and "| Trained on | train and validation, 200 rows |" in page
    alone = replace(refitted, shipped=replace(made, refit=False))
    page = model_card.card(alone, kept.folder)
    assert f"This model was trained on train, {rows.train} rows" in page
    untested = replace(kept, results=replace(kept.results, finals=[]))
    page = model_card.card(untested, kept.folder)
    assert "**Not tested yet:**" in page and "split: validation" in page
    assert "split: test" not in page and "Test macro-F1" not in page


def test_a_card_says_what_is_read_of_a_longer_text(at_home, monkeypatch):
    kept = winner("t", "tfidf/classic")
    monkeypatch.setattr(model_card, "is_classifier", lambda folder: True)

    def page(**settings):
        monkeypatch.setattr(model_card, "_settings", lambda folder: {"max_tokens": 77, **settings})
        return model_card.card(kept, kept.folder)

    assert "truncation=True, max_length=77" in page() and "truncation_side" not in page()
    assert 'tokenizer.truncation_side = "left"' in page(cutting="tail")
    for way in ("head_tail", "chunks_mean"):
        said = page(cutting=way)
        assert "Of a text beyond 77 tokens the model reads what `cutting`" in said
        shown = way.replace("_", r"\_")
        assert f"({shown})" in said and "AutoTokenizer" not in said


def test_onnx_answers_as_the_model_and_other_arms_are_refused_with_the_reason(at_home, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    target = tmp_path / "model"
    told = suite("export", "t", target, "--arm", "tiny-bert/linear_head", "--onnx")
    assert "100.00% of 50 validation rows" in told.stderr
    assert "`onnx/model.onnx`" in (target / "README.md").read_text()
    from transformers import AutoTokenizer

    batch = AutoTokenizer.from_pretrained(target)(
        TEXTS, truncation=True, max_length=256, padding=True, return_tensors="np"
    )
    session = runtime.InferenceSession(target / "onnx" / "model.onnx")
    inputs = {name: batch[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
    logits = session.run(["logits"], inputs)[0]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    kept = winner("t", "tiny-bert/linear_head")
    expected = load_predictor(kept.folder).predict_proba(TEXTS)
    np.testing.assert_allclose(shares, expected, atol=1e-4)
    told = suite("export", "t", tmp_path / "c", "--arm", "tfidf/classic", "--onnx", code=2).stderr
    assert "no neural network" in told and not (tmp_path / "c").exists()


def test_what_reads_chunks_is_not_written_as_onnx(at_home, tmp_path):
    kept = winner("t", "tiny-bert/linear_head")
    folder = tmp_path / "kept"
    folder.mkdir()
    for name in ("config.json", "predictor.json", "settings.json"):
        (folder / name).write_bytes((kept.folder / name).read_bytes())
    settings = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps({**settings, "cutting": "chunks_mean"}))
    with pytest.raises(ModelError, match="in chunks, which become one behind the network"):
        export(replace(kept, folder=folder), tmp_path / "model", onnx=True)
    assert not (tmp_path / "model").exists()


def test_a_folder_is_written_whole_or_not_at_all(at_home, tmp_path, monkeypatch):
    kept = winner("t", "tfidf/classic")
    (tmp_path / "there").mkdir()
    with pytest.raises(StorageError, match="exists"):
        export(kept, tmp_path / "there")

    def full(*args, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("suite.handover.export.card", full)
    with pytest.raises(StorageError, match="No space left on device"):
        export(kept, tmp_path / "deep" / "model")
    assert not list((tmp_path / "deep").iterdir())


def test_folders_that_are_no_models_are_told_apart(tmp_path):
    with pytest.raises(ModelError, match="no exported model"):
        read_exported(tmp_path)
    (tmp_path / "predictor.json").write_text('{"strategy": "linear_head"}')
    with pytest.raises(ModelError, match="names the classes"):
        read_exported(tmp_path)
    (tmp_path / "config.json").write_text('{"id2label": {"0": "a", "1": "b"}}')
    assert read_exported(tmp_path).labels == ["a", "b"]
    (tmp_path / "labels.json").write_text('{"labels": []}')
    with pytest.raises(ModelError, match=r"labels\.json: labels: "):
        read_exported(tmp_path)
    (tmp_path / "labels.json").write_text("{")
    with pytest.raises(ModelError, match="no JSON"):
        read_exported(tmp_path)
