"""`suite curve` as a command: cut short, shared, with an end, asked for what can't be."""

import json
import shutil
import signal
import time
from collections import Counter

import pytest
from conftest import PATIENCE, inside, write_recipe, write_task
from report_studies import EN
from test_study import alive_children, running, start, suite, wait_for

from suite.cli.report import _over
from suite.contracts.growth import Advice, Curve
from suite.errors import StudyError, SuiteError
from suite.report.data.growth import advice_told
from suite.study import ending, growing, sizes, storage
from suite.study.growing import Asked, plan
from suite.study.record import OWNER, STOP, TARGET

#: In any order, one of them twice.
SIZES = "80,20,150,40,20"
PARTS = ("g.rows-20", "g.rows-40", "g.rows-80")


def curve(folder, name="g", **changes):
    """The words of a curve of the toy task."""
    made = {"arms": ["tfidf/toy"], "trials": 2, "spaces": {"*/toy": {"noise": 0.3}}} | changes
    write_recipe(folder, **made)
    return ("curve", "toy.yaml", "--recipe", "toys.yaml", "--name", name, "--sizes", SIZES)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with the toy task and its curve `g`, whole."""
    with inside(tmp_path_factory.mktemp("curve")) as place:
        write_task(place)
        suite(*curve(place), "--timeout", "1h")
    return place


@pytest.fixture
def whole(folder, once):
    """The words of that curve, which is in the working folder."""
    shutil.copytree(once, folder, dirs_exist_ok=True)
    return curve(folder)


def growth(name="g"):
    return json.loads(suite("study", "show", name, "--json").stdout)["growth"]


def states(name):
    study, _ = storage.load(storage.open_storage(None), name)
    return Counter(trial.state.name for trial in study.get_trials(deepcopy=False))


def begun():
    """Whether a part of the curve is there."""
    try:
        return set(PARTS) & set(storage.names(storage.open_storage(None)))
    except SuiteError:
        return False  # there is no database yet


def measured(found):
    keys = ("arm", "rows", "draw", "score", "carried")
    return [tuple(point[key] for key in keys) for point in found["points"]]


# ---------------------------------------------------------------- cut short, and shared


def test_a_curve_that_is_cut_short_in_a_part_goes_on_and_loses_nothing(
    folder, toy_task, hold, once, monkeypatch
):
    """Killed, and what goes on with it interrupted."""
    words = curve(folder, spaces={"*/toy": {"noise": 0.3, "seconds": 0.5, "hold": str(hold)}})
    hold.unlink()
    process = start(*words)
    # From its first part on a trial stays half-way.
    wait_for(begun, process)
    hold.touch()
    for number in (signal.SIGKILL, signal.SIGINT):
        wait_for(lambda one=process: any(halfway(part, one) for part in PARTS), process)
        offspring = alive_children(process.pid)
        process.send_signal(number)
        _, told = process.communicate(timeout=PATIENCE)
        for child in offspring:
            child.wait(PATIENCE)
        assert "Traceback" not in told
        assert growth()["missing"]
        if number == signal.SIGKILL:
            # Whoever goes on with the study goes on with its curve.
            process = start("study", "run", "g")
    assert process.returncode == 130
    assert "everything is saved" in told and "suite study run g" in told
    hold.unlink()
    suite("study", "run", "g")
    found = growth()
    assert found["missing"] == []
    for name, target in (("g", 2), ("g.rows-20", 2), ("g.rows-40", 2), ("g.rows-80", 1)):
        left = states(name)
        assert left["COMPLETE"] == target
        assert not left["RUNNING"] and not left["WAITING"]
    # And it is the curve that nobody cut short.
    monkeypatch.chdir(once)
    assert measured(found) == measured(growth())


def halfway(name, process):
    """Whether a trial of a process has a checkpoint; one that died may still count as running."""
    return any(
        trial.intermediate_values and trial.user_attrs[OWNER]["pid"] == process.pid
        for trial in running(name)
    )


def test_two_commands_share_a_curve(folder, toy_task, hold):
    words = curve(folder, spaces={"*/toy": {"noise": 0.3, "hold": str(hold)}})
    first = start(*words[:-1], "20,150")
    wait_for(lambda: any(t.intermediate_values for t in running("g")), first)
    second = start("study", "run", "g", "--workers", "2")
    wait_for(lambda: len(running("g")) == 2, second)
    hold.unlink()
    for process in (first, second):
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, told
    assert growth()["missing"] == []
    assert [states(name) for name in ("g", "g.rows-20")] == [{"COMPLETE": 2}] * 2


# ---------------------------------------------------------------- with an end


def test_a_part_that_lacks_trials_is_not_done(whole):
    """What a part has whose time was up: finals, of fewer trials than it is to have."""
    opened = storage.open_storage(None)
    part = storage.find(opened, "g.rows-20")
    part.set_user_attr(TARGET, 3)
    assert growth()["missing"] == ["g.rows-20"]
    # Of a search that ended before it had them, nothing is missing.
    part.set_user_attr(STOP, {"target_f1": 0.01})
    ending.tell(part, storage.load(opened, "g.rows-20")[1], 3, timed=False, say=print)
    assert growth()["missing"] == [] and growing.share(opened, "g") == 1.0
    part.set_user_attr(STOP, {})
    assert growing.share(opened, "g") < 1.0
    assert "g.rows-20" in suite(*whole).stderr
    assert states("g.rows-20").total() == 3 and growth()["missing"] == []
    assert "Part" not in suite(*whole).stderr


def test_each_part_has_its_share_of_what_time_is_left(whole):
    opened = storage.open_storage(None)
    assert growing.share(opened, "g") == 1.0  # nothing of the curve is missing
    for name in PARTS:
        suite("study", "delete", name, "--yes")
    # 2 trials and a final of 150 rows; the same of 20 and of 40; 1 and a final of 80.
    whole, rest = 150 * 3, 20 * 3 + 40 * 3 + 80 * 2
    assert growing.share(opened, "g") == pytest.approx(whole / (whole + rest))
    given = []
    growing.run(
        opened, "g", lambda name, seconds, began: given.append((name, seconds)), seconds=1e9,
        began=time.monotonic(), say=lambda line: None, ended=lambda: False,
    )  # fmt: skip
    # As good as nothing was spent, so the next ones have their share of all.
    assert given == [
        ("g.rows-40", pytest.approx(1e9 * 120 / 340, rel=1e-3)),
        ("g.rows-20", pytest.approx(1e9 * 60 / 220, rel=1e-3)),
        ("g.rows-80", pytest.approx(1e9, rel=1e-3)),
    ]


def test_a_page_that_is_kept_fresh_waits_for_the_curve(whole):
    from suite.api import load_results

    assert _over(load_results("g"))
    suite("study", "delete", "g.rows-40", "--yes")
    assert not _over(load_results("g"))


# ---------------------------------------------------------------- what can't be


def test_wrong_words_are_told_before_anything_is_stored(folder, toy_task):
    words = curve(folder)[:-2]
    for options, why in (
        (("--timeout", "soon"), "'soon'"),
        (("--max-disk", "much"), "'much'"),
        (("--sizes", ""), "'' is no number of training rows"),
        (("--sizes", ","), "',' is no number of training rows"),
        (("--sizes", "150"), "a curve of one size: 150 of 150 training rows"),
        (("--sizes", "1,150"), "'1' is no number of training rows"),
        (("--sizes", "20,-40"), "'-40' is no number of training rows"),
        (("--sizes", "20,1e3"), "'1e3' is no number of training rows"),
        (("--data", "nowhere"), "nowhere"),
    ):
        said = suite(*words, *options, code=2).stderr
        assert why in said and "Traceback" not in said, said
    assert not (folder / "studies" / "suite.db").exists()


def test_sizes_in_any_order_and_twice_are_the_same_sizes(whole):
    found = growth()
    assert found["sizes"] == [20, 40, 80, 150] and found["missing"] == []
    assert [states(name).total() for name in ("g", *PARTS)] == [2, 2, 2, 1]


def test_what_is_refused_of_a_curve_that_is_there_changes_nothing(folder, whole):
    said = suite(*whole[:-2], "--sizes", "500", "--trials", "9", code=2).stderr
    assert "a size of 500 of 150 training rows" in said and "another --name" in said
    for arm in ("x/y", ""):
        said = suite(*whole, "--trials", "9", "--advice", arm, code=2).stderr
        assert f"has no arm '{arm}'" in said
    assert storage.find(storage.open_storage(None), "g").user_attrs[TARGET] == 2
    for name in ("g", "g.rows-20"):
        said = suite("finals", name, "--refit", code=2).stderr
        assert "learn from no row of validation" in said
    # A study of the name that is no curve, or has other settings, is not made one.
    changed = curve(folder, arms=["tfidf/toy"], trials=2, margin=0.05)
    assert "margin: stored" in suite(*changed, code=2).stderr
    plain = write_recipe(folder, trials=1)
    suite("study", "create", "toy.yaml", "--recipe", plain, "--name", "p", "--no-run")
    said = suite("curve", "toy.yaml", "--recipe", plain, "--name", "p", code=2).stderr
    assert "a learning curve: stored False, now True" in said


def test_sizes_by_halves_have_a_row_of_each_class():
    for classes in (2, 4, 15, 77, 119, 150, 1000):
        for rows in (300, 4_000, 9_000, 15_000, 16_000):
            found = sizes.usual(rows, classes)
            if len(found) > 1:
                assert sizes.checked(found, rows, classes) == found


def test_the_control_of_advice_is_no_size_of_the_curve(folder, whole):
    """Its hyperparameters are those of the largest size, a size's may be others."""
    from suite.api import create_study

    definition = storage.load(storage.open_storage(None), "g")[1]
    counts = Counter({0: 80, 1: 40})
    asked = Asked(sizes=[20, 120, 150], searched=[20, 150], advice="tfidf/toy")
    parts = list(plan(asked, definition, counts))
    assert len({part.name for part in parts}) == len(parts)
    controls = [part.rows for part in parts if part.label is None and part.rows not in asked.sizes]
    assert controls == [119] * growing.HELD_DRAWS
    words = curve(folder, name="h", arms=["tfidf/toy", "fasttext/toy"])
    made = Curve((20, 40, 80, 150), advice="tfidf/toy")
    create_study("toy.yaml", recipe="toys.yaml", name="h", curve=made)
    said = suite(*words, "--advice", "fasttext/toy", code=2).stderr
    assert "has advice by tfidf/toy, and not by fasttext/toy" in said
    with pytest.raises(StudyError, match="-5 more rows"):
        growing.joined(None, definition, Curve((20, 150), more=-5))


# ---------------------------------------------------------------- what is told


def test_a_curve_that_has_no_finals_yet_has_its_page(folder, toy_task):
    from suite.api import create_study

    recipe = write_recipe(folder, trials=1)
    create_study("toy.yaml", recipe=recipe, name="g", curve=Curve((20, 40, 150)))
    assert growth()["missing"] == ["g.rows-40", "g.rows-20"] and growth()["arms"] == []
    assert "Still missing" in suite("study", "show", "g").stdout
    suite("report", "g")
    page = (folder / "reports" / "g.html").read_text(encoding="utf-8")
    assert 'id="growth"' in page and 'id="chart-growth"' not in page


def test_advice_without_a_law_says_so():
    said = advice_told(Advice("a/b", 300, [], None), ["x", "y"], EN)
    assert len(said) == 1 and "it takes a law of a/b" in said[0]


# ---------------------------------------------------------------- rows of somebody's own


def table(folder, rows):
    lines = "".join(f'"{text}",{label}\n' for text, label in rows)
    (folder / "rows.csv").write_text(f"text,label\n{lines}")


def of(label, count):
    words = {"ham": "meeting agenda notes", "spam": "winner prize lottery"}[label]
    return [(f"{words} number {n * n} of {n}", label) for n in range(count)]


def test_a_class_that_its_share_would_lose_has_a_row_and_is_told(folder):
    table(folder, of("ham", 400) + of("spam", 12))
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1)
    words = ("curve", "rows.csv", "--recipe", recipe, "--name", "g", "--sizes", "10,200")
    said = suite(*words).stderr
    assert "10 rows: 1 class would have none by their share, and get one each" in said
    assert "200 rows:" not in said and "Part 1 of 1" in said
    assert growth()["missing"] == []


@pytest.mark.parametrize(
    "rows",
    [[], of("ham", 1), of("ham", 300), of("ham", 3) + of("spam", 2), [("", ""), ("x", "")]],
    ids=["none", "one", "one class", "five", "empty"],
)
def test_rows_that_make_no_curve_are_refused_in_words(folder, rows):
    table(folder, rows)
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1)
    said = suite("curve", "rows.csv", "--recipe", recipe, "--name", "g", code=2).stderr
    assert "rows.csv" in said or "curve of one size" in said
    assert "Traceback" not in said and not (folder / "studies" / "suite.db").exists()
