"""A metric is one entry: what it takes for one more to be scored, stored, drawn and written."""

import json
import subprocess
import sys

ONE_MORE = """
import json, sys
from pathlib import Path
import numpy as np
from suite.verdict import metrics

metrics.METRICS["kappa"] = metrics.Metric(
    "kappa", {"en": "Kappa", "zh": "卡帕"}, "Agreement beyond chance.",
    lambda confusion: (
        lambda rows, by: (np.trace(confusion[:, :-1]) * rows - by) / (rows**2 - by)
    )(confusion.sum(), (confusion.sum(axis=1) * confusion.sum(axis=0)[:-1]).sum()),
)
metrics.COLUMNS = tuple(m for m in metrics.METRICS.values() if m.column)

from dataclasses import replace
from suite.contracts.results import StudyResults, Trial, trial_adapter
from suite.report import write_reports
from suite.study import attributes, record
from suite.verdict.scoring import score

scores = score(np.array([0, 0, 1, 1]), [0, 1, 1, 1], 2)
folder = Path(sys.argv[1])
results = StudyResults.from_json((folder / "study.json").read_text(encoding="utf-8"))
trials = [replace(t, validation=replace(t.validation, others={"kappa": 0.4321}))
          if t.validation else t for t in results.trials]
finals = [replace(f, test=replace(f.test, others={"kappa": 0.1234})) for f in results.finals]
results = replace(results, trials=trials, finals=finals)
write_reports([results], folder / "out", ["html", "json", "csv", "md"], "zh")
kept = record.unpack(record.pack(next(t for t in trials if t.validation)))
print(json.dumps({
    "scored": scores.others["kappa"],
    "dashboard": attributes.of_trial(next(t for t in trials if t.validation))["kappa"],
    "kept": kept.validation.others["kappa"],
}))
"""


def test_one_more_metric_is_one_entry(tmp_path):
    from report_studies import study

    results = study()
    (tmp_path / "study.json").write_text(json.dumps(results.to_json()), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", ONE_MORE, tmp_path], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert round(told["scored"], 4) == 0.5
    assert (told["dashboard"], told["kept"]) == (0.4321, 0.4321)
    out = tmp_path / "out"
    (page,) = out.glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "测试集卡帕" in text and "0.1234" in text
    (board,) = out.glob("*-leaderboard.csv")
    head, first, *_ = board.read_text(encoding="utf-8").splitlines()
    assert {"test_kappa", "validation_kappa"} <= set(head.split(",")) and "0.1234" in first
    (trials,) = out.glob("*-trials.csv")
    assert "kappa" in trials.read_text(encoding="utf-8").splitlines()[0].split(",")
    (written,) = out.glob("*.json")
    assert '"test_kappa": 0.1234' in written.read_text(encoding="utf-8")
