"""A study under SIGKILLs at random times: nothing lost, no arm retired, finished as asked.

    python -m tests.endurance.kills --kills 100 --seed 0

A study of three arms is run by two workers. At random times its training child, its forkserver,
the command itself, or the command and its child at once are killed, and the command is started
again where it died. Afterwards the study is run to its end and counted. A point is lost if it was
started and was neither finished nor queued again. Prints one JSON object; exits with 1 where a
promise is broken.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna
import psutil
from optuna.trial import TrialState

from suite.study import internals, storage
from suite.study.record import OUT

ARMS = ("tfidf/classic", "fasttext/classic", "textcnn/classic")
VICTIMS = ("child", "forkserver", "parent", "both")
#: A trial that never comes to its end must not hold up the next shot.
PATIENCE_SECONDS = 60
#: Trials that are still to be done when the last shot has fallen.
REST = 12
WORDS = {
    "sport": "match goal team win player coach league cup score".split(),
    "money": "stock market bank oil price profit share trade fund".split(),
    "tech": "chip phone software cloud code server data network app".split(),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        found = endure(asked.kills, random.Random(asked.seed))
    json.dump(found, sys.stdout, indent=2)
    print()
    broken = found["lost"] or found["retired"] or found["finished"] != found["asked"]
    sys.exit(1 if broken or found["exit"] else 0)


def endure(kills, chance):
    """Makes the study, kills, finishes, counts."""
    _prepare()
    _suite("study", "create", "toy.yaml", "--recipe", "kills.yaml", "--name", "k", "--no-run")
    shots = {victim: 0 for victim in VICTIMS}
    recovered = {victim: [] for victim in VICTIMS}
    command, ends = _start(), []
    while sum(shots.values()) < kills and len(ends) < kills:
        _wait(command, chance)
        if command.poll() is not None:  # it ended by itself: that is told, and it goes on
            ends.append(command.returncode)
            command = _start()
            continue
        victim = chance.choice(VICTIMS)
        before, begun = _started(), time.monotonic()
        if not _shoot(command, victim):
            continue
        shots[victim] += 1
        if victim in ("parent", "both"):
            command.wait()
            command = _start()
        while _started() <= before and command.poll() is None:
            time.sleep(0.05)
        recovered[victim].append(time.monotonic() - begun)
    command.send_signal(signal.SIGINT)
    ends.append(command.wait())
    asked = _finished() + REST
    last = _suite("study", "run", "k", "--trials", str(asked), check=False)
    return {
        "kills": shots,
        "seconds_to_the_next_trial": {
            victim: {"median": round(statistics.median(s), 1), "most": round(max(s), 1)}
            for victim, s in recovered.items()
            if s
        },
        "ends_by_itself": ends,
        "exit": last.returncode,
        "asked": asked,
        **_count(),
    }


def _prepare():
    chance = random.Random(0)
    Path("good").mkdir()
    for split, rows in (("train", 150), ("validation", 60), ("test", 60)):
        with Path("good", f"{split}.jsonl").open("w") as out:
            for row in range(rows):
                label = list(WORDS)[row % len(WORDS)]
                text = " ".join(chance.choice(WORDS[label]) for _ in range(8))
                out.write(json.dumps({"text": f"{text} {split} {row}", "label": label}) + "\n")
    labels = "".join(f"  - name: {label}\n" for label in WORDS)
    Path("toy.yaml").write_text(
        f"name: toy\ntitle: Toy\nlanguage: en\nlabels:\n{labels}"
        "data: {folder: good, text: [text], label: label, licence: ours}\n"
    )
    Path("kills.yaml").write_text(
        f"name: kills\narms: [{', '.join(ARMS)}]\ntrials: 100000\npreflight: false\n"
        "measure: {seconds: 0}\npruner: {name: none}\n"
    )


def _suite(*words, check=True):
    return subprocess.run(
        [sys.executable, "-m", "suite", *words],
        check=check,
        stdout=subprocess.DEVNULL,
        stderr=None if not check else subprocess.DEVNULL,
    )


def _start():
    """The command, in a session of its own, its output kept for whoever looks."""
    out = open("run.log", "a")  # noqa: SIM115 - the child holds it
    return subprocess.Popen(
        [sys.executable, "-m", "suite", "study", "run", "k", "--workers", "2"],
        stdout=out,
        stderr=out,
        start_new_session=True,
    )


def _wait(command, chance):
    """Until a trial runs, or until one more has ended, or for nothing; then a while longer."""
    awaited = chance.choice((_running, _running, _finished, None))
    before, until = awaited and awaited(), time.monotonic() + PATIENCE_SECONDS
    while awaited and command.poll() is None and time.monotonic() < until:
        if awaited() > (0 if awaited is _running else before):
            break
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        command.wait(chance.uniform(0, 3))


def _shoot(command, victim):
    """Kills; says whether there was anything to kill."""
    try:
        parent = psutil.Process(command.pid)
        servers = [p for p in parent.children() if "forkserver" in " ".join(p.cmdline())]
        children = [child for server in servers for child in server.children()]
    except psutil.NoSuchProcess:
        return False
    targets = {
        "child": children[:1],
        "forkserver": servers[:1],
        "parent": [parent],
        "both": [parent, *children[:1]],
    }[victim]
    for target in targets:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(target.pid, signal.SIGKILL)
    return bool(targets)


def _trials():
    study = storage.find(storage.open_storage(), "k")
    return study, study.get_trials(deepcopy=False)


def _running():
    return _count_of("state = 'RUNNING'")


def _finished():
    return _count_of("state in ('COMPLETE', 'PRUNED')")


def _started():
    return _count_of("datetime_start is not null")


def _count_of(condition):
    return _query(f"select count(*) from trials where {condition}")[0][0]


def _query(text):
    with contextlib.closing(sqlite3.connect("studies/suite.db", timeout=60)) as connection:
        return connection.execute(text).fetchall()


def _count():
    """What became of every point that was started."""
    study, trials = _trials()
    alive = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.WAITING)
    there = [_point(trial) for trial in trials if trial.state in alive]
    lost = [
        trial.number
        for trial in trials
        # One that died while its sampler spoke is part of the point that came of it; one whose
        # sampler had said nothing yet was no point.
        if trial.state not in alive
        and _point(trial)
        and not any(_point(trial).items() <= point.items() for point in there)
    ]
    return {
        "finished": sum(trial.state in alive[:2] for trial in trials),
        "failed": sum(trial.state == TrialState.FAIL for trial in trials),
        "still_running": sum(trial.state == TrialState.RUNNING for trial in trials),
        "lost": lost,
        "retired": study.user_attrs.get(OUT, {}),
    }


def _point(trial: optuna.trial.FrozenTrial):
    return internals.given(trial) or trial.params


if __name__ == "__main__":
    main()
