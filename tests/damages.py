"""Databases as damage leaves them: a healthy study, changed in one way each.

`suite study list` and whatever else reads a storage is held to them by tests/test_damaged.py, and
by `python tests/damages.py`, which tries each damage with every command and prints what ended as it
should not.
"""

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

STORED = Path(__file__).parent / "stored" / "b0e390f"
#: The study that is damaged, the one beside it that is not, and their database.
BAD, GOOD, FILE = "agnews-sample", "mail", Path("studies/suite.db")

#: JSON that is not what any attribute holds.
VALUES = {
    "null": "null",
    "number": "7",
    "text": '"?"',
    "list": "[1, 2]",
    "table": '{"a": {"b": 1}}',
    "cut": '{"a": [1, "b',
    "empty": "",
    "nan": "NaN",
    "infinite": "-Infinity",
    "huge": "1" + "0" * 400,
    "deep": "[" * 5000 + "]" * 5000,
    "nested": "[" * 300 + "]" * 300,
    "long": json.dumps("x" * 3_000_000),
}


def healthy():
    """A folder with two studies in one database."""
    from suite.study import copying, storage

    FILE.parent.mkdir(exist_ok=True)
    shutil.copyfile(STORED / "sample.db", FILE)
    with closing(sqlite3.connect(FILE)) as opened:
        opened.execute("update study_directions set direction = direction")  # it can be written
        opened.commit()
    one, two = storage.open_storage(STORED / "mail.db"), storage.open_storage(FILE)
    copying.copy(one, two, {GOOD: GOOD})
    one.engine.dispose()
    two.engine.dispose()


OWN = f"(select study_id from studies where study_name = '{BAD}')"
OF_OWN = f"(select trial_id from trials where study_id = {OWN})"


def statement(*statements):
    def change(opened):
        for one in statements:
            opened.execute(one.format(own=OWN, of_own=OF_OWN))

    return change


def study_value(key, text):
    def change(opened):
        opened.execute(
            f"update study_user_attributes set value_json = ? where key = ? and study_id = {OWN}",
            (text, key),
        )
        if opened.execute("select changes()").fetchone() == (0,):
            opened.execute(
                "insert into study_user_attributes (study_id, key, value_json) "
                f"values ({OWN}, ?, ?)",
                (key, text),
            )

    return change


def trial_value(key, text, table="trial_user_attributes"):
    def change(opened):
        (trial,) = opened.execute(f"select min(trial_id) from {OF_OWN}").fetchone()
        opened.execute(f"delete from {table} where key = ? and trial_id = ?", (key, trial))
        opened.execute(
            f"insert into {table} (trial_id, key, value_json) values (?, ?, ?)", (trial, key, text)
        )

    return change


def inside(key, path, value, table="study_user_attributes"):
    """Changes one value of a record that is JSON, or JSON in a text; `...` takes it away."""

    def change(opened):
        which = f"study_id = {OWN}" if table.startswith("study") else f"trial_id in {OF_OWN}"
        for rowid, text in opened.execute(
            f"select rowid, value_json from {table} where key = ? and {which}", (key,)
        ).fetchall():
            found = json.loads(text)
            packed = isinstance(found, str)
            found = json.loads(found) if packed else found
            at = found
            for part in path[:-1]:
                at = at[part]
            if value is ...:
                del at[path[-1]]
            else:
                at[path[-1]] = value
            written = json.dumps(json.dumps(found) if packed else found)
            opened.execute(f"update {table} set value_json = ? where rowid = ?", (written, rowid))

    return change


def damages():
    """Name -> what changes an opened database."""
    found = {}
    with closing(sqlite3.connect(FILE)) as opened:
        keys = [k for (k,) in opened.execute(
            f"select key from study_user_attributes where study_id = {OWN} and key like 'suite:%'"
        )]  # fmt: skip
    bench = [key for key in keys if key.startswith("suite:bench:")]
    keys = sorted(
        {
            *keys,
            "suite:out",
            "suite:estimates",
            "suite:target",
            "suite:openings",
            "suite:opened_at",
            "suite:truncated",
            "suite:artifacts",
        }
        - set(bench[1:])
    )
    for key in keys:
        for name, text in VALUES.items():
            found[f"{key} {name}"] = study_value(key, text)
    for key in ("suite:trial", "suite:owner", "suite:checkpoints", "suite:retry",
                "suite:known_good", "arm", "macro_f1"):  # fmt: skip
        for name, text in VALUES.items():
            found[f"trial {key} {name}"] = trial_value(key, text)
    for name, text in VALUES.items():
        found[f"trial fixed_params {name}"] = trial_value(
            "fixed_params", text, "trial_system_attributes"
        )
    definition = "suite:definition"
    for path in (["version"], ["name"], ["task"], ["task", "labels"], ["task", "name"],
                 ["task", "title"], ["recipe"], ["recipe", "trials"], ["recipe", "sampler"],
                 ["arms"], ["arms", 0], ["arms", 0, "name"], ["arms", 0, "model"],
                 ["arms", 0, "dimensions"], ["arms", 0, "known_good"], ["data"], ["data", "rows"],
                 ["data", "audit"], ["created"], ["environment"], ["environment", "versions"],
                 ["seed"], ["command"]):  # fmt: skip
        for name, value in (
            ("gone", ...),
            ("null", None),
            ("number", -7),
            ("text", "?"),
            ("list", [1]),
            ("table", {"a": 1}),
            ("nan", float("nan")),
        ):
            found[f"definition {path} {name}"] = inside(definition, path, value)
    found["definition more"] = inside(definition, ["new_key"], 1)
    for path in (["params"], ["validation"], ["validation", "macro_f1"],
                 ["validation", "confusion"],
                 ["validation", "confusion", "size"], ["validation", "confusion", "cells"],
                 ["validation", "per_class_f1"], ["checkpoints"], ["checkpoints", 0], ["rps"],
                 ["train_seconds"], ["arm"], ["state"], ["number"], ["error"],
                 ["circumstances"], ["feasible"]):  # fmt: skip
        for name, value in (
            ("gone", ...),
            ("null", None),
            ("number", 10**9),
            ("text", "?"),
            ("list", [1]),
            ("nan", float("nan")),
        ):
            found[f"record {path} {name}"] = inside(
                "suite:trial", path, value, "trial_user_attributes"
            )
    for path in ([0], [0, "arm"], [0, "test"], [0, "test", "macro_f1"], [0, "rank"],
                 [0, "test", "macro_f1_interval"], [0, "test", "confusion"]):  # fmt: skip
        for name, value in (("gone", ...), ("null", None), ("text", "?"), ("nan", float("nan"))):
            found[f"finals {path} {name}"] = inside("suite:finals", path, value)
    for path in (["labels"], ["arms"]):
        for name, value in (
            ("gone", ...),
            ("text", "?"),
            ("number", 5),
            ("zip", "eNpLTEoGAAJNASc"),
        ):
            found[f"predictions {path} {name}"] = inside("suite:predictions", path, value)
    first = "trial_id = (select min(trial_id) from trials where study_id = {own})"
    tables = {
        "no number": f"update trials set number = null where {first}",
        "negative number": f"update trials set number = -3 where {first}",
        "the same number": "update trials set number = 1 where study_id = {own}",
        "a huge number": f"update trials set number = 123456789 where {first}",
        "state unknown": f"update trials set state = 'WEIRD' where {first}",
        "state empty": f"update trials set state = '' where {first}",
        "state a number": f"update trials set state = 3 where {first}",
        "no date": f"update trials set datetime_start = 'yesterday' where {first}",
        "date a number": f"update trials set datetime_complete = 17 where {first}",
        "date impossible": "update trials set datetime_start = '2026-02-31 25:61:00' "
        f"where {first}",
        "date far": f"update trials set datetime_start = '9999-12-31 23:59:59' where {first}",
        "date first": f"update trials set datetime_start = '0001-01-01 00:00:00' where {first}",
        "distribution cut": "update trial_params set distribution_json = '{{\"name\":' "
        "where trial_id in {of_own}",
        "distribution unknown": "update trial_params set distribution_json = "
        "'{{\"name\": \"Evil\", \"attributes\": {{}}}}' where trial_id in {of_own}",
        "distribution null": "update trial_params set distribution_json = null "
        "where trial_id in {of_own}",
        "parameter out of bounds": "update trial_params set param_value = 1e9 "
        "where trial_id in {of_own}",
        "parameter nan": "update trial_params set param_value = 'nan' where trial_id in {of_own}",
        "parameter null": "update trial_params set param_value = null where trial_id in {of_own}",
        "value text": "update trial_values set value = 'abc' where trial_id in {of_own}",
        "value null": "update trial_values set value = null where trial_id in {of_own}",
        "value infinite": "update trial_values set value = 9e999 where trial_id in {of_own}",
        "value type unknown": "update trial_values set value_type = 'X' where trial_id in {of_own}",
        "value of another objective": "update trial_values set objective = 5 "
        "where trial_id in {of_own}",
        "intermediate type": "update trial_intermediate_values set intermediate_value_type = 'NAN' "
        "where trial_id in {of_own}",
        "intermediate text": "update trial_intermediate_values set intermediate_value = 'x' "
        "where trial_id in {of_own}",
        "no values": "delete from trial_values where trial_id in {of_own}",
        "no parameters": "delete from trial_params where trial_id in {of_own}",
        "no trials": "delete from trials where study_id = {own}",
        "trials of nobody": "update trials set study_id = 4711 where study_id = {own}",
        "attributes of nobody": "update trial_user_attributes set trial_id = 4711 + trial_id "
        "where trial_id in {of_own}",
        "direction unknown": "update study_directions set direction = 'UP' where study_id = {own}",
        "no direction": "delete from study_directions where study_id = {own}",
        "minimized": "update study_directions set direction = 'MINIMIZE' where study_id = {own}",
        "name with a path": "update studies set study_name = '../../x' where study_id = {own}",
        "name empty": "update studies set study_name = '' where study_id = {own}",
        "key null": "update study_user_attributes set key = null where study_id = {own} "
        "and key = 'suite:target'",
        "value json null": "update study_user_attributes set value_json = null "
        "where study_id = {own} and key = 'suite:finals'",
        "value json bytes": "update study_user_attributes set value_json = x'ff00fe' "
        "where study_id = {own} and key = 'suite:finals'",
        "definition bytes": "update study_user_attributes set value_json = cast(x'22ff22' as text) "
        "where study_id = {own} and key = 'suite:definition'",
        "trial bytes": "update trial_user_attributes set value_json = cast(x'22ff22' as text) "
        "where trial_id in {of_own}",
        "note cut": "update study_system_attributes set value_json = '{{' where study_id = {own}",
        "heartbeat": "update trial_heartbeats set heartbeat = 'now' where trial_id in {of_own}",
    }  # fmt: skip
    found |= {name: statement(text) for name, text in tables.items()}
    found["running without owner"] = statement(
        f"update trials set state = 'RUNNING', datetime_complete = null where {first}",
        f"delete from trial_user_attributes where {first}",
    )
    found["waiting for an arm of nobody"] = statement(
        f"update trials set state = 'WAITING', datetime_complete = null where {first}",
        f"delete from trial_params where {first}",
    )
    found["two of a name"] = statement(
        "create table s2 as select * from studies", "drop table studies",
        "create table studies (study_id integer primary key, study_name varchar(512))",
        "insert into studies select * from s2", "drop table s2",
        f"insert into studies (study_name) values ('{BAD}')",
        "insert into study_user_attributes (study_id, key, value_json) "
        "values ((select max(study_id) from studies), 'suite:definition', '\"{{}}\"')",
    )  # fmt: skip
    return found


#: What is tried on each: words, and whether it may need long.
READING = (
    ("study", "list"),
    ("study", "list", "--json"),
    ("study", "show", BAD),
    ("study", "show", BAD, "--json"),
    ("study", "best", BAD),
    ("report", BAD, "--out", "pages"),
    ("study", "show", GOOD, "--json"),
)
MORE = (
    ("report", "--out", "pages"),
    ("predict", BAD, "a text"),
    ("study", "run", BAD, "--trials", "1"),
    ("finals", BAD, "--seeds", "1"),
    ("study", "export-db", BAD, "out.db"),
)


def tried(change, commands, invoke, before):
    """What ends as it should not, a line each.

    Args:
        invoke: runs a command line; its exit code, output and exception.
        before: how the good study is listed where nothing is damaged.
    """
    with closing(sqlite3.connect(FILE)) as opened:
        change(opened)
        opened.commit()
    wrong = []
    for words in (*commands, ("study", "delete", BAD, "--yes")):
        code, said, error = invoke(words)
        if code not in (0, 2) or "Traceback" in said or "defect of the suite" in said:
            wrong.append(f"{' '.join(words)}: {code} {error!r}"[:300])
        if words == ("study", "list", "--json") and code == 0:
            rows = {row["study"]: row for row in json.loads(said)["studies"]}
            if rows.get(GOOD) != before:
                wrong.append(f"{GOOD} is not listed as before: {rows.get(GOOD)}")
    code, said, _ = invoke(("study", "list", "--json"))
    left = {row["study"] for row in json.loads(said)["studies"]} if code == 0 else None
    if left is None or BAD in left or GOOD not in left:
        wrong.append(f"after delete: {code} {left}")
    return wrong


def main():
    """Every damage with every command; prints figures."""
    import os
    import tempfile

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from typer.testing import CliRunner

    from suite.cli import app

    os.chdir(tempfile.mkdtemp())
    runner = CliRunner()

    def invoke(words):
        result = runner.invoke(app, list(words))
        stream = result.stdout if "--json" in words else result.output
        return result.exit_code, stream, result.exception

    healthy()
    content = FILE.read_bytes()
    _, said, _ = invoke(("study", "list", "--json"))
    before = {row["study"]: row for row in json.loads(said)["studies"]}[GOOD]
    commands = READING + (MORE if "--all" in sys.argv else ())
    wrong = {}
    every = damages()
    if "--part" in sys.argv:  # such as 0/4
        at, of = map(int, sys.argv[sys.argv.index("--part") + 1].split("/"))
        every = dict(list(every.items())[at::of])
    for name, change in every.items():
        FILE.write_bytes(content)
        for left in ("out.db",):
            Path(left).unlink(missing_ok=True)
        if found := tried(change, commands, invoke, before):
            wrong[name] = found
            print(name, *found, sep="\n    ", flush=True)
    print(f"{len(every)} damages, {len(wrong)} of them end as they should not")


if __name__ == "__main__":
    main()
