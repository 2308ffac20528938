"""What every test stands on: no network, a working folder of its own, the toy strategy."""

import json
import os
import random
import signal
import sys
from pathlib import Path

# Before anything imports a Hub client or starts a forkserver.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# As the suite's own children have it: spinning threads make a busy machine crawl.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# A shell without job control starts what runs in the background deaf to Ctrl-C, and its children
# are born so: the tests that interrupt would test nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
TOYS = Path(__file__).parent / "toys"
sys.path.insert(0, str(TOYS))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(TOYS), *filter(None, [os.environ.get("PYTHONPATH")])]
)

import pytest  # noqa: E402

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def real_data():
    """The folder of real data sets, where this checkout stands beside them."""
    if not REAL_DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    return REAL_DATA


WORDS = {
    "ham": "kind friend lunch meeting report thanks weekend garden music river".split(),
    "spam": "win prize click offer cheap urgent cash bonus deal winner".split(),
}
SHARED = "the a of to and now you we it for".split()


def toy_rows(count, seed):
    """Two classes told apart by most of their words."""
    generator = random.Random(seed)
    rows = []
    for index in range(count):
        label = index % 2
        own = WORDS["spam" if label else "ham"]
        words = generator.choices(own, k=3) + generator.choices(SHARED, k=4)
        generator.shuffle(words)
        rows.append({"text": " ".join(words) + f" {index}", "label": label})
    return rows


@pytest.fixture
def toy_task(folder):
    """A task file `toy.yaml` and its data in the working folder."""
    data = folder / "data"
    data.mkdir()
    for split, count, seed in (("train", 200, 1), ("test", 100, 2)):
        lines = [json.dumps(row) for row in toy_rows(count, seed)]
        (data / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "toy.yaml").write_text(
        "name: toy\ntitle: Toy mail\nlanguage: en\n"
        "labels: [{name: ham}, {name: spam}]\n"
        "data: {folder: data, licence: made for the tests}\n"
        "validation: {share: 0.25, seed: 0}\n"
    )
    return "toy.yaml"


def write_recipe(folder, name="toys", **changes):
    """A recipe file for the toy strategy; returns its path."""
    content = {
        "name": name,
        "arms": ["tfidf/toy", "fasttext/toy"],
        "trials": 4,
        "preflight": False,
        "measure": {"seconds": 0},
        "sampler": {"name": "random"},
    } | changes
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(content))  # JSON is YAML
    return str(path)
