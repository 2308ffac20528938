"""`suite report`: what the command writes, and `--watch` beside a study that runs, as processes."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from conftest import PATIENCE, inside, write_recipe, write_task
from test_study import suite

from suite.cli.schemas import FOLDER


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def refreshes(path):
    return path.is_file() and 'http-equiv="refresh"' in path.read_text(encoding="utf-8")


def read(path):
    """What a page says, without its marks."""
    return re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8"))


def watching(folder, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "suite", "report", "toy", "--watch", "--every", "1", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip


def test_watch_keeps_the_page_fresh_and_ends_with_the_study(folder, toy_task):
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "toy", "--no-run")
    page = folder / "reports" / "toy.html"
    watch = watching(folder, "--format", "html")
    try:
        until(lambda: refreshes(page))
        assert "No arm has finished a trial yet" in read(page)
        suite("study", "run", "toy", "--quiet")
        out, told = watch.communicate(timeout=PATIENCE)
    finally:
        watch.kill()
    assert watch.returncode == 0, told
    assert out.strip() == "reports/toy.html"
    assert "2/2 trials" in told
    assert not refreshes(page)
    assert "No arm has finished a trial yet" not in read(page) and "Take " in read(page)


def test_watch_ends_by_interrupt_with_the_page_kept(folder, toy_task):
    recipe = write_recipe(folder)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "toy", "--no-run")
    page = folder / "reports" / "toy.html"
    watch = watching(folder)
    try:
        until(lambda: refreshes(page))
        watch.send_signal(signal.SIGINT)
        _, told = watch.communicate(timeout=PATIENCE)
    finally:
        watch.kill()
    assert watch.returncode == 130 and "Traceback" not in told
    assert page.is_file()


def test_watch_ends_where_its_study_is_deleted(folder, toy_task):
    recipe = write_recipe(folder)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "toy", "--no-run")
    page = folder / "reports" / "toy.html"
    watch = watching(folder, "--format", "html")
    try:
        until(lambda: refreshes(page))
        suite("study", "delete", "toy", "--yes")
        _, told = watch.communicate(timeout=PATIENCE)
    finally:
        watch.kill()
    assert watch.returncode == 2 and "Traceback" not in told
    assert "no study 'toy'" in told or "deleted by somebody meanwhile" in told
    assert page.is_file()


def test_a_page_that_a_killed_command_left_half_written_is_removed(folder, toy_task):
    recipe = write_recipe(folder)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "toy", "--no-run")
    out = folder / "reports"
    out.mkdir()
    dead, alive = out / f".toy.html.{2**22 + 1}.part", out / f".toy.html.{os.getpid()}.part"
    own = out / ".notes.part"
    for file in (dead, alive, own):
        file.write_bytes(b"x" * 1000)
    told = suite("report", "toy", "--format", "md").stderr
    assert "had left in reports: 1.0 kB" in told
    assert not dead.exists() and alive.exists() and own.exists()


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with a study `toy` that is done."""
    with inside(tmp_path_factory.mktemp("done")) as place:
        task = write_task(place)
        write_recipe(place, trials=2)
        suite("study", "create", task, "--recipe", "toys.yaml", "--name", "toy", "--quiet")
    return place


@pytest.fixture
def run_study(folder, once):
    return shutil.copytree(once, folder, dirs_exist_ok=True)


def test_missed_rows_are_those_that_no_arm_gets_right(run_study):
    import optuna

    from suite.study.predictions_record import stored

    study = optuna.load_study(study_name="toy", storage="sqlite:///studies/suite.db")
    kept = stored(study, [])
    wrong = [
        row
        for row, label in enumerate(kept.labels)
        if all(seeds[0][row] != label for seeds in kept.arms.values())
    ]
    rows = [json.loads(line) for line in Path("data/test.jsonl").read_text("utf-8").splitlines()]
    assert [row["label"] for row in rows] == kept.labels
    written = suite("report", "toy", "--format", "html,json", "--examples").stdout.split()
    told = json.loads((run_study / "reports" / "toy.json").read_text(encoding="utf-8"))
    assert told["missed_total"] == len(wrong) > 0
    assert [m["row"] for m in told["missed"]] == wrong
    assert [m["text"] for m in told["missed"]] == [rows[i]["text"] for i in wrong]
    assert rows[wrong[0]]["text"] in (run_study / written[-1]).read_text(encoding="utf-8")
    suite("report", "toy", "--format", "html,json")
    told = json.loads((run_study / "reports" / "toy.json").read_text(encoding="utf-8"))
    assert told["missed"] == [] and told["missed_total"] == len(wrong)
    page = (run_study / "reports" / "toy.html").read_text(encoding="utf-8")
    assert rows[wrong[0]]["text"] not in page, "no text of the data without --examples"


def test_single_errors_are_shown_counted_and_written(run_study):
    from suite import api

    found = api.load_results("toy", importance=False)
    kept = found.predictions
    arm = min(kept.arms)
    wrong = [row for row, label in enumerate(kept.labels) if kept.arms[arm][0][row] != label]
    sure = kept.confidences[arm]
    assert len(sure) == len(kept.labels) and all(0.5 <= share <= 1 for share in sure)
    every = json.loads(suite("errors", "toy", "--json").stdout)
    told = json.loads(suite("errors", "toy", "--json", "--arm", arm).stdout)
    assert {row["row"] for row in told["rows"]} == set(wrong) <= {r["row"] for r in every["rows"]}
    assert told["errors"] == len(wrong) > 1
    first = told["rows"][0]["answers"][arm]
    assert (
        first["probability"] == sure[told["rows"][0]["row"]]
        and first["label"] != told["rows"][0]["true"]
    )
    pair = told["confused"][0]
    assert sum(p["rows"] for p in told["confused"]) == len(wrong)
    only = f"{pair['true']},{pair['predicted']}"
    told = json.loads(suite("errors", "toy", "--json", "--confused", only, "--arm", arm).stdout)
    assert told["errors"] == pair["rows"] and {r["true"] for r in told["rows"]} == {pair["true"]}
    shown = suite("errors", "toy", "--limit", "1").stdout
    assert re.findall(r"^row (\d+): ", shown, flags=re.M) == [str(every["rows"][0]["row"])]
    suite("errors", "toy", "--out", "wrong.csv")
    with Path("wrong.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == every["errors"] and float(rows[0][f"{arm} probability"]) > 0
    for words, message in (
        (("--arm", "no/arm"), "'no/arm' has no answers on test"),
        (("--confused", "ham"), "is not two classes"),
        (("--confused", "ham,nowhere"), "'nowhere' is no class"),
        (("--out", "x.txt"), "neither .csv nor .jsonl"),
        (("--out", "wrong.csv"), "exists"),
    ):
        assert message in " ".join(suite("errors", "toy", *words, code=2).stderr.split())
    # The test split is not opened by looking.
    assert api.load_results("toy", importance=False).test_openings == found.test_openings


def test_answers_kept_before_probabilities_were_are_read():
    import optuna

    from suite.study import predictions_record

    study = optuna.create_study()
    predictions_record.store(study, [0, 1], {"a": [[0, -1]]}, {"a": [0.123, 0.0]})
    found = predictions_record.stored(study, [])
    assert found.confidences == {"a": [0.125, None]} and found.arms == {"a": [[0, -1]]}
    old = dict(study.user_attrs[predictions_record.PREDICTIONS])
    del old["confidences"]
    study.set_user_attr(predictions_record.PREDICTIONS, old)
    found = predictions_record.stored(study, [])
    assert found.confidences == {} and found.labels == [0, 1]


def test_the_report_keeps_to_its_published_schema(run_study):
    suite("report", "toy", "--format", "json")
    told = json.loads((run_study / "reports" / "toy.json").read_text(encoding="utf-8"))
    schema = json.loads((FOLDER / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, schema)
    assert told["schema_version"] == 1 and told["leaderboard"][0]["rank"] == 1
    told["leaderboard"][0]["rank"] = "first"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, schema)


def test_examples_after_finals_that_kept_no_answers_exit_with_2(run_study):
    import optuna

    study = optuna.load_study(study_name="toy", storage="sqlite:///studies/suite.db")
    study.set_user_attr("suite:predictions", None)
    told = suite("report", "toy", "--examples", code=2).output
    assert re.search(r"no examples to show.*suite finals toy", " ".join(told.split()))
    suite("report", "toy")
