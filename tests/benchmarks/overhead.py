"""What the suite itself costs: its help, a trial beyond training, a page of 10,000 trials."""

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from suite.report import write_reports
from suite.results import (
    Arm,
    Checkpoint,
    DataFacts,
    Rows,
    Scores,
    StudyResults,
    Trial,
)
from tests.benchmarks.common import Side, alternate, report, timed

REPEATS = 5


def _process(*words):
    return timed(lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True))


def help_page():
    """`suite --help` against Python importing typer and rich alone, which it can't do without."""
    report(
        "help",
        *alternate(
            (Side("suite --help", "s"), lambda: _process("-m", "suite", "--help")),
            (
                Side("python -c 'import typer, rich.console'", "s"),
                lambda: _process("-c", "import typer, rich.console"),
            ),
            REPEATS,
        ),
    )


def trial():
    """A trial from a warm forkserver, beyond its training: seconds from claim to record."""
    from suite.cli.progress import Watching
    from suite.study.create import Wanted, create
    from suite.study.work import Limits, Work

    class Stopwatch(Watching):
        def ended(self, trial):
            super().ended(trial)
            spent = self.seconds[trial.number]
            self.beyond = [*getattr(self, "beyond", []), spent - (trial.train_seconds or 0)]

    import os

    with tempfile.TemporaryDirectory() as folder:
        home = Path.cwd()
        os.chdir(folder)
        try:
            Path("bare.yaml").write_text(
                "name: bare\narms: [tfidf/classic]\ntrials: 12\npreflight: false\n"
                "measure: {seconds: 0}\n"
            )
            create(Wanted(task="agnews", sample=True, recipe="bare.yaml", name="bare"))
            watch = Stopwatch()
            work = Work(None, "bare", watch, Limits())
            watch.study(work)
            work.run()
        finally:
            os.chdir(home)
    # The first trial waits for the forkserver to import torch, transformers and evaluate.
    report(
        "trial",
        Side("a tfidf trial beyond its training (scoring 600 texts)", "s", watch.beyond[1:]),
        note=f"the first, with the forkserver's start: {watch.beyond[0]:.1f} s",
    )


def big_study(trials=10_000, arms=6):
    """Results of a study with many trials."""
    names = [f"model{i}/linear_head" for i in range(arms)]
    scores = Scores(0.9, 0.9, 0.9, 0.9, [0.9] * 4, [[90, 4, 3, 3]] * 4)
    return StudyResults(
        study="big",
        task="big",
        data=DataFacts("made", "0" * 16, Rows(1000, 100, 400)),
        environment={},
        arms=[Arm(name, trials=trials // arms, family="encoder") for name in names],
        trials=[
            Trial(
                number=i,
                state="COMPLETE",
                arm=names[i % arms],
                params={"learning_rate": 1e-5 * (1 + i % 97), "batch": 16},
                checkpoints=[Checkpoint(f / 5, 0.8 + f / 100, 1.0 * f) for f in range(1, 6)],
                validation=replace(scores, macro_f1=0.8 + (i * 7919 % 1000) / 10_000),
                train_seconds=1.0 + i % 13,
            )
            for i in range(trials)
        ],
        test_openings=0,
        finals=[],
        labels=["a", "b", "c", "d"],
    )


def page():
    """The page of a 10,000-trial study."""
    results = big_study()
    side = Side("page of a study of 10,000 trials", "s")
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3):
            side.values.append(
                timed(lambda: write_reports([results], Path(folder), ["html"], "en"))
            )
        size = (Path(folder) / "big.html").stat().st_size / 1e6
    report("page", side, note=f"{size:.1f} MB, plotly.js included")


def main():
    help_page()
    trial()
    page()
