"""`suite bench`: engines in real children under the real LoadGen, stored, resumed and shown."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import brought
import endpoint_server
import pytest
import toy_engines
from conftest import PATIENCE, files_of, kept_of, write_recipe, write_task
from typer.testing import CliRunner

from suite.child.runner import Runner
from suite.cli import app
from suite.cli.progress import Watching
from suite.contracts.registry import Registry
from suite.contracts.results import StudyResults
from suite.contracts.speeds import BenchRow, ServerLoad, SingleStream
from suite.errors import StudyError
from suite.study import bench, bench_record, storage
from suite.study.work import Limits, Work

cli = CliRunner()
TOYS = bench.Engines(toy_engines.candidates, toy_engines.open_engine)
BROKEN = bench.Engines(toy_engines.broken, toy_engines.open_engine)


def suite(*words, code=0):
    """Runs the real command line in this process; returns what it printed."""
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def shown(name):
    return json.loads(suite("study", "show", name, "--json").stdout)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a study `t` of one toy arm with its finals, one kept checkpoint."""
    folder = tmp_path_factory.mktemp("benched")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1)
        task = write_task(folder)
        suite("study", "create", task, "--recipe", recipe, "--name", "t", "--quiet")
    return folder


@pytest.fixture
def toy_study(folder, made):
    """The study in a folder of the test's own: a project may be copied with all that is in it."""
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return "t"


def work(name):
    return Work(None, name, Watching(), Limits())


def measured(name, source=TOYS, **wanted):
    """Benches a study; its rows by engine, and what was said."""
    said: list[str] = []
    once = {"seconds": 0.2, "rounds": False}
    rows = bench.bench(work(name), bench.Wanted(**(once | wanted)), say=said.append, engines=source)
    return {row.engine: row for row in rows}, said


def hold(rows):
    """Whether the figures hold; else they are taken again, as anybody would on a busy machine."""
    figures = [(r.single_stream, r.server) for r in rows if r.state == "measured"]
    return all(figure is not None and figure.valid for pair in figures for figure in pair)


# ---------------------------------------------------------------- which is fastest


def row(arm="a", engine="torch", precision="float32", p50=1.0, offline=100.0, server=50.0, **more):
    return BenchRow(
        **{
            "arm": arm,
            "trial": 0,
            "engine": engine,
            "precision": precision,
            "host": "here",
            "state": "measured",
            "agrees": True,
            "single_stream": SingleStream(p50, None, None, True),
            "offline_per_second": offline,
            "offline_valid": True,
            "server": ServerLoad(server, 90.0, 100.0, True),
        }
        | more
    )


def test_the_fastest_is_picked_for_each_arm_and_scenario_and_overall():
    found = bench_record.fastest(
        [
            row("a", "torch", p50=2.0, offline=300.0, server=20.0),
            row("a", "openvino", p50=1.0, offline=200.0, server=20.0),
            row("b", "torch", p50=3.0, offline=10.0, server=90.0),
        ]
    )
    assert [r.fastest_in for r in found] == [
        ["Offline", "Server"],  # equal rates are both the fastest
        ["SingleStream", "Server"],
        ["SingleStream", "Offline", "Server"],
    ]
    assert [r.fastest_overall_in for r in found] == [["Offline"], ["SingleStream"], ["Server"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "disagrees", "agrees": False},
        {"agrees": False},
        {"contended": True},
        {"state": "failed"},
        {"stale": True},
    ],
)
def test_what_disagrees_or_was_contended_ranks_nowhere(changes):
    quick = row(engine="quick", p50=0.1, offline=1e6, server=1e6, **changes)
    found = bench_record.fastest([quick, row()])
    assert found[0].fastest_in == found[0].fastest_overall_in == []
    assert found[1].fastest_in == ["SingleStream", "Offline", "Server"]


def test_figures_loadgen_did_not_accept_do_not_win():
    doubtful = replace(
        row(engine="quick"),
        offline_per_second=1e6,
        offline_valid=False,
        single_stream=SingleStream(0.1, None, None, False),
        server=ServerLoad(1e6, 20.0, 100.0, False),
    )
    found = bench_record.fastest([doubtful, row()])
    assert found[0].fastest_in == []
    assert found[1].fastest_in == ["SingleStream", "Offline", "Server"]


def test_engines_of_the_same_rounds_that_can_not_be_told_apart_are_both_the_fastest():
    rates = [100.0, 101.0, 99.0, 102.0, 98.0, 103.0]

    def measured(engine, factor, named="r"):
        own = [rate * factor for rate in rates]
        latencies = [1000 / rate for rate in own]
        single = SingleStream(
            latencies[0], None, None, True, latencies, (min(latencies), max(latencies))
        )
        return row(
            engine=engine, offline=own[0], single_stream=single, windows=own,
            offline_interval=(min(own), max(own)), rounds=named,
        )  # fmt: skip

    level = replace(measured("level", 1.0), windows=[99.0, 102.0, 98.0, 103.0, 97.0, 104.0])
    found = bench_record.fastest([measured("quick", 1.001), level, measured("slow", 0.98)])
    assert [r.fastest_in[:2] for r in found] == [
        ["SingleStream", "Offline"],
        ["Offline", "Server"],  # its latencies are a thousandth above in every round
        ["Server"],
    ]
    # Of other rounds only the intervals speak, and these meet.
    apart = bench_record.fastest([measured("quick", 1.001), measured("slow", 0.98, "other")])
    assert all("Offline" in r.fastest_overall_in for r in apart)


def test_several_engines_are_measured_in_rounds(toy_study, monkeypatch):
    asked = []

    def bench_(runner, job, **more):
        asked.append((job.engine, job.seed, job.known, job.window_seconds))
        row = BenchRow(
            "tfidf/toy", 0, job.engine, job.precision, job.host, "measured", agrees=True,
            single_stream=SingleStream(2.0, 3.0, 4.0, True), offline_valid=True, refit=False,
            offline_per_second=100.0 + job.seed + (50 if job.engine == "quick" else 0),
            agreement=None if job.known else 1.0, seconds=job.seconds,
            server=None if job.known else ServerLoad(9.0, 1.0, 100.0, True),
            versions=bench.versions(job.engine), note="Offline: 9 texts in one query",
        )  # fmt: skip
        return row

    monkeypatch.setattr(Runner, "bench", bench_)
    two = bench.Engines(lambda f: toy_engines.candidates(f)[:2], toy_engines.open_engine)
    rows, said = measured("t", two, seconds=0.6, rounds=True)
    order = ["slow", "quick"], ["quick", "slow"]
    assert [engine for engine, *_ in asked] == [e for n in range(6) for e in order[n % 2]]
    assert [known for _, _, known, _ in asked] == [False] * 2 + [True] * 10
    assert all(seconds == pytest.approx(0.2) for *_, seconds in asked)
    quick = rows["quick"]
    assert quick.windows == [150.0, 151.0, 152.0, 153.0, 154.0, 155.0]
    assert (quick.offline_per_second, quick.offline_interval) == (152.5, (150.0, 155.0))
    # What was found once stands beside it.
    assert (quick.agreement, quick.server.per_second, quick.seconds) == (1.0, 9.0, 0.6)
    assert quick.note.startswith("median of 6 rounds, each after loading anew; Offline: 9 texts")
    assert quick.rounds == rows["slow"].rounds and "round 6 of 6" in " ".join(said)
    assert "Offline" in quick.fastest_in and "Offline" not in rows["slow"].fastest_in
    assert quick.fastest_in[0] == rows["slow"].fastest_in[0] == "SingleStream"
    asked.clear()
    assert measured("t", two, seconds=0.6, rounds=True)[0] == rows and asked == []
    # An engine alone is compared with nothing: once is enough. One that was is no round.
    alone = bench.Engines(lambda f: toy_engines.candidates(f)[:1], toy_engines.open_engine)
    measured("t", alone, seconds=0.3, rounds=True)
    assert asked == [("slow", 0, False, None)]
    measured("t", two, seconds=0.3, rounds=True)
    assert len(asked) == 13


def test_a_refitted_model_is_compared_and_gets_no_score_on_what_it_was_trained_on(folder, toy_task):
    recipe = write_recipe(
        folder, arms=["tfidf/toy"], trials=1, finals={"seeds": 1, "share": None, "refit": True}
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--quiet")
    quick = bench.Engines(lambda f: toy_engines.candidates(f)[1:2], toy_engines.open_engine)
    row = measured("t", quick, seconds=0.1)[0]["quick"]
    assert (row.refit, row.agreement, row.agreement_rows) == (True, 1.0, 50)
    assert row.macro_f1 is None and row.macro_f1_difference is None
    assert shown("t")["bench"][0]["macro_f1"] is None
    # Before it was refitted the same row has both.
    bench_record.store(storage.find(storage.open_storage(), "t"), replace(row, refit=False))
    assert shown("t")["bench"][0]["stale"]


def test_machines_are_not_compared():
    found = bench_record.fastest([row(), row(host="there", p50=9.0, offline=1.0, server=1.0)])
    assert [r.fastest_overall_in for r in found] == [["SingleStream", "Offline", "Server"]] * 2


def test_stored_rows_come_in_the_order_of_arms_and_unreadable_ones_are_told():
    rows = [row("b"), row("a", "slow", offline=1.0), row("a", "quick", offline=9.0)]
    attributes = {f"suite:bench:{i}": bench_record.dump(r) for i, r in enumerate(rows)}
    attributes |= {"suite:bench:later": {"of": "another version"}, "suite:kept:a": {"trial": 1}}
    unread = []
    found = bench_record.stored(attributes, {"b": (0, False), "a": (0, False)}, unread)
    assert len(unread) == 1 and unread[0].startswith("bench row later: 'arm' is missing")
    assert [(r.arm, r.engine) for r in found] == [("b", "torch"), ("a", "quick"), ("a", "slow")]
    assert bench_record.stored({}, {"a": (0, False)}, []) == []
    # Another trial is the arm's best now: these figures are of what is kept no more.
    found = bench_record.stored(attributes, {"b": (0, False), "a": (7, False)}, [])
    assert [(r.arm, r.stale, bool(r.fastest_in)) for r in found] == [
        ("b", False, True),
        ("a", True, False),
        ("a", True, False),
    ]


# ---------------------------------------------------------------- measuring


def test_engines_are_checked_measured_stored_and_ranked(toy_study, folder):
    # The test split is not needed: its rows can be gone.
    (files_of("t") / "data" / "test.parquet").unlink()
    rows, said = measured("t", seconds=0.5)
    for _ in range(9):
        if hold(rows.values()):
            break
        rows, _ = measured("t", seconds=0.5, again=True)
    quick, slow, liar, absent = (rows[e] for e in ("quick", "slow", "liar", "absent"))
    assert quick.state == slow.state == "measured" and quick.agrees and slow.agrees
    assert (quick.agreement, quick.agreement_rows, quick.macro_f1_difference) == (1.0, 50, 0.0)
    assert slow.single_stream.valid and slow.single_stream.p50_ms >= 2.0
    assert 0.5 <= quick.single_stream.p50_ms < slow.single_stream.p50_ms
    assert quick.offline_per_second > 0 and quick.offline_valid
    assert (quick.server.bound_ms, quick.server.valid) == (100.0, True)
    assert quick.server.p99_ms <= 100 and quick.server.per_second > 100
    assert (quick.device, quick.batch, quick.trial) == ("toy-device", 32, 0)
    assert (quick.load_seconds, quick.prepare_seconds, quick.seconds) == (0.25, 1.5, 0.5)
    assert quick.measured and not quick.contended and "texts in one query" in quick.note
    assert "SingleStream" in quick.fastest_in and "SingleStream" not in slow.fastest_in
    # What answers otherwise is not timed.
    assert (liar.state, liar.agrees, liar.single_stream, liar.server) == (
        "disagrees",
        False,
        None,
        None,
    )
    assert liar.agreement < 0.99 and liar.macro_f1_difference < -0.003 and liar.reason
    assert liar.fastest_in == []
    assert (absent.state, absent.reason) == (
        "refused",
        "absent is not installed; pip install absent",
    )
    text = "\n".join(said)
    for part in (
        "absent is not installed",
        "[1/3] tfidf/toy · slow float32: the trained model's own answers on 50 validation rows",
        "[1/3] tfidf/toy · slow float32: Server, the highest rate with p99 within 100 ms",
        "[2/3] tfidf/toy · quick int8: p50 ",
        "[3/3] tfidf/toy · liar int8: disagrees: ",
    ):
        assert part in text, text
    # The model's own answers are asked once, and converted models do not pile up.
    assert text.count("the trained model's own answers") == 1
    left = [p.name for p in (files_of("t") / "bench").rglob("*") if p.is_file()]
    assert left == [f"{kept_of('t', 'tfidf/toy').name}.npy"]
    found = shown("t")
    assert found["test_openings"] == 1 and found["schema_version"] == 1
    engines = [b["engine"] for b in found["bench"]]
    assert engines[:2] == ["quick", "slow"] and set(engines[2:]) == {"liar", "absent"}
    assert StudyResults.from_json(found).bench[0].server is not None


def test_what_is_recorded_is_not_measured_again_unless_asked(toy_study):
    only_quick = bench.Engines(lambda f: toy_engines.candidates(f)[1:2], toy_engines.open_engine)
    before, _ = measured("t", only_quick)
    after, said = measured("t", only_quick)
    assert after == before
    assert said == ["recorded with these settings: 1 engine; --again measures anew"]
    _, said = measured("t", only_quick, again=True)
    assert any("SingleStream" in line for line in said)
    other, said = measured("t", only_quick, seconds=0.1)
    assert other["quick"].seconds == 0.1 and any("SingleStream" in line for line in said)
    # An engine that can't be opened any more keeps what was measured with it.
    gone = bench.Engines(
        lambda f: [toy_engines.Candidate("quick", "int8", "uninstalled")], toy_engines.open_engine
    )
    kept, said = measured("t", gone, seconds=0.1)
    assert kept == other and said == ["tfidf/toy · quick int8: refused: uninstalled"]


def test_an_upgrade_of_an_engine_that_declares_no_packages_is_noticed(
    toy_study, tmp_path, monkeypatch
):
    def install(version):
        entry_points = "[suite.engines]\nlater = later:Later\n"
        brought.install(tmp_path / "l", monkeypatch, "later", version, entry_points, brought.ENGINE)

    install("1.0")
    monkeypatch.setattr("suite.serving.engines._KNOWN", Registry("engine", "suite.engines", {}))
    source = bench.Engines(
        lambda f: [toy_engines.Candidate("later", "float32")], toy_engines.open_engine
    )
    before, _ = measured("t", source)
    _, said = measured("t", source)
    assert said == ["recorded with these settings: 1 engine; --again measures anew"]
    install("2.0")
    after, said = measured("t", source)
    assert any("SingleStream" in line for line in said)
    told = [found["later"].versions["later"] for found in (before, after)]
    assert told == ["1.0", "2.0"]


def test_engines_that_break_are_rows_with_reasons_and_the_rest_goes_on(toy_study, folder):
    rows, said = measured("t", BROKEN)
    assert {name: r.state for name, r in rows.items()} == {
        "dies": "failed",
        "raises": "failed",
        "raises_later": "failed",
        "declines": "refused",
    }
    assert "the child died of SIGKILL" in rows["dies"].reason
    assert rows["raises"].reason == "RuntimeError: no weights left"
    kept = files_of("t") / "bench" / "tfidf--toy"
    assert "Traceback" in (kept / "raises-float32-log.txt").read_text()
    assert str(kept / "dies-float32-log.txt") in rows["dies"].reason
    assert "failed while it was served (SingleStream)" in rows["raises_later"].reason
    assert rows["declines"].reason == "this model has an operation that the engine lacks"
    assert all(r.fastest_in == [] for r in rows.values())
    # What failed is tried again, without --again.
    _, said = measured("t", BROKEN)
    assert "[1/4]" in "\n".join(said)


def test_trials_that_run_meanwhile_make_the_figures_contended(toy_study):
    only_quick = bench.Engines(lambda f: toy_engines.candidates(f)[1:2], toy_engines.open_engine)
    opened = work("t")
    trial = opened.ledger.study.ask()
    trial.set_user_attr("suite:owner", opened.ledger.owner)
    rows, _ = measured("t", only_quick)
    assert rows["quick"].contended and rows["quick"].fastest_in == []
    assert "no rank" in rows["quick"].note
    opened.ledger.study.tell(trial, state=storage.optuna.trial.TrialState.FAIL)
    rows, _ = measured("t", only_quick)  # contended figures do not count as recorded
    assert not rows["quick"].contended and "Offline" in rows["quick"].fastest_in


def test_what_cannot_be_benched_is_said(toy_study, folder):
    with pytest.raises(StudyError, match="no engine 'quik'") as error:
        measured("t", engines=["quik"])
    assert "Did you mean 'quick'?" in str(error.value)
    assert "Did you mean 't'?" in suite("bench", "tt", code=2).stderr
    told = suite("bench", "t", "--arm", "tfdif/*", code=2).stderr
    assert "no arm 'tfdif/*'" in told and "Did you mean 'tfidf/toy'?" in told
    recipe = write_recipe(folder, name="other", arms=["tfidf/toy"], trials=1)
    suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "new", "--no-run")
    told = suite("bench", "new", code=2).stderr
    assert "keeps no checkpoint of any arm on this machine" in told
    assert "suite study run new" in told
    study, _ = storage.load(storage.open_storage(), "t")
    elsewhere = {"host": "far", "mark": "00000000"}
    study.set_user_attr(
        "suite:kept:tfidf/toy", study.user_attrs["suite:kept:tfidf/toy"] | elsewhere
    )
    told = suite("bench", "t", code=2).stderr
    assert "tfidf/toy's is on far" in told and "Traceback" not in told


# ---------------------------------------------------------------- Ctrl-C

INTERRUPTIBLE = """
import sys, toy_engines
from suite.study import bench
from suite.cli import main
choice = getattr(toy_engines, sys.argv.pop(1))
bench._real = lambda: bench.Engines(choice, toy_engines.open_engine)
main()
"""


def start(choice, *words):
    return subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, choice, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_keeps_what_was_measured_and_the_next_run_goes_on(toy_study, monkeypatch):
    process = start("one_hangs", "bench", "t", "--once", "--seconds", "0.2")
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "hangs float32: loading and converting" in line:
            break
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the children as well
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, (lines, out, error)
    assert "Go on with the same command" in error and "Traceback" not in error
    assert [b["engine"] for b in shown("t")["bench"]] == ["quick"]
    monkeypatch.setattr(bench, "_real", lambda: TOYS)
    told = suite("bench", "t", "--seconds", "0.2", "--engine", "quick", "--json")
    assert "settings: 1 engine;" in told.stderr and "Offline, " not in told.stderr
    found = json.loads(told.stdout)
    assert (found["study"], [b["engine"] for b in found["bench"]]) == ("t", ["quick"])


# ---------------------------------------------------------------- the real engines


def test_trained_arms_behind_real_engines_end_to_end(folder):
    recipe = write_recipe(
        folder,
        arms=["tfidf/classic", "tiny-bert/linear_head"],
        trials=2,
        budget={"epochs": 1, "checkpoints": 1},
        finals={"seeds": 1},
    )
    suite(
        "study", "create", "agnews", "--sample", "--recipe", recipe, "--name", "s", "--quiet",
        "--train-rows", "300",
    )  # fmt: skip
    words = ("bench", "s", "--once", "--seconds", "0.6", "--engine", "python", "--engine", "torch")
    for again in ((), *[("--again",)] * 9):
        told = suite(*words, "--quiet", *again)
        assert told.stderr == ""
        found = shown("s")
        if hold(StudyResults.from_json(found).bench):
            break
    rows = {(b["arm"], b["engine"], b["precision"]): b for b in found["bench"]}
    own = rows["tfidf/classic", "python", "float32"]
    net = rows["tiny-bert/linear_head", "torch", "float32"]
    assert "BUNDLED SAMPLE" in told.stdout and "Fastest: SingleStream tfidf/classic" in told.stdout
    for one in (own, net):
        assert (one["state"], one["agreement"], one["agreement_rows"]) == ("measured", 1.0, 600)
        assert one["single_stream"]["p50_ms"] > 0 and one["offline_per_second"] > 0
        assert one["server"]["per_second"] > 0 and one["server"]["p99_ms"] <= 100
        assert one["load_seconds"] > 0 and one["threads"] > 0 and one["batch"] > 0
    assert own["fastest_in"] == own["fastest_overall_in"] == ["SingleStream", "Offline", "Server"]
    assert {b["engine"] for b in found["bench"]} == {"python", "torch"}
    assert set(net["versions"]) == {"torch", "transformers"}
    assert found["test_openings"] == 1
    told = suite("bench", "s", "--once", "--seconds", "0.6", "--arm", "tfidf/*")
    assert "settings: 1 engine;" in told.stderr


# ---------------------------------------------------------------- servers


def test_a_server_is_put_under_load_only_where_it_is_allowed(folder, toy_task):
    with endpoint_server.server("good") as one:
        recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1)
        suite(
            "study", "create", toy_task, "--recipe", recipe, "--name", "e", "--quiet",
            "--endpoint", one.url, "--endpoint-model", "toy", "--arms", "toy-served/zero_shot",
        )  # fmt: skip
        asked = one.posts
        told = suite("bench", "e", "--seconds", "0.2")
        assert one.posts == asked
        assert "every request may cost money; --endpoints" in told.stderr
        [refused] = shown("e")["bench"]
        assert (refused["engine"], refused["state"]) == ("endpoint", "refused")
        suite("bench", "e", "--seconds", "0.6", "--endpoints")
        [row] = shown("e")["bench"]
        assert row["state"] == "measured" and row["agreement"] is None and row["agrees"]
        assert row["single_stream"]["p50_ms"] > 0 and row["offline_per_second"] > 0
        assert one.posts > asked


# ---------------------------------------------------------------- shown


def test_the_table_and_the_report_show_the_engines(toy_study, folder, monkeypatch):
    monkeypatch.setattr(bench, "_real", lambda: TOYS)
    for again in ((), *[("--again",)] * 9):
        told = suite("bench", "t", "--once", "--seconds", "0.4", *again)
        if hold(StudyResults.from_json(shown("t")).bench):
            break
    out, error = told.stdout, told.stderr
    lines = out.splitlines()
    engines = [
        e for line in lines for e in ("quick", "slow", "liar", "absent") if f"\t{e}\t" in line
    ]
    assert engines[:2] == ["quick", "slow"] and set(engines[2:4]) == {"liar", "absent"}
    assert "answered within 100 ms" in out and "disagrees" in out and "100.00%" in out
    assert "Fastest: SingleStream tfidf/toy on quick int8" in out
    assert error.splitlines()[-1] == "Next: suite report t"
    suite("report", "t", "--out", "pages")
    rows = list(csv.DictReader((folder / "pages" / "t-engines.csv").open(encoding="utf-8")))
    assert [r["engine"] for r in rows][:2] == ["quick", "slow"] and len(rows) == 4
    assert float(rows[0]["server_per_second"]) > 0 and rows[0]["agrees"] == "true"
    assert "## Serving engines" in (folder / "pages" / "t.md").read_text()
    assert 'id="engines"' in (folder / "pages" / "t.html").read_text()


def test_a_study_that_is_deleted_while_it_is_measured_is_told(toy_study):
    running = work(toy_study)

    def delete(done, total, what):
        if done == 1:  # one engine is measured and stored
            suite("study", "delete", toy_study, "--yes")

    with pytest.raises(StudyError, match="'t' was deleted by somebody"), running.ledger.guarded():
        bench.bench(running, bench.Wanted(seconds=0.1), say=print, watch=delete, engines=TOYS)
    assert "No studies" in suite("study", "list").stdout
