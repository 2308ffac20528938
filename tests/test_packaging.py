"""The wheel, installed into an empty folder: it still finds its tasks, recipes and models."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The built wheel, unpacked where nothing of the checkout is."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    wheel = next(folder.glob("suite-*.whl"))
    target = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--target", target, wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


def run(installed, cwd, *words):
    # -P keeps the working folder off sys.path; the wheel's folder comes before the checkout.
    return subprocess.run(
        [sys.executable, "-P", "-m", "suite", *words], cwd=cwd, text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"}, timeout=120,
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
                 "_bundled/studies/sample.yaml"):  # fmt: skip
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
