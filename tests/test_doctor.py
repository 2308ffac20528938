"""The machine's facts and checks, on made-up /proc files, packages and an nvidia-smi of our own."""

from __future__ import annotations

import io
import json
import os
import socket
import stat
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from conftest import effort, piece_of_work
from typer.testing import CliRunner

from suite import strategies
from suite.cli import app
from suite.contracts import package as declared_package
from suite.machine import checks, facts
from suite.serving import engines


@pytest.fixture(autouse=True)
def fresh_answers():
    facts.gpus.cache_clear()
    facts._cpuinfo.cache_clear()
    yield
    facts.gpus.cache_clear()
    facts._cpuinfo.cache_clear()


#: What only some work of strategies and engines needs.
DECLARED = (*strategies.packages(), *engines.packages())


def check(name, **asked):
    (found,) = [one for one in checks.checks(**asked) if one.name == name]
    return found


def package(folder, name, version):
    """Pretends that this version of a package is installed, before any other on the path."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def nvidia_smi(folder, monkeypatch, script):
    folder.mkdir()
    command = folder / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


no_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")

H200 = "NVIDIA H200, 143771, 570.86.15, 9.0"
P100 = "Tesla P100-PCIE-16GB, 16384, 570.86.15, 6.0"


def test_environment_is_json_and_names_what_counts():
    found = facts.environment()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert 0 < found["cpu"]["usable"] <= found["cpu"]["logical_cores"]
    assert 0 < found["memory"]["usable_bytes"] <= found["memory"]["total_bytes"]
    assert {"suite", "torch", "transformers", "scikit-learn", "mlcommons-loadgen"} <= set(
        found["versions"]
    )


def test_environment_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys, time; from suite.machine import checks, facts\n"
        "waits, waited = {'socket.connect', 'socket.getaddrinfo', 'time.sleep'}, set()\n"
        "sys.addaudithook(lambda event, _: event in waits and waited.add(event))\n"
        "began = time.process_time(); facts.environment(); checks.checks()\n"
        "spent = time.process_time() - began\n"
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets', 'sklearn', 'optuna'}\n"
        "print(spent, *sorted(heavy & set(sys.modules) | waited))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/nowhere"}
    seconds = []
    for _ in range(3):
        child = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        spent, *heavy_or_waited = child.stdout.split()
        assert heavy_or_waited == []
        seconds.append(float(spent))
    assert min(seconds) < 5 * piece_of_work()


def test_gpus_as_nvidia_smi_names_them(tmp_path, monkeypatch):
    nvidia_smi(tmp_path / "bin", monkeypatch, f"echo '{H200}'; echo '{P100}'")
    first, second = facts.environment()["gpus"]
    assert first == {
        "name": "NVIDIA H200",
        "memory_bytes": 143771 * 2**20,
        "driver": "570.86.15",
        "compute_capability": "9.0",
        "bf16": True,
    }
    assert (second["name"], second["bf16"]) == ("Tesla P100-PCIE-16GB", False)
    assert check("bfloat16").ok is None
    assert "NVIDIA H200 (140 GiB)" in check("GPU").finding


def test_an_old_driver_knows_no_compute_capability(tmp_path, monkeypatch):
    script = 'case "$*" in *compute_cap*) exit 2;; esac; echo "GRID, [N/A], 390.1"'
    nvidia_smi(tmp_path / "bin", monkeypatch, script)
    assert facts.gpus() == (facts.Gpu("GRID", None, "390.1", None),)
    assert facts.gpus()[0].bf16 is None
    assert check("bfloat16").ok is None


def test_a_broken_nvidia_smi_is_no_gpu(tmp_path, monkeypatch):
    nvidia_smi(tmp_path / "bin", monkeypatch, "echo 'NVIDIA-SMI has failed' ; exit 9")
    assert facts.gpus() == ()
    assert check("GPU").ok is None


def test_a_gpu_with_a_torch_built_for_the_cpu(tmp_path, monkeypatch):
    nvidia_smi(tmp_path / "bin", monkeypatch, f"echo '{H200}'")
    package(tmp_path / "site", "torch", "2.11.0+cpu")
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = check("GPU")
    assert found.ok is False and "built for the CPU" in found.finding and "CUDA" in found.fix


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("model name\t: Some CPU\nflags\t: fpu avx512_bf16 amx_bf16 amx_tile\n\n", 2),
        ("model name\t: Old CPU\nflags\t: fpu avx2\n\nflags\t: amx_bf16\n", 0),
        ("processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n", 1),
        ("", 0),
    ],
)
def test_bf16_of_the_cpu(text, flags, tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(facts, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setenv("PATH", "/nowhere")
    assert len(facts.cpu_bf16_flags()) == flags
    assert check("bfloat16").ok is (True if flags else None)


def limits(tmp_path, monkeypatch, own, files):
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(facts, "OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(facts, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(facts.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def test_limits_of_control_groups_version_2(tmp_path, monkeypatch):
    files = {
        "cpu.max": "max 100000\n",
        "pod/cpu.max": "250000 100000\n",
        "pod/job/cpu.max": "400000 100000\n",
        "pod/job/memory.max": "max\n",
        "pod/memory.max": "1000000\n",
    }
    limits(tmp_path, monkeypatch, "0::/pod/job\n", files)
    assert facts.usable_cores() == 2.5
    assert facts.environment()["memory"]["usable_bytes"] == 1_000_000


def test_limits_of_control_groups_version_1(tmp_path, monkeypatch):
    files = {
        "cpu/cpu.cfs_quota_us": "150000\n",
        "cpu/cpu.cfs_period_us": "100000\n",
        "memory/box/memory.limit_in_bytes": "2000000\n",
    }
    own = "4:memory:/box\n2:cpu,cpuacct:/host/only\n1:name=systemd:/x\n"
    limits(tmp_path, monkeypatch, own, files)
    assert facts.usable_cores() == 1.5
    assert facts.environment()["memory"]["usable_bytes"] == 2_000_000


def test_a_container_with_a_quota_is_the_same_machine_to_everyone(tmp_path, monkeypatch):
    """One core of eight and 4 GB: threads, refusals, room for activations and the doctor agree."""
    from types import SimpleNamespace

    from suite.contracts.model import Model
    from suite.models import needs
    from suite.serving.load import measure

    files = {"job/cpu.max": "100000 100000\n", "job/memory.max": "4000000000\n"}
    limits(tmp_path, monkeypatch, "0::/job\n", files)
    monkeypatch.setattr(facts, "has_gpu", lambda: False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert (facts.usable_cores(), facts.threads()) == (1.0, 1)
    assert measure.circumstances(SimpleNamespace())[2] == 1
    assert facts.free_memory() <= facts.usable_memory() == 4_000_000_000
    large = Model(name="large", family="encoder", hub="o/n", parameters=400)
    assert "has 4.0 GB" in (needs.too_large(large, needs.FULL_BYTES, "training") or "")
    assert ", 1 core" in check("processor").finding
    assert check("memory").finding.startswith("4.0 GB (limited")
    environment = facts.environment()
    assert environment["cpu"]["usable"] == 1.0
    assert environment["memory"]["usable_bytes"] == 4_000_000_000


def test_without_a_limit_the_affinity_counts(tmp_path, monkeypatch):
    files = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}
    limits(tmp_path, monkeypatch, "1:cpu:/\n", files)
    assert facts.usable_cores() == 8


@pytest.mark.parametrize(
    ("torch", "torchaudio", "torchvision", "fix"),
    [
        ("2.11.0", "2.11.0", "0.26.0", ""),
        ("2.11.1", "2.11.0", "0.26.1", ""),
        ("2.12.0", "2.11.0", "0.27.0", "'torchaudio==2.12.0'"),
        ("2.11.0+cpu", "2.11.0+cu130", "0.26.0+cpu", "'torchaudio==2.11.0+cpu'"),
        ("2.11.0+cpu", "2.11.0+cpu", "0.25.0+cpu", "'torchvision==0.26.0+cpu'"),
    ],
)
def test_torch_and_its_family_must_match(
    torch, torchaudio, torchvision, fix, tmp_path, monkeypatch
):
    package(tmp_path, "torch", torch)
    package(tmp_path, "torchaudio", torchaudio)
    package(tmp_path, "torchvision", torchvision)
    monkeypatch.syspath_prepend(tmp_path)
    found = check("torch's family")
    assert found.ok is (not fix)
    assert fix in found.fix and bool(fix) is bool(found.fix)


def test_packages_out_of_bounds_are_named(tmp_path, monkeypatch):
    assert check("packages").ok is True
    package(tmp_path, "transformers", "4.30.0")
    package(tmp_path, "optuna", "6.1.0")
    monkeypatch.syspath_prepend(tmp_path)
    found = check("packages")
    assert found.ok is False
    assert not found.blocks
    assert "transformers 4.30.0" in found.finding and "optuna 6.1.0" in found.finding
    assert "'optuna<5.1,>=5.0'" in found.fix and "torch" not in found.fix


def test_a_missing_package_is_named(monkeypatch):
    installed = facts.version_of
    monkeypatch.setattr(facts, "version_of", lambda n: None if n == "torchaudio" else installed(n))
    found = check("packages")
    assert found.ok is False and "torchaudio is missing" in found.finding
    assert found.blocks  # nothing runs without it
    found = check("torch's family")
    assert (found.ok, found.fix) == (False, "pip install torchaudio")


@pytest.mark.parametrize(
    ("running", "ok"), [("3.10.14", False), ("3.11.0", True), ("3.14.0", False)]
)
def test_python_bounds(running, ok, monkeypatch):
    monkeypatch.setattr(facts.platform, "python_version", lambda: running)
    assert check("Python").ok is ok


def test_little_disk(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checks, "NEEDED_DISK", 10**18)
    found = check("free disk")
    assert found.ok is False and found.fix


@no_proc
def test_a_working_folder_that_cannot_be_written(monkeypatch):
    monkeypatch.chdir("/proc")  # not even root can write there
    assert check("working folder").ok is False
    found = check("storage")
    assert found.ok is False and found.blocks and "--storage" in found.fix


def test_storage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check("storage").finding.endswith("(not there yet)")
    good = tmp_path / "good.db"
    good.write_bytes(b"SQLite format 3\0" + bytes(84))
    assert check("storage", storage=f"sqlite:///{good}").ok is True
    assert check("storage", storage="sqlite:///good.db").finding == "good.db"
    assert good.read_bytes()[16:] == bytes(84)
    (tmp_path / "other.db").write_text("no database at all, but a text")
    assert "no SQLite database" in check("storage", storage="sqlite:///other.db").finding
    assert check("storage", storage="sqlite:///other.db/in/it.db").ok is False
    assert "folder" in check("storage", storage=f"sqlite:///{tmp_path}").finding
    assert check("storage", storage="sqlite://").ok is None
    assert check("storage", storage="nonsense").ok is False
    assert sorted(p.name for p in tmp_path.iterdir()) == ["good.db", "other.db"]


def test_a_password_is_not_shown():
    found = check("storage", storage="postgresql+psycopg://me:hunter2@host/db")
    assert found.ok is None and "hunter2" not in f"{found}"


def test_the_hub_is_asked_only_through_the_caller():
    assert check("Hugging Face Hub") == checks.Check("Hugging Face Hub", None, "not asked")
    assert check("Hugging Face Hub", hub=lambda: "").ok is True
    found = check("Hugging Face Hub", hub=lambda: "no answer within 10 s")
    assert found.ok is None and "no answer within 10 s" in found.finding and "--data" in found.fix


def test_optional_packages(monkeypatch):
    monkeypatch.setattr(declared_package, "find_spec", lambda name: None)
    assert check("PostgreSQL driver").fix == "pip install 'suite[postgresql]'"
    found = {one.name: one for one in checks.checks(packages=DECLARED)}
    assert (found["jieba"].ok, found["jieba"].fix) == (None, "pip install 'suite[chinese]'")
    names = [wanted.name for wanted in (*DECLARED, *checks.OPTIONAL)]
    assert {"ONNX Runtime", "OpenVINO", "NNCF", "onnxscript", "Optuna Dashboard", "kaleido",
            "TensorBoard", "FastAPI", "uvicorn"} <= set(names)  # fmt: skip
    for name in names:
        assert found[name].ok is None and found[name].fix.startswith("pip install "), name
        assert not found[name].blocks


def test_an_extra_that_is_named_is_there():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for wanted in (*DECLARED, *checks.OPTIONAL):
        if "[" in wanted.installs:
            extra = wanted.installs.removeprefix("suite[").removesuffix("]")
            named = wanted.distribution or wanted.module
            assert any(one.startswith(named) for one in extras[extra]), wanted.name


def test_memory_is_what_may_be_used(tmp_path, monkeypatch):
    assert check("memory").finding.endswith("GB")
    limits(tmp_path, monkeypatch, "0::/\n", {"memory.max": "2000000000\n"})
    found = check("memory")
    assert found.ok is None and found.finding.startswith("2.0 GB (limited") and found.fix


def test_the_hub_clients_cache_is_looked_at(tmp_path):
    assert check("Hub cache", downloads=tmp_path / "not" / "there").ok is True
    (tmp_path / "file").write_text("in the way")
    found = check("Hub cache", downloads=tmp_path / "file")
    assert found.ok is None and "HF_HOME" in found.fix


# ---------------------------------------------------------------- the command


def asked(*words, code=0):
    result = CliRunner().invoke(app, ["doctor", "--no-hub", *words])
    assert result.exit_code == code, result.output
    return result.stdout


def test_every_arm_of_the_catalogue_has_its_verdict(folder, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    found = json.loads(asked("--json"))
    arms = {arm["arm"]: arm for arm in found["arms"]}
    assert arms["tfidf/classic"]["runs"] and arms["tiny-qwen3/zero_shot"]["runs"]
    missing = arms["bert-base-cased/linear_head"]
    # The Hub was not asked, so it is not said that they can't be had.
    assert missing["runs"] is None and "--model bert-base-cased=PATH" in missing["fix"]
    assert found["runs"] is True
    assert {c["group"] for c in found["checks"]} == {"machine", "packages", "places", "optional"}
    # A Chinese model is not refused for a task in English.
    assert arms["bert-base-chinese/linear_head"]["runs"] is None


def test_weights_in_the_cache_or_out_of_reach_are_told_apart(folder, monkeypatch):
    from suite.cli.doctor import arms_here
    from suite.models import hub
    from suite.models.catalogue import load_catalogue

    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    hub.forget()
    bert = load_catalogue()["bert-base-cased"]
    cached = folder / "hf" / "hub" / f"models--{bert.hub.replace('/', '--')}" / "snapshots"
    (cached / bert.revision).mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (cached / bert.revision / name).write_text("{}")
    arms = {arm.arm: arm for arm in arms_here(hub=True)}
    assert arms["bert-base-cased/probe"].runs is True
    assert arms["roberta-base/probe"].runs is False
    assert "out of reach" in arms["roberta-base/probe"].reason


def test_a_machine_too_small_refuses_by_arm(folder, monkeypatch):

    monkeypatch.setattr(facts, "usable_memory", lambda: 10**9)
    monkeypatch.setattr(facts, "has_gpu", lambda: False)
    arms = {arm["arm"]: arm for arm in json.loads(asked("--json"))["arms"]}
    found = arms["qwen3-4b/sft"]
    assert found["runs"] is False and "needs about" in found["reason"]
    assert "smaller model" in found["fix"]
    assert arms["tfidf/classic"]["runs"] is True


def test_doctor_fails_only_where_nothing_can_run(folder, monkeypatch):
    monkeypatch.setattr(checks, "NEEDED_DISK", 10**18)
    asked()  # little disk is a warning
    (folder / "studies").mkdir()
    (folder / "studies" / "suite.db").write_text("no database at all, but a text")
    found = json.loads(asked("--json", code=2))
    assert found["runs"] is False


def test_piped_it_is_a_line_each_with_tabs(folder):
    lines = asked().splitlines()
    assert lines[0].split("\t") == ["group", "state", "check", "finding", "what would help"]
    assert all(line.count("\t") == 4 for line in lines)
    assert ["arm", "runs", "tfidf/classic"] in [line.split("\t")[:3] for line in lines]


def test_on_a_terminal_it_fits_80_columns(folder):
    from rich.console import Console

    from suite.cli import doctor as command

    told = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "out", Console(file=told, width=80, force_terminal=False))
        command._draw(checks.grouped(), command._settings(None), command.arms_here(hub=False))
    assert max(map(len, told.getvalue().splitlines())) <= 80
    assert "Arms of the catalogue" in told.getvalue() and "torch's family" in told.getvalue()


def test_chromium(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PLAYWRIGHT_BROWSERS_PATH", raising=False)
    found = check("Chromium")
    assert found.ok is None and "playwright install chromium" in found.fix
    (tmp_path / "browsers" / "chromium-1187").mkdir(parents=True)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    assert check("Chromium").finding.endswith("chromium-1187")


@no_proc
def test_every_check_that_fails_says_what_would_help(monkeypatch):
    monkeypatch.chdir("/proc")
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it asks the network"))
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waits"))
    spent, made = effort(lambda: checks.checks(storage="nonsense"))
    for found in made:
        assert found.finding
        assert found.fix or found.ok is not False, found
    assert spent < 100
