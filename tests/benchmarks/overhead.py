"""What the suite itself costs: its help, a trial beyond training, a page of 10,000 trials."""

import contextlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from suite.contracts.results import Arm, Checkpoint, Scores, StudyResults, Trial
from suite.contracts.rowfacts import DataFacts, Rows
from suite.report import write_reports
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
    """A trial from a warm forkserver beyond training and scoring: seconds from claim to record."""
    _trial("trial", "tfidf/classic", trials=12)
    _trial("trial_neural", "tiny-bert/linear_head", trials=6)


def _trial(name, arm, trials):
    from suite.cli.progress import Watching
    from suite.study.create import Wanted, create
    from suite.study.work import Limits, Work

    beyond, load = [], []

    class Stopwatch(Watching):
        def ended(self, trial):
            super().ended(trial)
            spent = (trial.train_seconds or 0) + (trial.evaluation_seconds or 0)
            # What a cache saved is charged to training, but was not waited for.
            spent -= trial.circumstances.get("saved_seconds", 0)
            beyond.append(self.seconds[trial.number] - spent)
            load.append(trial.load_seconds or 0)

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("bare.yaml").write_text(
            f"name: bare\narms: [{arm}]\ntrials: {trials}\npreflight: false\n"
            "budget: {epochs: 1}\nmeasure: {seconds: 0}\npruner: {name: none}\n"
        )
        create(Wanted(task="agnews", sample=True, recipe="bare.yaml", name="bare"))
        watch = Stopwatch()
        work = Work(None, "bare", watch, Limits())
        watch.study(work.ledger, 1)
        work.run()
    # The first trial waits for the forkserver to import torch, transformers and evaluate.
    report(
        name,
        Side(f"a trial of {arm} beyond its training and scoring", "s", beyond[1:]),
        note=f"of which loading weights: {statistics.median(load[1:]):.2f} s; the first, with the "
        f"forkserver's start: {beyond[0]:.1f} s",
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


def stored_study(folder, trials=10_000, written=100):
    """An SQLite storage in the folder with a study of many trials, as the suite writes them.

    Some are written through Optuna; the others are copies of their rows.
    """
    import optuna

    from suite.study import pruning, record, search, storage
    from suite.study.create import Wanted, create

    Path("big.yaml").write_text(
        "name: big\narms: ['tfidf/*', fasttext/classic, textcnn/classic, tiny-bert/linear_head]\n"
        f"trials: {trials}\npreflight: false\nmeasure: {{seconds: 0}}\n"
    )
    create(Wanted(task="agnews", sample=True, recipe="big.yaml", name="big"))
    opened = storage.open_storage()
    study, definition = storage.load(opened, "big")
    arms = definition.runnable
    sampler = optuna.samplers.RandomSampler(seed=0)
    alone = optuna.create_study(sampler=sampler)
    choices = optuna.distributions.CategoricalDistribution([arm.name for arm in arms])
    for facts in big_study(written, arms=1).trials:
        arm = arms[facts.number % len(arms)]
        own = {f"{arm.name}:{k}": d for k, d in search.distributions(arm).items()}
        drawn = alone.ask(own).params
        params = {key.removeprefix(f"{arm.name}:"): value for key, value in drawn.items()}
        pruned = facts.number % 3 == 2
        kept = facts.checkpoints[:2] if pruned else facts.checkpoints
        facts = replace(
            facts, arm=arm.name, params=params, checkpoints=kept,
            state="PRUNED" if pruned else "COMPLETE",
            circumstances={"device": "cpu", "precision": "float32", "steps": 300, "batch": 16},
        )  # fmt: skip
        opened.create_new_trial(
            study._study_id,
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[facts.state],
                value=facts.macro_f1,
                params={search.ARM: arm.name} | drawn,
                distributions={search.ARM: choices} | own,
                user_attrs={
                    record.TRIAL: record.pack(facts),
                    record.OWNER: {"host": "here", "pid": 1, "started": 0.0},
                    pruning.CHECKPOINTS: [[c.fraction, c.macro_f1, c.train_seconds] for c in kept],
                },
                system_attrs={"fixed_params": {search.ARM: arm.name}},
                intermediate_values={round(c.fraction * 100): c.macro_f1 for c in kept},
            ),
        )
    _copy_rows(Path(folder) / "studies" / "suite.db", written, trials // written)


def _copy_rows(file, written, times):
    """Repeats the trials 1 to `written` of a database and all that belongs to them."""
    tables = ["trial_params", "trial_values", "trial_user_attributes", "trial_system_attributes",
              "trial_intermediate_values"]  # fmt: skip
    with sqlite3.connect(file) as database:
        for copy in range(1, times):
            shift = copy * written
            for table in ["trials", *tables]:
                columns = database.execute(f"PRAGMA table_info({table})").fetchall()
                names = [c[1] for c in columns if table == "trials" or not c[5]]
                taken = [f"{n} + {shift}" if n in ("trial_id", "number") else n for n in names]
                database.execute(
                    f"INSERT INTO {table} ({', '.join(names)}) "
                    f"SELECT {', '.join(taken)} FROM {table} WHERE trial_id <= {written}"
                )


def stored():
    """What a user waits for with 10,000 trials in SQLite: whole processes; and TPE's next point."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        stored_study(folder)
        for name, words in (
            ("show", ["study", "show", "big"]),
            ("show_json", ["study", "show", "big", "--json"]),
            ("list", ["study", "list"]),
            ("report", ["report", "big", "--format", "html"]),
        ):
            side = Side(f"suite {' '.join(words)}", "s")
            for _ in range(3):
                side.values.append(_process("-m", "suite", *words))
            size = Path("reports/big.html")
            note = f"{size.stat().st_size / 1e6:.1f} MB, " if size.exists() else ""
            report(f"stored_{name}", side, note=f"{note}10,000 trials in SQLite, a whole process")


def suggestion():
    """What TPE takes to propose one arm's next point, after 1,000 trials of that arm."""
    import warnings
    from types import SimpleNamespace

    import optuna

    from suite.config.recipe import Recipe
    from suite.models.catalogue import load_catalogue
    from suite.study import sampling, search
    from suite.study.definition import StoredArm

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    dimensions = {
        "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
        "warmup": {"low": 0.0, "high": 0.2},
        "batch": [16, 32, 64],
        "schedule": ["linear", "cosine"],
    }
    arm = StoredArm(
        name="a/toy", model=load_catalogue()["tfidf"], strategy="toy", dimensions=dimensions
    )
    definition = SimpleNamespace(recipe=Recipe(name="r", arms=["a/toy"]), seed=0, runnable=[arm])
    space = {f"a/toy:{key}": found for key, found in search.distributions(arm).items()}
    space = {"arm": optuna.distributions.CategoricalDistribution(["a/toy"])} | space
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(1000):
        trial = study.ask(space)
        study.tell(trial, -abs(trial.params["a/toy:learning_rate"] - 1e-4))
    study.sampler = sampling.sampler(definition, 0)

    def ask():
        study.enqueue_trial({"arm": "a/toy"})
        study.ask(space)

    side = Side("TPE's next point after 1,000 trials of an arm", "s")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(REPEATS):
            side.values.append(timed(ask))
    report("suggestion", side)


def main():
    help_page()
    trial()
    page()
    stored()
    suggestion()
