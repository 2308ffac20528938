"""What every test stands on: no network, a working folder of its own, the toy strategy.

The tests run in as many processes as the machine carries (`make test`), beside whatever else runs
on it. None depends on the machine's speed: what takes time is waited for with `PATIENCE`, and
work that must stay small is weighed by `effort`.
"""

import gc
import json
import math
import multiprocessing.util
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

# Before anything imports a Hub client or starts a forkserver.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
# What a command says is English, whatever the machine speaks.
os.environ["SUITE_LANG"] = "en"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# What the tests expect are a CPU's numbers; `test_gpu` has a run of its own.
if os.environ.get("SUITE_TESTS_ON") != "gpu":
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
# As the suite's own children have it: spinning threads make a busy machine crawl.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# A shell without job control starts what runs in the background deaf to Ctrl-C, and its children
# are born so: the tests that interrupt would test nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
# One of several workers of pytest-xdist keeps to its share of the cores, and so do torch, OpenMP
# and the studies that it starts; one for whom none is left goes wherever there is room. Before
# anything counts cores.
if (WORKER := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    cores = sorted(os.sched_getaffinity(0))
    workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    if share := cores[int(WORKER.removeprefix("gw")) :: workers]:
        os.sched_setaffinity(0, share)
    else:
        os.environ["OMP_NUM_THREADS"] = "1"
TOYS = Path(__file__).parent / "toys"
sys.path.insert(0, str(TOYS))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(TOYS), *filter(None, [os.environ.get("PYTHONPATH")])]
)

import pytest  # noqa: E402

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
#: Seconds after which something hangs. It says nothing about how long it should take.
PATIENCE = 480.0
#: A worker with its forkserver and a child that trains, at most.
WORKER_BYTES = 4 * 10**9
#: Files that go to one worker together: one browser at a time, and what measures disturbs what
#: measures.
TOGETHER = {
    "test_across.py": "browser",
    "test_bench.py": "measuring",
    "test_dashboard.py": "browser",
    "test_page.py": "browser",
    "test_screen.py": "browser",
    "test_serving.py": "measuring",
}
#: The files that take longest, the longest first: begun last, they would be waited for.
LONGEST = (
    "test_study.py",
    "test_cli.py",
    "test_engines.py",
    "test_bench.py",
    "test_library.py",
    "test_serve.py",
    "test_sft.py",
    "test_option_scoring.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Three for two cores, for a test waits for some of its time; and as fit into the memory."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = math.ceil(1.5 * (cores or 1))
    return max(1, min(wanted, psutil.virtual_memory().available // WORKER_BYTES))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile`: a file goes whole to one worker, for what its tests share."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return TOGETHER.get(Path(file).name, file)

    return Files(config, log)


def pytest_collection_modifyitems(items):
    """The longest begin."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))


#: How many modules there were when the collector of garbage was last told to leave them alone.
frozen = 0


def pytest_runtest_setup():
    """What was imported is no garbage, and is not looked through with every test's own.

    As in `suite.child.frozen`: with all libraries imported one collection takes a second or two,
    and each time that memory "runs out" in a test there is one.
    """
    global frozen
    if len(sys.modules) > frozen + 300:
        frozen = len(sys.modules)
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch):
    """A password that one test's address had is none in another's messages."""
    from suite import redaction

    monkeypatch.setattr(redaction, "_remembered", set())


@pytest.fixture(scope="session", autouse=True)
def own_places(tmp_path_factory):
    """Temporary files, the lock for measuring and the suite's cache of this process alone.

    Nobody's real measurement is waited for, no other worker's either, and nobody's cache is used.
    """
    multiprocessing.util.get_temp_dir()  # where it is: a socket's path must be short
    place = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(place))
        patch.setattr(tempfile, "tempdir", str(place))
        patch.setenv("SUITE_CACHE", str(place / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(place / "config"))
        yield


@pytest.fixture(scope="module")
def browser():
    """A chromium. No session's: while it is open, its thread can run no other event loop."""
    sync_api = pytest.importorskip("playwright.sync_api")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update",
                  "--disable-sync"],
        )  # fmt: skip
        yield launched
        launched.close()


def processor_seconds(work):
    """Processor time of `work()`, and what it returns."""
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def piece_of_work():
    """Processor time of a fixed piece of Python on this machine: about .05 s."""

    def piece():
        sorted(json.dumps({"number": number, "text": str(number)}) for number in range(20_000))

    return min(processor_seconds(piece)[0] for _ in range(3))


def effort(work):
    """What `work()` costs, in pieces of work, and what it returns.

    Neither the machine's speed nor what else runs on it changes that much.
    """
    spent, found = processor_seconds(work)
    return spent / piece_of_work(), found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))
    return tmp_path


@contextmanager
def inside(place):
    """Within: as in a test that has `folder`. What is made there once, several tests may copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SUITE_CACHE", str(place / "cache"))
        yield place


@pytest.fixture(scope="module")
def one_thread():
    """Within: torch computes on one thread, as small models are quickest and always the same."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def loopback():
    """Within: servers on this machine may be asked, as those that a command names."""
    from suite.endpoint import consent

    with consent.held(consent.Consent(named=["127.0.0.1", "localhost", "::1"])):
        yield


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
    return write_task(folder)


def write_task(folder):
    """The same in any folder; returns the file's name."""
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


@pytest.fixture
def hold(folder):
    """A file; `spaces={"*/toy": {"hold": str(hold)}}` keeps toys half-way while it is there."""
    file = folder / "hold"
    file.touch()
    return file


def write_recipe(folder, name="toys", **changes):
    """A recipe file for the toy strategy; returns its path."""
    content = {
        "name": name,
        "arms": ["tfidf/toy", "fasttext/toy"],
        "trials": 4,
        "preflight": False,
        "measure": {"seconds": 0},
        "sampler": {"name": "random"},
        # What most tests need: the checkpoint of the search, scored as it is.
        "finals": {"seeds": 1, "refit": False},
    } | changes
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(content))  # JSON is YAML
    return str(path)


def command_line(*words, code=0):
    """Runs the real command line in this process; returns what it printed."""
    from typer.testing import CliRunner

    from suite.cli import app

    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    assert "Traceback" not in result.output
    return result


def files_of(study, url=None):
    """The folder of a study's files."""
    from suite.study import artifacts, storage

    found, definition = storage.load(storage.open_storage(url), study)
    return artifacts.find(found, definition.data.fingerprint).folder


def kept_of(study, arm, url=None):
    """The folder of what an arm keeps, or None."""
    from suite.study import artifacts, kept_record, storage

    found, definition = storage.load(storage.open_storage(url), study)
    kept = kept_record.of_arm(found.user_attrs, arm)
    lies = artifacts.find(found, definition.data.fingerprint)
    return kept and lies.kept_here(arm, kept)


def left_in(folder):
    """What a command left in a study's folder that none needs after it."""
    return [*folder.glob("trial-*"), *folder.glob(".suite-work-*")]
