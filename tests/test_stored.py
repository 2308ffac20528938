"""Studies that other versions stored: read, told apart and gone on with by this one."""

import json
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest
from conftest import command_line as run
from conftest import files_of
from endpoint_server import server

import suite
from suite import paths
from suite.endpoint.kept import Kept
from suite.study import finals_speed, rounds, speed, storage

STORED = Path(__file__).parent / "stored" / "b0e390f"
#: Storage -> the study in it.
STUDIES = {
    "agnews": "agnews",
    "sample": "agnews-sample",
    "quick": "quick",
    "own": "own",
    "mail": "mail",
    "asked": "asked",
}


def shown(study):
    return json.loads(run("study", "show", study, "--json").stdout)


def listed():
    return {r["study"]: r for r in json.loads(run("study", "list", "--json").stdout)["studies"]}


@pytest.fixture
def place(folder):
    """Puts a stored study, and the files it was made from, into the working folder."""

    def put(name):
        shutil.copytree(STORED / "studies", folder / "studies", dirs_exist_ok=True)
        shutil.copytree(STORED / "mail", folder / "mail", dirs_exist_ok=True)
        for file in ("mail.yaml", "hasty.yaml"):
            shutil.copyfile(STORED / file, folder / file)
        if (folder / "studies" / "suite.db").exists():
            run("study", "import-db", STORED / f"{name}.db")
        else:
            shutil.copyfile(STORED / f"{name}.db", folder / "studies" / "suite.db")
        return STUDIES[name]

    return put


def database():
    return closing(sqlite3.connect("studies/suite.db"))


def edit(study, key, change):
    """Changes the JSON of the attributes of a study whose key begins so; returns how many."""
    with database() as opened:
        rows = opened.execute(
            "select study_user_attribute_id, key, value_json from study_user_attributes "
            "join studies using (study_id) where study_name = ? and key like ? || '%'",
            (study, key),
        ).fetchall()
        for number, _, text in rows:
            opened.execute(
                "update study_user_attributes set value_json = ? where study_user_attribute_id = ?",
                (json.dumps(change(json.loads(text))), number),
            )
        opened.commit()
    return len(rows)


def edit_trials(key, change):
    with database() as opened:
        rows = opened.execute(
            "select trial_user_attribute_id, value_json from trial_user_attributes where key = ?",
            (key,),
        ).fetchall()
        for number, text in rows:
            opened.execute(
                "update trial_user_attributes set value_json = ? where trial_user_attribute_id = ?",
                (json.dumps(change(json.loads(text))), number),
            )
        opened.commit()
    return len(rows)


def define(study, change):
    """Changes a stored definition in place by a function of its JSON object."""

    def inside(text):
        definition = json.loads(text)
        change(definition)
        return json.dumps(definition)

    assert edit(study, "suite:definition", inside) == 1


def later(definition):
    definition["version"] = 99
    definition["environment"]["versions"]["suite"] = "7.0"
    definition["patience"] = {"trials": 5}


def holds(then, now, where=""):
    """Every value of then is there now; what was added since does not count."""
    if isinstance(then, dict):
        for key in then.keys() - {"started", "ended"}:  # local times
            assert key in now, f"{where}.{key} is gone"
            holds(then[key], now[key], f"{where}.{key}")
    elif isinstance(then, list):
        assert len(then) == len(now), where
        for index, (before, after) in enumerate(zip(then, now)):
            holds(before, after, f"{where}[{index}]")
    else:
        assert then == now, where


# ---------------------------------------------------------------- as they were stored


@pytest.mark.parametrize("name", STUDIES)
def test_an_old_study_is_listed_shown_and_reported(place, name):
    study = place(name)
    then = json.loads((STORED / f"{name}.json").read_text(encoding="utf-8"))
    holds(then["list"]["studies"][0], listed()[study])
    found = shown(study)
    holds(then["show"], found)
    best = json.loads(run("study", "best", study, "--json").stdout)
    holds(best["trial"], found["trials"][best["trial"]["number"]])
    page = Path(run("report", study, "--out", "pages").stdout.splitlines()[-1])
    text = page.read_text(encoding="utf-8")
    assert all(arm["arm"] in text for arm in found["arms"] if arm["trials"])


def finished(found):
    return sum(t["state"] in ("COMPLETE", "PRUNED") for t in found["trials"])


@pytest.mark.parametrize(
    ("name", "arm"),
    [
        ("agnews", "textcnn/classic"),  # its interrupted trial waits
        ("own", "textcnn/classic"),
        ("sample", "tiny-qwen3/zero_shot"),
    ],
)
def test_an_old_study_is_gone_on_with(place, name, arm, monkeypatch):
    study = place(name)
    # How fast they serve is measured as in any study: once here, and not at all where it is long.
    monkeypatch.setattr(rounds, "ROUNDS", 1)
    if name == "agnews":
        for module in (speed, finals_speed):
            monkeypatch.setattr(module, "is_measured", lambda recipe, model: False)
    before = shown(study)
    target = finished(before) + 1
    run("study", "run", study, "--trials", target)
    after = shown(study)
    assert finished(after) == target
    ended = [t["number"] for t in before["trials"] if t["state"] != "WAITING"]
    holds([before["trials"][i] for i in ended], [after["trials"][i] for i in ended])
    assert after["trials"][-1]["arm"] == arm and after["trials"][-1]["state"] == "COMPLETE"
    # The kept checkpoints of the others are where the study was made.
    assert [final["arm"] for final in after["finals"]] == [arm]


@pytest.mark.parametrize(("name", "more"), [("quick", 1), ("mail", 1), ("asked", 2)])
def test_an_old_study_is_gone_on_with_by_the_library(place, name, more):
    study = place(name)
    before = suite.load_results(study)
    stop, ended = threading.Event(), []

    def watch(progress):
        if progress.event == "ended":
            ended.append(progress.result)
            if len(ended) == more:
                stop.set()

    with server("good") as one:
        # Its server is this one; how long a trial takes here says nothing.
        changed = {"http://127.0.0.1:37709": one.url, 'seconds\\":4.0': 'seconds\\":480.0'}
        with database() as opened:
            for table in ("study_user_attributes", "trial_user_attributes"):
                for before_text, after_text in changed.items():
                    opened.execute(
                        f"update {table} set value_json = replace(value_json, ?, ?)",
                        (before_text, after_text),
                    )
            opened.commit()
        hasty, seconds = Path("hasty.yaml"), "max_trial_seconds: 4"
        hasty.write_text(hasty.read_text().replace(seconds, f"{seconds}80"))
        # A trial that is never started must not keep the test waiting for ever.
        target = before.finished + more
        after = suite.run_study(
            study, trials=target, progress=watch, stop=stop, timeout=300, allow_endpoint=[one.url]
        )
    assert [trial.state for trial in ended] == ["COMPLETE"] * more
    assert [trial.error for trial in ended] == [None] * more
    if name == "quick":  # Its last trial's worker is dead, elsewhere: that trial is queued again.
        dead, again = after.trials[len(before.trials) - 1 :]
        assert (dead.state, again.state) == ("FAIL", "COMPLETE") and dead.params == again.params
    if name == "asked":
        assert {trial.arm for trial in ended} == {"tfidf/classic", "toy-served/zero_shot"}


@pytest.mark.parametrize("name", STUDIES)
def test_an_old_study_is_scored_on_validation_alone(place, name):
    """It keeps what its trials were compared by, whatever is the default now."""
    study = place(name)
    definition = storage.load(storage.open_storage(None), study)[1]
    assert definition.recipe.validation == "holdout"
    assert [arm.folds for arm in definition.arms] == [0] * len(definition.arms)


def test_old_answers_are_not_paid_for_again(folder):
    shutil.copyfile(STORED / "answers.sqlite", folder / "answers.sqlite")
    with closing(sqlite3.connect("answers.sqlite")) as opened:
        keys = [key for (key,) in opened.execute("select key from answers")]
    found = Kept(folder).read(keys)
    assert len(found) == len(keys) == 20
    assert all(a.from_cache and a.text in ("A", "B") and a.top_logprobs for a in found.values())


@pytest.mark.parametrize("change", [{"price": 0.001, "cached_tokens": [1]}, {"reasoning": ...}])
def test_answers_of_other_versions_are_read(folder, change):
    """One more field than this version knows, or one less."""
    shutil.copyfile(STORED / "answers.sqlite", folder / "answers.sqlite")
    with closing(sqlite3.connect("answers.sqlite")) as opened:
        for key, text in opened.execute("select key, answer from answers").fetchall():
            answer = json.loads(text) | change
            kept = {k: v for k, v in answer.items() if v is not ...}
            opened.execute("update answers set answer = ? where key = ?", (json.dumps(kept), key))
        opened.commit()
        keys = [key for (key,) in opened.execute("select key from answers")]
    assert len(Kept(folder).read(keys)) == 20


# ---------------------------------------------------------------- definitions of other versions


def test_a_later_version_s_study_hides_no_other(place):
    place("agnews")
    place("mail")
    define("agnews", later)
    rows = listed()
    assert "version 99" in rows["agnews"]["unreadable"] and rows["agnews"]["finished"] == 2
    holds(json.loads((STORED / "mail.json").read_text())["list"]["studies"][0], rows["mail"])
    table = run("study", "list")
    assert "mail" in table.stdout and "agnews" in table.stdout and "later version" in table.stderr
    pages = run("report", "--out", "pages")
    assert "agnews" in pages.stderr and "version 99" in pages.stderr
    assert "mail" in pages.stdout
    shown("mail")


@pytest.mark.parametrize(
    "words",
    [
        ("study", "show", "agnews", "--json"),
        ("study", "best", "agnews"),
        ("study", "run", "agnews"),
        ("study", "create", "agnews", "--sample", "--recipe", "agnews", "--name", "agnews"),
        ("report", "agnews"),
        ("finals", "agnews"),
        ("bench", "agnews"),
        ("predict", "agnews", "a text"),
        ("export", "agnews", "out"),
    ],
)
def test_a_later_version_s_study_is_one_message(place, words):
    place("agnews")
    define("agnews", later)
    said = run(*words, code=2).stderr.replace("\n", " ")
    assert "'agnews'" in said and "version 99" in said and "7.0" in said


def test_a_later_version_s_study_can_be_moved_and_removed(place):
    place("agnews")
    define("agnews", later)
    run("study", "export-db", "agnews", "elsewhere.db")
    run("study", "delete", "agnews", "--yes")
    assert listed() == {}
    run("study", "import-db", "elsewhere.db")
    assert "version 99" in listed()["agnews"]["unreadable"]


def damage(key, value):
    def change(definition):
        *path, last = key.split(".")
        for part in path:
            definition = definition[part]
        definition[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (damage("patience", 3), "patience"),
        (damage("recipe.sampler.warmth", 3), "recipe.sampler.warmth"),
        (damage("seed", "seven"), "seed"),
        (damage("recipe", []), "recipe"),
        (damage("version", "two"), "version"),
        (dict.clear, "missing"),
    ],
)
def test_a_broken_definition_names_its_study_and_hides_no_other(place, change, said):
    place("agnews")
    place("mail")
    define("mail", change)
    rows = listed()
    assert said in rows["mail"]["unreadable"]
    assert rows["agnews"]["unreadable"] is None and rows["agnews"]["finished"] == 2
    told = run("study", "show", "mail", code=2).stderr
    assert "'mail'" in told and said in told


def test_a_definition_that_is_no_json_is_told(place):
    place("mail")
    edit("mail", "suite:definition", lambda text: text[:100])
    assert "'mail'" in run("study", "show", "mail", code=2).stderr
    assert listed()["mail"]["unreadable"]


# ---------------------------------------------------------------- records of other versions


def more(record, **fields):
    return {**record, "since_later": {"unit": "s"}, **fields}


def packed(change):
    """A change of the JSON object of a trial, which is stored as text."""
    return lambda text: json.dumps(change(json.loads(text)))


def test_fields_of_later_versions_are_passed_over(place):
    study = place("sample")
    before = shown(study)

    def trial(found):
        found = more(found, validation=more(found["validation"]), rps=more(found["rps"]))
        found["rps"]["single_stream"] = more(found["rps"]["single_stream"])
        found["checkpoints"] = [more(c) for c in found["checkpoints"]]
        return found

    assert edit_trials("suite:trial", packed(trial)) == 6
    assert edit_trials("suite:checkpoints", lambda all_: [[*c, "more"] for c in all_])
    test = {"test": more({})}
    assert edit(study, "suite:finals", lambda fs: [more(f, test=f["test"] | test) for f in fs])
    assert edit(study, "suite:comparisons", lambda cs: [more(c) for c in cs])
    assert edit(study, "suite:bench:", more) == 6
    assert edit(study, "suite:rps:", more)
    assert edit(study, "suite:kept:", more)
    assert edit(study, "suite:predictions", more)
    holds(before, shown(study))
    assert not shown(study)["unread"]
    run("report", study, "--out", "pages")


def test_a_running_trial_s_checkpoints_of_a_later_version(place):
    place("quick")
    with database() as opened:
        (number,) = opened.execute("select trial_id from trials where state = 'RUNNING'").fetchone()
        opened.execute(
            "insert into trial_user_attributes (trial_id, key, value_json) values (?, ?, ?)",
            (
                number,
                "suite:checkpoints",
                "[[0.2, 0.5, 1.5, 600, null, 0.7, 1, {}], [0.4, 0.6, 3.0]]",
            ),
        )
        opened.commit()
    checkpoints = shown("quick")["trials"][-1]["checkpoints"]
    assert checkpoints == [
        {"fraction": 0.2, "macro_f1": 0.5, "train_seconds": 1.5, "rows": 600, "loss": 0.7}
        | {"objective": {"name": "macro_f1", "value": 0.5}},
        {"fraction": 0.4, "macro_f1": 0.6, "train_seconds": 3.0, "rows": None, "loss": None}
        | {"objective": {"name": "macro_f1", "value": 0.6}},
    ]


def test_fields_that_a_version_left_out_have_their_defaults(place):
    study = place("sample")

    def trial(found):
        del found["load_seconds"], found["circumstances"], found["contended"], found["rps"]
        return found

    edit_trials("suite:trial", packed(trial))
    edit(study, "suite:bench:", lambda row: {k: v for k, v in row.items() if k != "versions"})
    found = shown(study)
    assert found["trials"][0]["load_seconds"] is None and found["trials"][0]["rps"] is None
    assert len(found["bench"]) == 6 and not found["unread"]


def without(name):
    return lambda record: {key: value for key, value in record.items() if key != name}


def test_records_that_cannot_be_read_are_told_and_hide_nothing_else(place):
    study = place("sample")
    before = shown(study)

    def trial(found):
        if found["number"] == 2:
            del found["validation"]["accuracy"]
        return found

    edit_trials("suite:trial", packed(trial))
    edit(study, "suite:bench:made-here:tiny-bert/linear_head:torch:float32", without("engine"))
    edit(study, "suite:finals", lambda finals: [without("rank")(finals[0]), *finals[1:]])
    edit(study, "suite:comparisons", lambda found: [without("p")(c) for c in found])
    edit(study, "suite:predictions", lambda found: {"labels": "?"})
    found = shown(study)
    assert "accuracy" in found["trials"][2]["error"]
    assert found["trials"][2]["params"] == before["trials"][2]["params"]
    holds(before["trials"][:2], found["trials"][:2])
    assert len(found["bench"]) == 5 and len(found["finals"]) == len(before["finals"]) - 1
    unread = "\n".join(found["unread"])
    for what in ("trial 2", "tiny-bert/linear_head:torch:float32", "finals", "comparisons"):
        assert what in unread
    said = run("study", "show", study).output
    assert "tiny-bert/linear_head:torch:float32" in said
    run("study", "best", study)
    page = Path(run("report", study, "--out", "pages").stdout.splitlines()[-1])
    assert "tiny-bert/linear_head:torch:float32" in page.read_text(encoding="utf-8")


# ---------------------------------------------------------------- what changed since, and whose


@pytest.fixture
def shipped(folder, monkeypatch):
    """The shipped files as a copy that may be changed."""
    copy = folder / "elsewhere"
    for kind in ("tasks", "studies"):
        (copy / kind).mkdir(parents=True)
        for file in paths.bundled(kind).glob("*.yaml"):
            shutil.copy(file, copy / kind)
    monkeypatch.setattr(paths, "bundled", lambda kind: copy / kind)
    return copy


def replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


AGNEWS = ("study", "create", "agnews", "--recipe", "agnews", "--name", "agnews", "--sample")


def test_a_shipped_recipe_that_changed_is_said_once_and_is_no_difference(place, shipped):
    place("agnews")
    replace(shipped / "studies" / "agnews.yaml", "epochs: 2", "epochs: 3")
    replace(shipped / "studies" / "agnews.yaml", "  - textcnn/classic\n", "")
    before = shown("agnews")
    # As many trials as it has: nothing is left to do.
    for words in (("study", "run", "agnews", "--trials", "2"), (*AGNEWS, "--trials", "2")):
        said = run(*words).stderr
        assert said.count("recipe 'agnews'") == 1 and "budget.epochs" in said
        assert "keeps" in said
    holds(before["budget"], shown("agnews")["budget"])
    assert before["budget"]["epochs"] == 2


def test_a_catalogue_entry_that_changed_is_no_difference(place, monkeypatch):
    from suite.models import catalogue
    from suite.study import create, differences

    def changed():
        models = catalogue.load_catalogue()
        return {n: m.model_copy(update={"note": "another"}) for n, m in models.items()}

    for module in (create, differences):
        monkeypatch.setattr(module, "load_catalogue", changed)
    place("agnews")
    for words in (("study", "run", "agnews", "--trials", "2"), (*AGNEWS, "--trials", "2")):
        assert "qwen3-0.6b" in run(*words).stderr


def test_a_shipped_task_that_changed_is_no_difference(place, shipped):
    """Nor are the rows that the study has no more where it is created again."""
    place("mail")
    shutil.copy("mail.yaml", shipped / "tasks" / "post.yaml")
    replace(shipped / "tasks" / "post.yaml", "name: mail", "name: post")
    words = ("study", "create", "post", "--data", "mail", "--arms", "tfidf/*", "--no-run")
    run(*words)
    before = shown("post")["data"]
    assert "Changed" not in run(*words).stderr
    replace(shipped / "tasks" / "post.yaml", "share: 0.25", "share: 0.4")
    shutil.rmtree(files_of("post"))
    assert "validation.share" in run(*words).stderr
    facts = json.loads((files_of("post") / "data/facts.json").read_text())["facts"]
    assert facts["fingerprint"] == before["fingerprint"] == shown("post")["data"]["fingerprint"]


def test_a_default_that_changed_is_no_difference(place, monkeypatch):
    """Neither for a shipped recipe nor for an own one whose file leaves it out."""
    from suite.config.recipe import Recipe, Sampler
    from suite.contracts.task import Task

    place("own")
    place("mail")
    for model, name, value in (
        (Sampler, "name", "random"),
        (Recipe, "shrink_batch", False),
        (Task, "max_tokens", 64),
    ):
        monkeypatch.setattr(model.model_fields[name], "default", value)
    for model in (Sampler, Recipe, Task):
        model.model_rebuild(force=True)
    try:
        assert "max_tokens" in run("study", "run", "mail", "--trials", "3").stderr
        said = run("study", "run", "own", "--trials", "2").stderr
        assert "sampler.name" in said and "shrink_batch" in said and "keeps" in said
    finally:
        monkeypatch.undo()
        for model in (Sampler, Recipe, Task):
            model.model_rebuild(force=True)


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "said"),
    [
        ("own", "studies/own.yaml", "min_rps: 50", "min_rps: 90", "bounds.min_rps: stored 50"),
        ("own", "studies/own.yaml", "max_trial_seconds: 120\n", "", "max_trial_seconds"),
        ("own", "studies/own.yaml", "[1, 2]", "[1, 2, 3]", "spaces"),
        ("own", "studies/own.yaml", "seed: 3", "seed: 3\nshrink_batch: false", "shrink_batch"),
        ("mail", "mail.yaml", "share: 0.25", "share: 0.3", "mail.yaml changed: validation.share"),
        ("mail", "hasty.yaml", "epochs: 1", "epochs: 2", "budget.epochs: stored 1"),
    ],
)
def test_an_own_file_that_was_edited_is_refused(place, name, file, old, new, said):
    study = place(name)
    replace(Path(file), old, new)
    told = run("study", "run", study, code=2).stderr
    assert said in told.replace("\n", " ")


def test_a_title_or_the_trials_of_an_own_recipe_may_change(place):
    study = place("own")
    replace(Path("studies/own.yaml"), "title: An own recipe", "title: Mine")
    replace(Path("studies/own.yaml"), "trials: 6", "trials: 60")
    run("study", "run", study, "--trials", "2")


def test_a_checkout_s_own_files_are_told_from_the_user_s_by_git(folder):
    """`suite task new` writes to `tasks/`, which in a checkout is where the shipped ones lie."""
    assert paths.is_shipped(paths.bundled("tasks") / "agnews.yaml", "tasks")
    assert not paths.is_shipped(Path("tasks/agnews.yaml"), "studies")
    if shutil.which("git") is None:
        pytest.skip("no git")
    checkout = folder / "checkout"
    for name in ("tasks/agnews.yaml", "tasks/mine.yaml", "suite/paths.py"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).touch()
    named = [checkout / "tasks" / f"{name}.yaml" for name in ("agnews", "mine")]
    assert [paths.is_shipped(file, "tasks") for file in named] == [True, True]
    for words in (["init", "-q"], ["add", "tasks/agnews.yaml", "suite"]):
        subprocess.run(["git", "-C", checkout, *words], check=True)
    assert [paths.is_shipped(file, "tasks") for file in named] == [True, False]
    # As the study of a wheel remembers it, or of a checkout that is elsewhere now.
    for gone in ("/x/suite/_bundled/tasks/agnews.yaml", "/x/tasks/agnews.yaml"):
        assert paths.is_shipped(Path(gone), "tasks")
    assert not paths.is_shipped(Path("/x/tasks/mine.yaml"), "tasks")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seed", "9"), "--seed: stored 0, now 9"),
        (("--train-rows", "100"), "--train-rows"),
        (("--arms", "tfidf/*"), "arms"),
        (("--recipe", "quick"), "recipe: stored agnews, now quick"),
    ],
)
def test_what_is_named_otherwise_is_refused(place, shipped, words, said):
    place("agnews")
    replace(shipped / "studies" / "agnews.yaml", "epochs: 2", "epochs: 3")
    told = run(*AGNEWS, "--no-run", *words, code=2).stderr
    assert said in told.replace("\n", " ")
