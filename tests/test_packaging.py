"""The wheel, installed into an empty folder: it still finds its tasks, recipes and models."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import PATIENCE

from suite.version import __version__

ROOT = Path(__file__).parents[1]


#: What a private file holds; nowhere spelled out as it is looked for.
ROW = "private row, " * 3
#: What studies leave beside the shipped recipes, and pages beside the example.
PRIVATE = (
    "studies/suite.db", "studies/suite.db-wal", "studies/suite.agnews.lock",
    "studies/artifacts/tickets/data/train.jsonl", "studies/artifacts/tickets/kept/recipe.yaml",
    "studies/artifacts/tickets/kept/tfidf--classic/arrays.safetensors",
    "studies/distilled/tickets.jsonl", "tasks/data/train.csv", "reports/tickets.html",
    "tests/benchmarks/results/serving.json",
)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Wheel and sdist, built in a checkout that studies were made in."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("built")
    checkout = folder / "checkout"
    leave = shutil.ignore_patterns(".venv*", ".git", "__pycache__", "*_cache", "artifacts", "*.db")
    shutil.copytree(ROOT, checkout, ignore=leave)
    for name in PRIVATE:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(ROW, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--sdist", "--no-isolation", "-o", folder,
         checkout],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def installed(built):
    """The wheel, unpacked where nothing of the checkout is."""
    target = built / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--target", target, next(built.glob("suite-*.whl"))],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


def shipped(kind):
    """The files of a kind that the checkout has under version control."""
    return {path.name for path in (ROOT / kind).glob("*.yaml")}


def test_a_wheel_built_beside_a_study_carries_nothing_of_it(built):
    with zipfile.ZipFile(next(built.glob("suite-*.whl"))) as wheel:
        names = wheel.namelist()
        assert not [n for n in names if ROW.encode() in wheel.read(n)]
    for kind in ("tasks", "studies"):
        prefix = f"suite/_bundled/{kind}/"
        found = {n.removeprefix(prefix) for n in names if n.startswith(prefix)}
        assert found == shipped(kind)
    assert {name.split("/")[0] for name in names} == {"suite", f"suite-{__version__}.dist-info"}


def test_a_source_distribution_built_beside_a_study_carries_nothing_of_it(built):
    with tarfile.open(next(built.glob("suite-*.tar.gz"))) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        read = {m.name.partition("/")[2]: archive.extractfile(m).read() for m in files}
    assert not [name for name, content in read.items() if ROW.encode() in content]
    for kind in ("tasks", "studies"):
        found = {name.partition("/")[2] for name in read if name.startswith(f"{kind}/")}
        assert found == shipped(kind)


def test_an_editable_installation_copies_no_folder_of_studies(built, tmp_path):
    """`make test` installs so; what lay in `studies/` went into site-packages with it."""
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(WheelBuilder(str(built / "checkout")).build(
        directory=str(tmp_path), versions=["editable"]
    ))  # fmt: skip
    with zipfile.ZipFile(wheel) as editable:
        assert not [name for name in editable.namelist() if "_bundled" in name]


def run(installed, cwd, *words):
    # -P keeps the working folder off sys.path; the wheel's folder comes before the checkout.
    return subprocess.run(
        [sys.executable, "-P", "-m", "suite", *words], cwd=cwd, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"}, timeout=PATIENCE,
    )  # fmt: skip


def test_the_wheel_finds_its_tasks_recipes_and_models(installed, tmp_path):
    listed = run(installed, tmp_path, "task", "list")
    assert listed.returncode == 0, listed.stderr
    assert "agnews" in listed.stdout and "tnews" in listed.stdout
    assert "tiny-qwen3" in run(installed, tmp_path, "model", "list").stdout
    made = run(installed, tmp_path, "study", "create", "agnews", "--sample", "--no-run")
    assert made.returncode == 0, made.stderr
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import suite; print(suite.__file__)"], text=True,
        cwd=tmp_path, capture_output=True, env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert where.stdout.startswith(str(installed))


def test_the_wheel_carries_schemas_types_and_page(installed):
    for part in ("py.typed", "models/models.yaml", "config/schemas/task.schema.json",
                 "config/schemas/results.schema.json", "_bundled/tasks/agnews.yaml",
                 "_bundled/studies/sample.yaml", "handover/card.md.jinja",
                 "report/locale/en.ftl", "report/locale/zh.told.ftl"):  # fmt: skip
        assert (installed / "suite" / part).is_file(), part
    assert list((installed / "suite" / "report" / "pages" / "templates").iterdir())
    assert not list(installed.rglob("test_*.py"))


def test_a_task_of_the_working_folder_wins_over_the_bundled_one(installed, tmp_path):
    (tmp_path / "tasks").mkdir()
    bundled = (installed / "suite/_bundled/tasks/agnews.yaml").read_text()
    (tmp_path / "tasks" / "agnews.yaml").write_text(
        bundled.replace("title: AG News", "title: My own AG News")
    )
    assert "My own AG News" in run(installed, tmp_path, "task", "list").stdout
