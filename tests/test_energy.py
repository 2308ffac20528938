"""Energy: read from counters where there are any, asked of nobody, told where it was measured."""

import csv
import socket
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from report_studies import BERT, EN, FAST, HEAD, ZH, benched, study

from suite.child.messages import Job
from suite.config import settings
from suite.contracts.package import Package
from suite.contracts.speeds import Rps
from suite.errors import SettingsError
from suite.machine import energy
from suite.report.data.energy import bench_energy_told, energy_told
from suite.report.data.rows import leaderboard
from suite.report.pages.csv_files import engines_csv
from suite.report.pages.export import to_markdown
from suite.report.pages.page import render_page
from suite.serving.load import engine_job, loadgen
from suite.serving.load.loadgen import ScenarioResult
from suite.study import bench, jobs

codecarbon = pytest.importorskip("codecarbon")


def test_nothing_is_read_unless_it_is_wanted():
    with energy.metered(False) as reading:
        pass
    assert reading.told == {} and Job.__dataclass_fields__["energy"].default is False


def test_the_tracker_asks_nobody_and_writes_nothing(folder, monkeypatch):
    """Whatever codecarbon's own variables say."""
    reached = []

    def reach(*words, **more):
        reached.append(words)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", reach)
    monkeypatch.setattr(socket, "create_connection", reach)
    monkeypatch.setattr(socket, "getaddrinfo", reach)
    monkeypatch.setenv("CODECARBON_EMISSIONS_ENDPOINT", "http://192.0.2.1/")
    monkeypatch.setenv("CODECARBON_SAVE_TO_API", "true")
    monkeypatch.setenv("CODECARBON_OUTPUT_METHODS", "csv,api")
    monkeypatch.setenv("CODECARBON_ELECTRICITYMAPS_API_TOKEN", "secret")
    with energy.metered(True) as reading:
        sum(range(200_000))
    assert reached == [] and list(folder.iterdir()) == []
    assert reading.energy.by in ("RAPL", "NVML", "RAPL+NVML", "TDP") and reading.energy.kwh >= 0


@pytest.mark.parametrize(
    ("rapl", "nvidia", "by", "kwh"),
    [
        (True, False, "RAPL", 0.3),
        (False, True, "NVML", 0.2),
        (True, True, "RAPL+NVML", 0.5),
        (False, False, "TDP", 0.9),
    ],
)
def test_only_counters_are_measured_and_memory_by_rule_of_thumb_is_not(
    monkeypatch, rapl, nvidia, by, kwh
):
    from codecarbon.core import cpu, gpu

    monkeypatch.setattr(cpu, "is_rapl_available", lambda: rapl)
    monkeypatch.setattr(gpu, "is_nvidia_system", lambda: nvidia)
    found = SimpleNamespace(cpu_energy=0.3, gpu_energy=0.2, ram_energy=0.4, energy_consumed=0.9)
    read = energy._read(found)
    assert (read.by, read.kwh) == (by, pytest.approx(kwh))
    # A GPU that says nothing was not read.
    silent = energy._read(SimpleNamespace(cpu_energy=0.0, gpu_energy=0.0, energy_consumed=0.1))
    assert silent.by == "TDP" and energy._read(None) is None


def with_energy(*read, contended=False):
    found = study()
    told = dict(zip((FAST, HEAD, BERT), read))
    trials = [
        replace(t, contended=contended, circumstances={"energy": told[t.arm]})
        if t.number < 3 and t.arm in told
        else t
        for t in found.trials
    ]
    return replace(found, trials=trials)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (EN, "by RAPL for the whole machine: toy-qwen/linear_head 0.25 kWh."),
        (ZH, "（RAPL，整机）：toy-qwen/linear_head 0.25 kWh。"),
    ],
)
def test_a_figure_is_told_where_a_counter_was_read_and_nowhere_else(words, says):
    estimated, read = {"by": "TDP", "kwh": 0.777}, {"by": "RAPL", "kwh": 0.25}
    page = render_page(with_energy(estimated, read, {"by": "RAPL", "kwh": "much"}), words)
    assert says in page
    assert words("energy_estimated", arms=FAST) in page
    line = energy_told(with_energy(estimated), leaderboard(study()), words)
    assert "0.777" not in line and "0.78" not in line
    busy = with_energy(read, contended=True)
    assert energy_told(busy, leaderboard(busy), words) == words("energy_contended", arms=FAST)
    assert energy_told(study(), leaderboard(study()), words) == ""


def test_of_serving_the_timed_part_is_read_and_parted_among_its_texts(monkeypatch, tmp_path):
    happened = []

    @contextmanager
    def metered(wanted):
        reading = energy.Reading()
        happened.append(wanted)
        yield reading
        reading.energy = energy.Energy(by, 1e-6) if wanted else None

    def timed(*words):
        happened.append("timed")
        return ScenarioResult("Offline", valid=True, samples=40, samples_per_second=4.0)

    def calibrated(*words):
        happened.append("calibrated")
        return SimpleNamespace(min_duration_ms=1)

    monkeypatch.setattr(loadgen, "metered", metered)
    monkeypatch.setattr(loadgen, "run_test", timed)
    monkeypatch.setitem(loadgen._PLANS, "Offline", calibrated)
    by = "RAPL"
    found = loadgen.run_scenario("Offline", len, ["a"], 1.0, tmp_path, energy=True)
    assert happened == ["calibrated", True, "timed"]
    assert engine_job._joules_per_text(found) == pytest.approx(3.6 / 40)
    by = "TDP"
    found = loadgen.run_scenario("Offline", len, ["a"], 1.0, tmp_path, energy=True)
    assert found.energy.by == "TDP" and engine_job._joules_per_text(found) is None
    found = loadgen.run_scenario("Offline", len, ["a"], 1.0, tmp_path)
    assert found.energy is None and engine_job._joules_per_text(found) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (EN, f"by RAPL for the whole machine: {BERT} openvino int8 0.12 J"),
        (ZH, f"Offline 下每条文本的能耗（RAPL，整机）：{BERT} openvino int8 0.12 J"),
    ],
)
def test_of_an_engine_it_is_told_as_of_a_training(words, says):
    found = benched()
    fast, slow, wrong, absent = found.bench
    fast = replace(fast, joules_per_text=0.1234, energy_by="RAPL")
    slow = replace(slow, energy_by="RAPL")  # others computed beside it
    found = replace(found, bench=[fast, slow, replace(wrong, energy_by="RAPL"), absent])
    told = bench_energy_told(found, words)
    assert says in told and words("energy_contended", arms=f"{BERT} torch float32") in told
    assert says in render_page(found, words) and says in to_markdown(found, words)
    (row, *_) = csv.DictReader(engines_csv(found).splitlines())
    assert (row["joules_per_text"], row["energy_by"]) == ("0.1234", "RAPL")
    estimated = replace(found, bench=[replace(fast, joules_per_text=None, energy_by="TDP")])
    named = words("energy_estimated", arms=f"{BERT} openvino int8")
    assert bench_energy_told(estimated, words) == named
    assert bench_energy_told(benched(), words) == ""


def test_over_rounds_it_is_their_median():
    (first, *_) = benched().bench
    found = Rps(single_stream=first.single_stream, offline_per_second=400.0, valid=True)
    row = bench._with_rounds(replace(first, joules_per_text=9.0), found, [0.3, 0.1, 0.2])
    assert row.joules_per_text == 0.2
    assert bench._with_rounds(first, found, []).joules_per_text is None


def test_what_reads_it_must_be_there(folder, monkeypatch):
    monkeypatch.delenv("SUITE_ENERGY", raising=False)
    assert jobs._energy() is False
    (folder / "suite.toml").write_text("energy = true\n")
    assert jobs._energy() is True
    monkeypatch.setattr(jobs, "CODECARBON", Package("x", "no_such_module", "suite[energy]", "x"))
    with pytest.raises(SettingsError, match="pip install 'suite\\[energy\\]'") as told:
        jobs._energy()
    assert told.value.where == "suite.toml, line 1"
    monkeypatch.setenv("SUITE_ENERGY", "0")
    assert jobs._energy() is False
    monkeypatch.setenv("SUITE_ENERGY", "perhaps")
    with pytest.raises(SettingsError, match="energy: true or false is expected"):
        settings.settings()
