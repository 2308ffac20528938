"""One file of a user's own, from its name to a ranking; and what stands in the way, said."""

import io
import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from documents import ROOT
from test_cli import process
from test_study import suite
from tickets import tickets, write

from suite import create_study
from suite.cli.asking import asked
from suite.config.task import load_task
from suite.data import load as data
from suite.data.check import check
from suite.data.columns import LabelUnclear
from suite.data.own import is_rows, name_of
from suite.errors import DataError, StudyError, TaskError


@pytest.fixture
def csv(folder):
    """300 tickets in the working folder."""
    return write(folder / "tickets.csv", tickets(300))


def more(rows, **columns):
    """The rows with further columns."""
    return [row | {n: make(i) for n, make in columns.items()} for i, row in enumerate(rows)]


def create(*words, code=0):
    """`suite study create … --no-run` and what it said."""
    result = suite("study", "create", *words, "--no-run", code=code)
    return result.stdout + result.stderr


# --- the whole way --------------------------------------------------------------------------


def test_one_file_to_a_ranking(folder):
    write(folder / "tickets.csv", tickets())
    # An own recipe of the name wins: as it is, but for minutes of measuring.
    recipe = yaml.safe_load((ROOT / "studies" / "auto.yaml").read_text(encoding="utf-8"))
    (folder / "studies").mkdir()
    (folder / "studies" / "auto.yaml").write_text(json.dumps(recipe | {"measure": {"seconds": 0}}))
    words = ("study", "create", "tickets.csv", "--arms", "tfidf/classic", "--trials", "1")
    result = process(*words)
    assert result.returncode == 0, result.stderr
    assert "text: subject, body (called so, " in result.stderr
    assert "label: team (6 different values in 2,9" in result.stderr
    assert re.search(r"6 classes: billing [\d,]+, orders [\d,]+, .*press [\d,]+\n", result.stderr)
    assert "rows without text or label left out" in result.stderr
    assert "Wrote tasks/tickets.yaml" in result.stderr
    assert "tfidf/classic" in result.stdout
    # The same line goes on with it, and needs nothing.
    again = suite(*words)
    assert "The rows are read as tasks/tickets.yaml says." in again.stderr
    assert "The study 'tickets' exists: going on with it." in again.stderr
    found = json.loads(suite("study", "show", "tickets", "--json").stdout)
    facts = found["data"]
    assert facts["source"] == "file tickets.csv"
    kept = sum(1 for r in tickets() if r["team"] and (r["subject"] or r["body"]))
    assert sum(facts["rows"].values()) == kept
    assert facts["rows"]["test"] == pytest.approx(kept / 5, abs=3)
    assert any(f"{3000 - kept} rows are left out" in told for told in facts["audit"]["warnings"])


def test_the_task_file_is_written_once_and_followed(csv):
    said = create("tickets.csv")
    file = Path("tasks/tickets.yaml")
    task = load_task(file)
    assert (task.name, task.title, task.data.file) == ("tickets", "tickets", "../tickets.csv")
    assert (task.data.text, task.data.label) == (["subject", "body"], "team")
    assert [f.level for f in check(file) if f.level == "error"] == []
    text = file.read_text()
    assert "text: [subject, body]  # called so, " in text
    assert "test: {share: 0.2, seed: 0}" in text
    assert "Wrote tasks/tickets.yaml" in said
    said = create("tickets.csv")
    assert "Wrote" not in said
    assert "The rows are read as tasks/tickets.yaml says." in said
    assert file.read_text() == text
    # What was changed by hand wins, and is told.
    file.write_text(text.replace("title: tickets", "title: Our tickets"))
    said = create("tickets.csv")
    assert "as tasks/tickets.yaml says, which was changed by hand." in said
    assert "exists: going on with it" in said
    # What the command says otherwise is no second draft.
    said = create("tickets.csv", "--label", "subject", "--text", "body", "--group", "team", code=2)
    assert "tasks/tickets.yaml: it says otherwise than the command" in said
    assert "--label subject: there team" in said
    assert "--text body: there subject, body" in said
    assert "--group team: there nothing" in said


def test_another_file_of_the_same_name_is_refused(csv, folder):
    create("tickets.csv")
    (folder / "new").mkdir()
    write(folder / "new" / "tickets.csv", tickets(200, seed=1))
    said = create("new/tickets.csv", code=2)
    assert "tasks/tickets.yaml: it reads ../tickets.csv, not new/tickets.csv" in said
    assert "Created 'later'" in create("new/tickets.csv", "--name", "later")
    assert load_task(Path("tasks/later.yaml")).data.file == "../new/tickets.csv"


def test_changed_rows_are_refused_with_both_fingerprints(csv, folder):
    create("tickets.csv")
    rows = tickets(300)
    rows[7]["body"] = "something else"
    write(csv, rows)
    said = create("tickets.csv", code=2)
    assert re.search(r"data fingerprint: stored [0-9a-f]{16}, now [0-9a-f]{16}", said)
    # Each remedy that is named works.
    assert "Created 'changed'" in create("tickets.csv", "--name", "changed")
    suite("study", "delete", "tickets", "--yes")
    assert "Created 'tickets'" in create("tickets.csv")
    write(csv, [*rows, {"subject": "a new thing", "body": "for a new team", "team": "new"}])
    said = create("tickets.csv", code=2)
    assert "the label 'new' is not among the task's 6" in said
    assert "tasks/tickets.yaml" in said


def test_what_fails_leaves_no_task_file(folder):
    write(folder / "few.csv", tickets(300)[:3])
    create("few.csv", code=2)
    assert not Path("tasks").exists()


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name", "title"),
    [
        ("tickets.csv", "tickets", "tickets"),
        ("a/b/Support Tickets (2024).csv", "support-tickets-2024", "Support Tickets (2024)"),
        ("tickets.csv.gz", "tickets", "tickets"),
        ("data.v2.jsonl", "data.v2", "data.v2"),
        ("Anfragen März.csv", "anfragen-marz", "Anfragen März"),
        ("imdb.csv", "imdb-2", "imdb"),
        ("quick.csv", "quick-2", "quick"),
        ("_.csv", None, "_"),
        ("工单.csv", None, "工单"),
        ("工单2024.csv", None, "工单2024"),
        ("x" * 90 + ".csv", "x" * 60, "x" * 90),
    ],
)
def test_names_after_files(folder, file, name, title):
    made, shown_title = name_of(Path(file))
    assert shown_title == title
    if name is None:
        assert re.fullmatch(r"data-[0-9a-f]{4}", made)
        assert made == name_of(Path(file))[0]
    else:
        assert made == name


def test_a_chinese_file_has_its_title(folder):
    write(folder / "工单.csv", tickets(120))
    said = create("工单.csv")
    name = name_of(Path("工单.csv"))[0]
    assert f"Created '{name}'" in said
    assert load_task(Path(f"tasks/{name}.yaml")).title == "工单"


def test_what_is_rows_and_what_a_task(folder):
    for name in ("a.csv", "b.jsonl", "c.yaml", "plain"):
        (folder / name).touch()
    (folder / "agnews").mkdir()
    (folder / "mine").mkdir()
    rows = ["a.csv", "./b.jsonl", "nowhere.csv", "mine", "./agnews", "-"]
    assert [name for name in rows if not is_rows(name)] == []
    assert [
        name for name in ("agnews", "c.yaml", "./c.yml", "plain", "tnews") if is_rows(name)
    ] == []


def test_what_is_said_of_rows_is_not_said_of_a_task(csv):
    with pytest.raises(StudyError, match="said of a file of rows, and a task was named"):
        create_study("agnews", sample=True, label="team")
    with pytest.raises(StudyError, match="--sample names other rows than"):
        create_study("tickets.csv", sample=True)


# --- columns --------------------------------------------------------------------------------


def test_two_candidates_are_asked_and_where_nobody_is_named(folder, monkeypatch):
    rows = more(tickets(120), priority=lambda row: ("low", "high")[row % 7 > 3])
    write(folder / "two.csv", rows)
    said = create("two.csv", code=2)
    assert "2 columns could be the label: team (6: " in said
    assert "Name it: --label team or --label priority." in said
    assert not Path("tasks").exists()

    def make(label, merge_case):
        return create_study("two.csv", label=label)

    from suite.cli import asking

    monkeypatch.setattr(asking, "_somebody", lambda: True)
    answers = iter(["nothing", "3", "2"])
    monkeypatch.setattr("typer.prompt", lambda *words, **options: next(answers))
    assert asked(make, None, None).definition.task.data.label == "priority"
    monkeypatch.setattr(asking, "_somebody", lambda: False)
    with pytest.raises(LabelUnclear):
        asked(lambda label, merge_case: create_study("two.csv", name="other"), None, None)


def test_what_is_named_is_taken_and_told(csv, folder):
    write(csv, more(tickets(300), ticket="T-{}".format, customer=lambda row: f"c{row % 40}"))
    said = create("tickets.csv", "--text", "body", "--label", "team", "--id", "ticket")
    assert "text: body (named with --text)" in said
    assert "id: ticket (named with --id)" in said
    assert "not used: --group customer  (40 values, 7.5 rows each" in said
    task = load_task(Path("tasks/tickets.yaml"))
    assert (task.data.text, task.data.id, task.data.test.group) == (["body"], "ticket", None)


def test_the_library_takes_a_file_too(csv):
    told = []
    made = create_study("tickets.csv", text=["subject", "body"], label="team", say=told.append)
    assert (made.name, made.resumed) == ("tickets", False)
    assert made.definition.recipe.name == "auto"
    assert any("named with --text" in line for line in told)
    assert (
        made.definition.command
    ) == "suite.create_study('tickets.csv', text=['subject', 'body'], label='team')"
    assert create_study(csv.relative_to(Path.cwd())).resumed


def test_standard_input_is_kept_beside_the_task(csv, monkeypatch):
    def fed(rows):
        return io.TextIOWrapper(io.BytesIO(rows))

    monkeypatch.setattr(sys, "stdin", fed(csv.read_bytes()))
    assert create_study("-").name == "stdin"
    assert Path("tasks/stdin.csv").read_bytes() == csv.read_bytes()
    monkeypatch.setattr(sys, "stdin", fed(csv.read_bytes()))
    assert create_study("-").resumed
    monkeypatch.setattr(sys, "stdin", fed(csv.read_bytes() + b"a,b,orders\r\n"))
    with pytest.raises(DataError, match="standard input has other rows than before: fingerprint"):
        create_study("-")
    rows = "".join(json.dumps(row) + "\n" for row in tickets(90)).encode()
    monkeypatch.setattr(sys, "stdin", fed(rows))
    assert create_study("-", name="lines").name == "lines"
    assert Path("tasks/lines.jsonl").read_bytes() == rows
    monkeypatch.setattr(sys, "stdin", fed(b" \n"))
    with pytest.raises(DataError, match="standard input is empty"):
        create_study("-", name="none")


# --- test held out --------------------------------------------------------------------------


def loaded(file, **options):
    path = Path(f"tasks/{file}.yaml")
    return data.load(load_task(path), path, **options)


def test_groups_stay_on_one_side_and_the_newest_are_test(folder):
    rows = more(
        [row for row in tickets(400) if row["team"] and row["body"]],
        customer=lambda row: f"c{row % 40}",
        created=lambda row: f"2024-{row // 40 + 1:02}-{row % 28 + 1:02}",
    )
    write(folder / "grouped.csv", rows)
    write(folder / "timed.csv", rows)
    create("grouped.csv", "--group", "customer", "--label", "team")
    create("timed.csv", "--time", "created", "--label", "team")
    customer = {r["body"]: r["customer"] for r in rows}
    created = {r["body"]: r["created"] for r in rows}

    def values(found, of):
        parts = (found.train, found.validation, found.test)
        return [{v for body, v in of.items() if any(body in t for t in p.texts)} for p in parts]

    train, validation, test = values(loaded("grouped"), customer)
    assert not (train & validation or train & test or validation & test)
    train, validation, test = values(loaded("timed"), created)
    assert max(train) <= min(validation) <= max(validation) <= min(test)


def test_test_stands_when_rows_are_reordered(csv):
    create("tickets.csv")
    before = loaded("tickets")
    write(csv, tickets(300)[::-1])
    after = loaded("tickets")
    for part in ("train", "validation", "test"):
        assert sorted(getattr(before, part).texts) == sorted(getattr(after, part).texts)


def test_strict_refuses_what_is_else_left_out(csv):
    said = create("tickets.csv", "--strict", code=2)
    assert "the label is empty" in said
    rows = [row for row in tickets(300) if row["team"]]
    rows[0] |= {"subject": " ", "body": ""}
    write(csv, rows)
    said = create("tickets.csv", "--strict", code=2)
    assert "tickets.csv, row 1: the text is empty" in said
    assert "left out" in create("tickets.csv")


def test_a_share_of_test_is_said(csv):
    create("tickets.csv", "--test-share", "0.4")
    rows = loaded("tickets").facts.rows
    assert rows.test == pytest.approx(0.4 * (rows.train + rows.validation + rows.test), abs=4)
    assert "test: {share: 0.4, seed: 0}" in Path("tasks/tickets.yaml").read_text()


def test_a_folder_without_test_has_one_carved(folder):
    (folder / "mail").mkdir()
    write(folder / "mail" / "train.csv", tickets(300))
    said = create("mail")
    assert "for test" in said
    assert load_task(Path("tasks/mail.yaml")).data.folder == "../mail"
    for part, count in (("train", 300), ("test", 90)):
        whole = [row for row in tickets(count, seed=count) if row["team"]]
        write(folder / "mail" / f"{part}.csv", whole)
    assert "test.csv is not read" not in create("mail", "--name", "given")
    assert loaded("given").facts.rows.test < 90
    # Carved all the same where it is said.
    assert "test.csv is not read" in create("mail", "--name", "other", "--test-share", "0.3")
    assert load_task(Path("tasks/other.yaml")).data.test.share == 0.3


# --- small and odd --------------------------------------------------------------------------


def labelled(folder, labels):
    rows = [
        {"text": f"a text of some length {row}", "label": label} for row, label in enumerate(labels)
    ]
    return write(folder / "odd.csv", rows)


def test_thirty_rows_say_how_little_they_say(folder):
    labelled(folder, ["a", "b"] * 15)
    create("odd.csv")
    found = loaded("odd").facts
    assert (found.rows.train, found.rows.validation, found.rows.test) == (22, 2, 6)
    assert "test has 6 rows: its macro-F1 moves by 0.17 when one answer changes" in (
        found.audit.warnings
    )


def test_classes_of_one_row_stay_in_train_and_are_told(folder):
    labelled(folder, ["a", "b"] * 40 + ["once", "lone"])
    assert "2 classes have no test row" in create("odd.csv")
    found = loaded("odd")
    assert {2, 3} <= set(found.train.labels)  # lone and once, after a and b
    assert any("2 classes have no test row" in told for told in found.facts.audit.warnings)


def test_what_was_merged_is_counted_where_the_study_is_made(folder):
    labelled(folder, ["a", "b\u200b", "a ", "b"] * 40)
    said = " ".join(create("odd.csv").split())
    assert "80 labels are spelled otherwise than the others of the class, and were merged" in said
    # Going on with it says it no more.
    assert "spelled otherwise" not in create("odd.csv")


def test_three_hundred_classes(folder):
    labelled(folder, [f"class {row % 300:03}" for row in range(1500)])
    said = create("odd.csv")
    assert "300 classes: class 000 5, " in said
    assert "down to 5" in said
    found = loaded("odd")
    for part in (found.train, found.validation, found.test):
        assert len(set(part.labels)) == 300


@pytest.mark.parametrize(
    "labels", [["a", "b"], ["a", "b", "a"], ["a", "b"] * 2, [str(row) for row in range(40)] * 2]
)
def test_too_few_rows_are_refused_with_how_many_would_do(folder, labels):
    labelled(folder, labels)
    said = create("odd.csv", code=2)
    assert "a class with 4 different texts has one for test" in said


def test_task_new_does_the_same_without_a_study(csv):
    result = suite(
        "task", "new", "desk", "--data", "tickets.csv", "--label", "team", "--text", "body"
    )
    assert "Wrote tasks/desk.yaml." in result.stdout
    assert load_task(Path("tasks/desk.yaml")).data.text == ["body"]
    result = suite("task", "new", "none", "--data", "tickets.csv", "--strict", code=2)
    assert "the label is empty" in result.stderr
    assert not Path("tasks/none.yaml").exists()
    result = suite("task", "new", "desk", "--data", "tickets.csv", code=2)
    assert "tasks/desk.yaml exists" in result.stderr


def test_only_train_csv_offers_to_carve(folder):
    """A folder with train.csv alone (datasets #743, wave-h2o-automl #47)."""
    (folder / "d").mkdir()
    write(folder / "d" / "train.csv", tickets(120))
    result = suite("task", "new", "x", "--data", "d")
    assert "Wrote tasks/x.yaml." in result.stdout
    assert load_task(Path("tasks/x.yaml")).data.carving is not None
    with pytest.raises(TaskError, match="no name for a task"):
        suite_draft("My Task")


def suite_draft(name):
    from suite.data.draft import draft

    return draft(name, Path("d"))
