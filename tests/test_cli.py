"""The command line as a person meets it: as a process, with its exit codes and its words."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios

import optuna
import pytest
from conftest import PATIENCE, inside, write_recipe, write_task
from test_study import cli, shown, suite

from suite.cli import app
from suite.models import hub
from suite.study.allotting import Allowance
from suite.study.record import ESTIMATES


def process(*words, cwd=None, **environment):
    """Runs the real command line as a process; HF_HUB_OFFLINE is not inherited."""
    env = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    return subprocess.run(
        [sys.executable, "-m", "suite", *map(str, words)],
        capture_output=True, text=True, timeout=PATIENCE, cwd=cwd, env=env | environment,
    )  # fmt: skip


# ---------------------------------------------------------------- help, version


def _commands(command, path=()):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def test_every_command_has_help_and_every_option_too():
    import typer

    root = typer.main.get_command(app)
    assert cli.invoke(app, ["--help"]).exit_code == 0  # the others' help: `test_help`
    for path in _commands(root):
        command = root
        for name in path:
            command = command.commands[name]
        assert command.help or not path, path
        for parameter in command.params:
            assert getattr(parameter, "help", None), (path, parameter.name)


def test_version_is_the_packages():
    from suite import __version__

    assert suite("--version").stdout.strip() == f"suite {__version__}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("stduy", ["no such command 'stduy'", "Did you mean 'study'?"]),
        ("study crate agnews", ["no such command 'crate' in `suite study`", "mean 'create'?"]),
        ("list", ["Did you mean `suite study list`"]),
        ("fit tickets.csv", ["Did you mean `suite study create tickets.csv`?"]),
        ("train", ["Did you mean `suite study create`?"]),
        ("run tickets.csv", ["`suite study create tickets.csv`", "`suite study run NAME`"]),
        ("run", ["`suite study create TASK`", "`suite study run NAME`"]),
        ("best agnews", ["Did you mean `suite study best agnews`?"]),
        ("study fit 'a'", ["Did you mean `suite study create"]),
        ("classify agnews", ["Did you mean `suite predict agnews`?"]),
        ("leaderboard", ["Did you mean `suite study show`?"]),
        (
            "study create",
            ["argument TASK is missing", "For example: suite study create tickets.csv"],
        ),
        ("study create agnews --trails 3", ["no such option --trails", "Did you mean --trials?"]),
        ("study create agnews --trials", ["'--trials' requires an argument"]),
        ("study create agnews --trials many", ["'--trials'", "valid integer"]),
        ("study create agnews --trials 0", ["'--trials'", "greater than"]),
        ("study list agnews", ["unexpected extra argument", "For example: suite study list"]),
        ("--verson", ["no such option --verson", "Did you mean --version?"]),
        ("-q -v study list", ["--quiet and --verbose contradict"]),
        ("study create agnes", ["Did you mean 'agnews'?"]),
        ("study create agnews --recipe quik", ["Did you mean 'quick'?"]),
        ("study create agnews --sample --arms tfdif/classic", ["Did you mean 'tfidf'?"]),
        ("study create agnews --sample --arms tfidf/clasic", ["Did you mean 'classic'?"]),
        ("study create agnews --sample --arms tfdif/*", ["no arm matches", "Did you mean"]),
        ("task show tnew", ["Did you mean 'tnews'?"]),
    ],
)
def test_a_wrong_word_is_one_message_with_what_would_work(folder, words, told):
    result = cli.invoke(app, words.split())
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") <= 2, result.stderr
    for part in told:
        assert part in result.stderr
    # Nothing of typer's own frames, and no traceback.
    assert "╭" not in result.stderr and "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with a finished study named `toys`."""
    with inside(tmp_path_factory.mktemp("finished")) as place:
        task = write_task(place)
        write_recipe(place, trials=2)
        suite("study", "create", task, "--recipe", "toys.yaml", "--name", "toys")
    return place


@pytest.fixture
def finished(folder, once):
    """The working folder, with that study in it."""
    return shutil.copytree(once, folder, dirs_exist_ok=True)


def test_a_studys_wrong_name_has_its_nearest(finished):
    told = suite("study", "show", "toyz", code=2).stderr
    assert "Did you mean 'toys'?" in told
    assert "nearest" not in told and told.count("\n") <= 2


def test_the_nearest_name():
    from suite.errors import closest, nearest

    assert closest("--trails", ["--trials", "--timeout", "--train-rows"]) == "--trials"
    assert closest("AGNEWS", ["agnews", "tnews"]) == "agnews"
    assert closest("bert", ["bert-base-multilingual-cased", "qwen3-0.6b"]) is not None
    assert closest("zzz", ["agnews"]) is None
    assert closest("", ["agnews"]) is None
    assert nearest("x", []) == "None is available."


# ---------------------------------------------------------------- tables on terminals and in pipes


def terminal(*words, cwd, columns=80, **environment):
    """What a person sees on a terminal: all that the command writes to it, and its exit code."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    with subprocess.Popen(
        [sys.executable, "-m", "suite", *words], cwd=cwd, stdin=theirs, stdout=theirs,
        stderr=theirs, env=env | {"TERM": "xterm-256color"} | environment,
    ) as child:  # fmt: skip
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            seen += part
        os.close(ours)
        child.wait(PATIENCE)
    return seen.decode().replace("\r\n", "\n"), child.returncode


def test_piped_tables_are_plain_and_for_cut_and_awk(finished):
    listed = suite("study", "list").stdout.splitlines()
    assert listed[0].split("\t") == [
        "study", "task", "recipe", "trials", "best score (validation)", "test", "created",
    ]  # fmt: skip
    assert listed[1].split("\t")[:4] == ["toys", "toy", "toys", "2/2"]
    told = process("study", "show", "toys").stdout
    assert not set(told) & set("│┃─━┏╭\x1b")
    trials = told.split("# trials (2 of 2)\n")[1].splitlines()
    assert [line.split("\t")[1] for line in trials] == ["arm", "tfidf/toy", "fasttext/toy"]
    assert "# toys: Toy mail" in told
    # A long cell is not cut off, whatever the width.
    tasks = cli.invoke(app, ["task", "list"], env={"COLUMNS": "40"}).stdout
    assert "…" not in tasks and "C-MTEB/IFlyTek-classification" in tasks


def test_terminals_get_tables_in_colour_unless_they_ask_otherwise(folder):
    told, code = terminal("task", "list", cwd=folder)
    assert code == 0 and "\x1b[1m" in told and "─" in told and "\t" not in told
    told, _ = terminal("task", "list", cwd=folder, NO_COLOR="1")
    assert "\x1b" not in told and "─" in told
    told, _ = terminal("task", "list", cwd=folder, TERM="dumb")
    assert "\x1b" not in told and "─" not in told and "\nagnews\t" in told
    forced = process("task", "list", FORCE_COLOR="1").stdout
    assert "\x1b[1m" in forced and "─" in forced
    assert "\x1b" not in process("task", "list", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_json_is_pure_whatever_is_asked_beside_it(finished):
    for words in (["-v", "study", "show", "toys", "--json"], ["study", "list", "--json", "-v"]):
        result = process(*words, FORCE_COLOR="1")
        assert json.loads(result.stdout) and "\x1b" not in result.stdout


# ---------------------------------------------------------------- loud and quiet, what is next


def test_verbose_tells_what_is_done(folder, toy_task):
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1)
    words = ["study", "create", toy_task, "--recipe", recipe, "--name", "toys"]
    told = suite("-v", *words).stderr
    assert "data: " in told and "150 train, 50 validation, 100 test" in told
    assert "trial 0 started: tfidf/toy: " in told and "of its budget" in told
    assert "of its budget" not in suite("study", "run", "toys", "--trials", "2").stderr
    assert "of its budget" in suite("study", "run", "toys", "--trials", "3", "-v").stderr


def test_verbose_shows_the_log_of_a_trial_that_failed(folder, toy_task):
    recipe = write_recipe(folder, trials=1, arms=["tfidf/toy"],
                          spaces={"*/toy": {"behaviour": "crash"}})  # fmt: skip
    words = ["study", "create", toy_task, "--recipe", recipe, "--name", "t"]
    assert "  | " in suite(*words, "--verbose", code=2).stderr
    words[-1] = "again"
    assert "  | " not in suite(*words, code=2).stderr


@pytest.mark.parametrize("before", [True, False])
def test_quiet_leaves_the_outcome(folder, toy_task, before):
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1)
    words = ["study", "create", toy_task, "--recipe", recipe]
    result = suite(*(["-q", *words] if before else [*words, "--quiet"]))
    assert result.stderr == ""
    assert "tfidf/toy" in result.stdout


def test_what_changes_something_says_what_is_next(finished):
    toy_task = "toy.yaml"

    def following(*words):
        told = suite(*words).stderr.splitlines()[-1]
        assert told.startswith("Next: "), words
        return told.removeprefix("Next: ")

    recipe = write_recipe(finished, "one", arms=["tfidf/toy"], trials=1)
    created = following("study", "create", toy_task, "--recipe", recipe, "--no-run", "--name", "b")
    assert created == "suite study run b"
    assert following("study", "run", "b") == "suite report b"
    again = ("--seeds", "1", "--no-refit")
    assert following("finals", "b", *again) == "suite report b"
    assert following("study", "export-db", "toys", "once.db").startswith("suite study import-db")
    assert following("task", "check", toy_task) == f"suite study create {toy_task}"
    assert following("model", "check", "tiny-bert").startswith("suite study create")
    assert following("study", "delete", "toys", "--yes") == "suite study list"
    assert following("study", "import-db", "once.db") == "suite study show toys"
    for words in (
        ["finals", "b", *again],
        ["task", "check", toy_task],
        ["-q", "study", "run", "b"],
    ):
        assert suite(*words, *([] if "-q" in words else ["-q"])).stderr == ""


def test_what_another_storage_needs_is_in_the_next_step_but_no_password():
    from suite.shell import command

    assert command("report", "a") == "suite report a"
    assert (
        command("report", "a", storage="sqlite:///x.db")
        == "suite report a --storage sqlite:///x.db"
    )
    server = command("report", "a", storage="postgresql+psycopg://me:hunter2@host/db")
    assert server == "suite report a --storage 'postgresql+psycopg://me:***@host/db'"


# ---------------------------------------------------------------- progress


def test_the_time_left_counts_the_arms_that_are_missing():
    from suite.cli.progress import seconds_left

    each = {"quick": 1.0, "slow": 100.0}
    # Two of each are wanted: the slow arm has one, so 100 s are left, not a mean of 50.
    assert seconds_left({"quick": 2, "slow": 1}, ["quick", "slow"], 4, each, [], 1) == 100
    # One slow trial runs since 60 s.
    running = [("slow", 60.0)]
    assert seconds_left({"quick": 2, "slow": 2}, ["quick", "slow"], 4, each, running, 1) == 40
    # Two workers halve the work, but no trial is halved.
    assert seconds_left({}, ["quick", "slow"], 8, each, [], 2) == 202
    assert seconds_left({}, ["slow"], 1, each, [], 4) == 100
    # An arm taken out gets no more trials.
    assert seconds_left({"slow": 2}, ["quick"], 6, each, [], 1) == 4
    # Nothing is said before every arm that is missing has a figure.
    assert seconds_left({}, ["quick", "new"], 2, each, [], 1) is None
    assert seconds_left({}, ["quick"], 4, {}, [], 1) is None


def test_the_time_left_is_the_commands_and_the_finals_come_in_any_case():
    from suite.cli.progress import within

    endless = float("inf")
    assert within(100.0, endless, 0.0, 20.0) == 120
    assert within(None, endless, 0.0, 20.0) is None
    # The search ends with the command's time, the finals kept back.
    assert within(1000.0, 180.0, 0.0, 20.0) == 180
    assert within(None, 180.0, 0.0, 20.0) == 180
    # 1.5 s of its time are left: what runs is not cut off, and the finals follow.
    assert within(400.0, 1.5, 0.0, 30.0) == 30
    assert within(400.0, 1.5, 40.0, 30.0) == 70


def test_lines_in_a_pipe_say_how_far_and_how_long(folder, toy_task):
    recipe = write_recipe(folder, trials=4, preflight=True)
    told = suite("study", "create", toy_task, "--recipe", recipe).stderr
    assert "timing arms: 0/2" in told and "timing arms: 1/2, about" in told
    assert "tfidf/toy: a trial takes about" in told
    assert re.search(r"\[1/4, about [\d.]+ (s|min|h) left\]", told) and "[4/4]" in told
    assert "finals: 0/2" in told and "finals: 1/2" in told
    assert "\x1b" not in told


def test_the_live_table_has_a_bar_over_all_and_leaves_nothing_behind(folder, toy_task):
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=3, spaces={"*/toy": {"seconds": 0.6}})
    told, code = terminal("study", "create", toy_task, "--recipe", recipe, cwd=folder, columns=100)
    assert code == 0, told
    assert "/3 trials" in told and "so far" in told and "left" in told
    assert "Next: suite report toy-toys" in told.splitlines()[-1]
    # One command, and no network among its arms: nothing is imported for any.
    assert [t["circumstances"]["heavy"] for t in shown("toy-toys")["trials"]] == [[]] * 3


# ---------------------------------------------------------------- ends


def test_a_reader_that_leaves_is_no_error(finished):
    for words in ("study show toys", "study show toys --json", "--help"):
        command = f"{sys.executable} -m suite {words} | head -c 20; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, (words, done.stderr)
        assert "Traceback" not in done.stderr and "Broken" not in done.stderr


def test_a_defect_is_one_line_and_its_traceback_comes_with_verbose(folder):
    code = (
        "import sys, suite.cli.model, suite.models.catalogue\n"
        "def broken(): raise RuntimeError('a made-up defect')\n"
        "suite.models.catalogue.load_catalogue = broken\n"
        "sys.argv = ['suite', *sys.argv[1:]]\n"
        "from suite.cli import main; main()"
    )
    run = [sys.executable, "-c", code, "model", "list"]
    plain = subprocess.run(run, capture_output=True, text=True)
    assert plain.returncode == 1
    assert "a defect of the suite: RuntimeError: a made-up defect" in plain.stderr
    assert "Traceback" not in plain.stderr and "--verbose" in plain.stderr
    loud = subprocess.run([*run, "-v"], capture_output=True, text=True)
    assert loud.returncode == 1 and "Traceback" in loud.stderr


def test_sigterm_is_130_and_everything_is_saved(folder, toy_task):
    """As Ctrl-C: `test_study`."""
    recipe = write_recipe(folder, trials=2, spaces={"*/toy": {"seconds": 30}})
    with subprocess.Popen(
        [sys.executable, "-m", "suite", "study", "create", toy_task, "--recipe", recipe, "-v"],
        stderr=subprocess.PIPE, text=True,
    ) as child:  # fmt: skip
        for line in child.stderr:
            if "trial 0 started" in line:
                break
        child.send_signal(signal.SIGTERM)
        rest = child.stderr.read()
        assert child.wait(PATIENCE) == 130
    assert "everything is saved" in rest and "suite study run toy-toys" in rest
    assert "Traceback" not in rest


# ---------------------------------------------------------------- the Hub out of reach


@pytest.fixture
def silent_hub():
    """A server that accepts and never answers; its address, and how often it was asked so far."""
    server = socket.create_server(("127.0.0.1", 0), backlog=100)
    server.setblocking(False)
    asked = []

    def times():
        with contextlib.suppress(BlockingIOError):
            while True:
                asked.append(server.accept()[0])
        return len(asked)

    yield f"http://127.0.0.1:{server.getsockname()[1]}", times
    for one in (server, *asked):
        one.close()


def test_without_hub_and_data_the_sample_takes_the_place_and_says_so(folder, silent_hub):
    address, times_asked = silent_hub
    result = process("study", "create", "agnews", "--no-run", HF_ENDPOINT=address,
                     HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 0, result.stderr
    # Within the contract's 15 s: it is asked once, for 10 s, and nobody else's client asks again.
    assert times_asked() == 1 and hub.DEADLINE == 10.0
    assert "WARNING" in result.stderr and "BUNDLED SAMPLE" in result.stderr
    found = shown("agnews-sample")
    assert found["data"]["sample"] is True
    assert found["recipe"] == "sample"
    assert found["study"] == "agnews-sample"
    assert "BUNDLED SAMPLE" in suite("study", "show", "agnews-sample").stdout


def test_no_fallback_is_exit_2(folder):
    result = process("study", "create", "agnews", "--no-run", "--no-fallback",
                     HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 2
    assert "--data DIR" in result.stderr and "Traceback" not in result.stderr
    assert not (folder / "studies").exists()


def test_with_data_and_no_hub_models_out_of_reach_are_refused(folder, toy_task):
    result = process("study", "create", toy_task, "--no-run", "--name", "t",
                     "--arms", "tfidf/classic", "--arms", "bert-base-cased/linear_head",
                     HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 0, result.stderr
    arms = {a["arm"]: a["refused"] for a in shown("t")["arms"]}
    assert arms["tfidf/classic"] is None
    assert "--model" in arms["bert-base-cased/linear_head"]


def test_when_every_arm_is_refused_nothing_is_created(folder, toy_task):
    result = process("study", "create", toy_task, "--arms", "bert-base-cased/*", "--no-run",
                     HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 2 and "every arm is refused" in result.stderr
    assert not (folder / "studies").exists()


# ---------------------------------------------------------------- folders and disks


def test_a_folder_that_cannot_be_written_is_one_message(folder, toy_task):
    task = (folder / toy_task).resolve()
    result = process("study", "create", task, "--arms", "tfidf/classic", "--no-run", cwd="/proc",
                     HF_HUB_OFFLINE="1")  # fmt: skip
    assert result.returncode == 2, result.stderr
    assert "cannot be written" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("blocks", [1, 40])
def test_a_full_disk_is_one_message(folder, toy_task, blocks):
    """A limit on file size stands in for the disk: at first the data, later the database."""
    command = (
        f"ulimit -f {blocks}; exec {sys.executable} -m suite study create {toy_task} "
        "--arms tfidf/classic --no-run --name t"
    )
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE
    )
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr and "Error:" in result.stderr


def test_a_report_folder_that_is_a_file_is_one_message(folder, toy_task):
    suite("study", "create", toy_task, "--recipe", write_recipe(folder), "--name", "t", "--no-run")
    (folder / "reports").write_text("in the way")
    assert "Error:" in suite("report", "t", code=2).stderr


# ---------------------------------------------------------------- the rest of the words


def test_report_writes_what_is_asked_and_ends_with_the_path(finished):
    folder = finished
    result = suite("report", "toys", "--format", "json,md", "--out", "pages")
    last = result.stdout.strip().splitlines()[-1]
    assert sorted(p.name for p in (folder / "pages").iterdir()) == ["toys.json", "toys.md"]
    assert (folder / last).exists()
    written = json.loads((folder / "pages" / "toys.json").read_text())
    assert written["finals"] == shown("toys")["finals"]
    page = suite("report", "--lang", "zh").stdout.strip().splitlines()[-1]
    assert page == "reports/toys.html" and 'lang="zh' in (folder / page).read_text()
    assert "unknown format 'htm'" in suite("report", "--format", "htm", code=2).stderr
    assert "unknown language" in suite("report", "--lang", "fr", code=2).stderr


def test_tasks_are_listed_shown_checked_and_drafted(folder, toy_task):
    listed = {t["name"] for t in json.loads(suite("task", "list", "--json").stdout)["tasks"]}
    assert {"agnews", "tnews", "thucnews", "chnsenticorp", "iflytek", "bbc-news", "20newsgroups",
            "imdb", "banking77", "clinc150"} <= listed  # fmt: skip
    assert suite("task", "show", "agnews").stdout.startswith("# yaml-language-server: $schema=")
    assert "is a task" in suite("task", "check", toy_task).stdout
    suite("task", "new", "mail", "--data", "data")
    assert "is a task" in suite("task", "check", "tasks/mail.yaml").stdout
    assert "exists" in suite("task", "new", "mail", "--data", "data", code=2).stderr
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", "mail", "--recipe", recipe, "--name", "m", "--no-run")
    rows = shown("m")["data"]["rows"]
    assert (rows["train"] + rows["validation"], rows["test"]) == (200, 100)


def test_a_broken_task_does_not_vanish_from_the_list(folder):
    (folder / "tasks").mkdir()
    (folder / "tasks" / "mine.yaml").write_text("name: mine\nlables: [a, b]\n")
    assert "BROKEN" in suite("task", "list").stdout


def test_every_shipped_task_and_recipe_passes_its_check():
    from suite import paths
    from suite.config.recipe import find_recipe

    for name in paths.yaml_files("tasks"):
        assert "is a task" in suite("task", "check", name).stdout, name
    for name in paths.yaml_files("studies"):
        assert find_recipe(name)[0].name == name


def test_models_are_listed_and_checked(folder):
    listed = {m["name"] for m in json.loads(suite("model", "list", "--json").stdout)["models"]}
    assert {"tfidf", "bert-base-cased", "qwen3-0.6b", "tiny-bert"} <= listed
    assert "can be had here" in suite("model", "check", "tiny-qwen3").stdout
    assert "Did you mean 'qwen3-0.6b'?" in suite("model", "check", "qwen3-0.6", code=2).stderr
    empty = folder / "empty"
    empty.mkdir()
    assert "no config.json" in suite("model", "check", f"x={empty}", code=2).stderr


def test_a_timeout_is_the_whole_commands_and_the_finals_run_though_trials_are_missing(
    folder, toy_task, monkeypatch
):
    def left(allowance):
        """The time is up when four trials are there, however long they take here."""
        study = optuna.load_study(study_name="t", storage="sqlite:///studies/suite.db")
        return -1.0 if len(study.trials) >= 4 else 900.0

    monkeypatch.setattr(Allowance, "left", property(left))
    recipe = write_recipe(folder, trials=50)
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t",
                   "--timeout", "15m")  # fmt: skip
    assert "Still missing: 46 trials; `suite study run t` searches on." in result.stderr
    assert "At most 15 min, finals included" in result.stderr
    found = shown("t")
    assert all(t["state"] != "RUNNING" for t in found["trials"])
    assert found["test_openings"] == 1 and len(found["finals"]) == 2
    # The cheapest first, one trial of each arm a round, and where they stand after each.
    assert {t["arm"] for t in found["trials"][:2]} == {"tfidf/toy", "fasttext/toy"}
    assert "After 1 round, macro-F1 on validation: 1. " in result.stderr
    # More time: the study goes on, and test is opened anew, which is counted.
    again = suite("study", "run", "t", "--trials", "2")
    assert "Still missing" not in again.stderr and shown("t")["test_openings"] == 1


def test_an_arm_that_does_not_fit_leaves_its_turn_and_is_told(folder, toy_task):
    suite("study", "create", toy_task, "--recipe", write_recipe(folder, trials=4), "--name", "t",
          "--no-run")  # fmt: skip
    study = optuna.load_study(study_name="t", storage="sqlite:///studies/suite.db")
    study.set_user_attr(ESTIMATES, {"fasttext/toy": 86_400.0})
    result = suite("study", "run", "t", "--timeout", "1h")
    [short] = [a["short"] for a in shown("t")["arms"] if a["arm"] == "fasttext/toy"]
    assert short == "0 of 2 rounds: one more would take about 24.0 h, longer than there was time"
    assert f"fasttext/toy: {short}" in result.stderr and short in result.stdout
    # The other gets its rounds and no more, and is scored.
    assert [t["arm"] for t in shown("t")["trials"]] == ["tfidf/toy"] * 2
    assert [f["arm"] for f in shown("t")["finals"]] == ["tfidf/toy"]
    assert "Still missing: 2 trials; `suite study run t` searches on." in result.stderr
    # Asked back, it is told no more once it has what it lacked.
    study.set_user_attr(ESTIMATES, {"fasttext/toy": 1.0})
    suite("study", "run", "t", "--timeout", "1h")
    assert [a["short"] for a in shown("t")["arms"]] == [None, None]


def test_a_disk_limit_stops_the_study_and_says_how_to_go_on(folder, toy_task):
    recipe = write_recipe(folder, trials=4)
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t",
                   "--max-disk", "1KB", code=2)  # fmt: skip
    assert "--max-disk" in result.stderr and "suite study run t" in result.stderr


def test_finals_over_seeds_count_the_opening(finished):
    assert suite("finals", "toys", "--seeds", "2").stderr.endswith("Next: suite report toys\n")
    found = shown("toys")
    assert found["test_openings"] == 2
    assert {f["seeds"] for f in found["finals"]} == {2}
    assert sum(map(sum, found["finals"][0]["test"]["confusion"])) == 200


def test_doctor_says_what_is_there():
    found = json.loads(cli.invoke(app, ["doctor", "--no-hub", "--json"]).stdout)
    assert found["environment"]["versions"]["optuna"].startswith("5.")


def test_help_is_there_at_once_and_without_heavy_imports():
    code = (
        "import sys, suite.cli\n"
        "there = [m for m in ('pydantic', 'numpy', 'psutil', 'filelock') if m in sys.modules]\n"
        "import suite.study.record, suite.study.storage, suite.report\n"
        "print(there + [m for m in ('torch', 'transformers', 'evaluate', 'datasets', 'sklearn') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
