"""TensorBoard logs of a study, read back with TensorBoard's own reader."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import write_recipe
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from typer.testing import CliRunner

import suite
from suite.cli import app
from suite.contracts.results import Checkpoint
from suite.errors import StorageError
from suite.handover.tensorboard import BY_BUDGET, BY_TIME, TensorBoard

cli = CliRunner()


def command(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def read(folder):
    """Trial number -> what TensorBoard reads of its folder."""
    found = {}
    for run in sorted(Path(folder).iterdir()):
        events = EventAccumulator(str(run))
        events.Reload()
        number = int(run.name.split("-")[0])
        assert number not in found and len(list(run.iterdir())) == 1
        found[number] = (run.name, events)
    return found


def session(events, tag):
    content = events.SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def hparams(events):
    start = session(events, metadata.SESSION_START_INFO_TAG).session_start_info
    kinds = {"number_value", "string_value", "bool_value"}
    return {
        k: next(getattr(v, f) for f in kinds if v.HasField(f)) for k, v in start.hparams.items()
    }


def test_complete_pruned_and_failed_trials_of_several_workers_and_a_resumed_study(folder, toy_task):
    recipe = write_recipe(
        folder,
        trials=8,
        arms=["tfidf/toy", "fasttext/toy"],
        spaces={"fasttext/toy": {"behaviour": ["good", "crash"]}},
        seed=3,
    )
    words = ("--recipe", recipe, "--name", "t", "--workers", "2", "--tensorboard", "logs")
    command("study", "create", toy_task, *words)
    command("study", "run", "t", "--trials", "9", "--tensorboard", "logs")
    trials = suite.load_results("t", importance=False).trials
    assert {"COMPLETE", "PRUNED", "FAIL"} <= {t.state for t in trials}
    found = read(Path("logs") / "t")
    assert sorted(found) == [t.number for t in trials]
    for trial in trials:
        name, events = found[trial.number]
        assert name == f"{trial.number:04d}-{trial.arm.replace('/', '--')}"
        knobs = hparams(events)
        assert knobs.pop("arm") == trial.arm and knobs.pop("state") == trial.state
        assert knobs == trial.params
        end = session(events, metadata.SESSION_END_INFO_TAG).session_end_info
        failed = trial.state == "FAIL"
        assert (end.status == api_pb2.Status.STATUS_FAILURE) == failed
        if failed:
            assert (
                "broke on purpose" in events.Tensors("error")[0].tensor_proto.string_val[0].decode()
            )
            assert "final/macro_f1" not in events.Tags()["scalars"]
            continue
        by_budget = [(e.step, e.value) for e in events.Scalars(BY_BUDGET)]
        by_time = [(e.step, e.value) for e in events.Scalars(BY_TIME)]
        assert by_budget == [
            (round(c.fraction * 100), pytest.approx(c.macro_f1)) for c in trial.checkpoints
        ]
        assert by_time == [
            (round(c.train_seconds * 1000), pytest.approx(c.macro_f1)) for c in trial.checkpoints
        ]
        [final] = events.Scalars("final/macro_f1")
        assert final.value == pytest.approx(trial.macro_f1)
        [seconds] = events.Scalars("final/train_seconds")
        assert seconds.value == pytest.approx(trial.train_seconds, rel=1e-5)


def test_none_are_written_unless_asked_for(folder, toy_task):
    command("study", "create", toy_task, "--recipe", write_recipe(folder, trials=1), "--name", "t")
    assert not list(folder.rglob("*tfevents*"))


def test_a_missing_package_is_told_before_anything_is_made(folder, toy_task, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    recipe = write_recipe(folder, trials=1)
    words = ("--recipe", recipe, "--name", "t", "--tensorboard", "logs")
    result = command("study", "create", toy_task, *words, code=2)
    assert "pip install tensorboard" in result.stderr
    assert not (folder / "studies").exists() and not (folder / "logs").exists()


def test_a_folder_that_cannot_be_written_is_told_and_a_full_disk_costs_only_the_logs(folder):
    (folder / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        TensorBoard(folder / "file", "t")
    said = []
    board = TensorBoard(folder / "logs", "t", say=said.append)
    board.started(0, "a/b", {"rate": 0.1})
    board._runs[0]._file.close()
    board._runs[0]._file = open("/dev/full", "wb")  # noqa: SIM115 - as a full disk answers
    board._runs[0]._writer._writer = board._runs[0]._file
    for fraction in (0.5, 1.0):
        board.scored(0, Checkpoint(fraction, 0.5, 1.0))
    board.started(1, "a/b", {})
    board.close()
    assert len(said) == 1 and "no more logs" in said[0] and "No space left" in said[0]


def test_a_trial_that_was_interrupted_leaves_a_file_that_can_be_read(folder):
    board = TensorBoard(folder / "logs", "t")
    board.started(7, "tfidf/toy", {"noise": 0.3})
    board.scored(7, Checkpoint(0.2, 0.75, 1.25))
    # While it runs, what was scored is on disk already.
    _, events = read(folder / "logs" / "t")[7]
    assert [(e.step, e.value) for e in events.Scalars(BY_TIME)] == [(1250, 0.75)]
    board.close()
    _, events = read(folder / "logs" / "t")[7]
    assert events.Tags()["scalars"] == [BY_BUDGET, BY_TIME]


def test_writing_logs_brings_neither_torch_nor_tensorflow(folder):
    program = (
        "import sys; from suite.contracts.results import Trial\n"
        "from suite.handover.tensorboard import TensorBoard\n"
        "board = TensorBoard('logs', 't')\n"
        "board.started(0, 'tfidf/toy', {'noise': 0.3, 'words': 'many', 'both': True})\n"
        "board.ended(Trial(0, 'FAIL', 'tfidf/toy', {}, error='broke'))\n"
        "print([m for m in ('torch', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
    _, events = read(folder / "logs" / "t")[0]
    assert hparams(events) == {
        "arm": "tfidf/toy", "state": "FAIL", "noise": 0.3, "words": "many", "both": True,
    }  # fmt: skip
