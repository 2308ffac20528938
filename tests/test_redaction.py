"""Secrets in addresses, keys and headers: nowhere in what is shown, written or stored."""

import json
import logging
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
from conftest import write_recipe
from test_study import suite

from suite import redaction
from suite.child import process
from suite.errors import SuiteError
from suite.study import record, storage

MARK = "S3cret-Mark9"
KEYS = {name: f"{MARK}-{name.lower()}" for name in redaction.KEYS}

ADDRESSES = [
    (f"postgresql+psycopg://suite:{MARK}@db:5432/x", "postgresql+psycopg://suite:***@db:5432/x"),
    (f"postgresql://u@h/x?password={MARK}", "postgresql://u@h/x?password=***"),
    (f"postgresql://h/x?sslmode=require&sslpassword={MARK}&passfile={MARK}",
     "postgresql://h/x?sslmode=require&sslpassword=***&passfile=***"),
    (f"postgresql://h/x?ssl%70assword={MARK}", "postgresql://h/x?ssl%70assword=***"),
    (f"postgresql://u:{MARK}:5432/x", "postgresql://u:***"),
    (f"postgresql://u:a/{MARK}@h/x", "postgresql://u:***@h/x"),
    (f"postgresql://u:a@{MARK}@h/x", "postgresql://u:***@h/x"),
    (f"postgresql://u:a {MARK}@h/x", "postgresql://u:***@h/x"),
    (f"mysql://u:{MARK}@[::1]:3306/x", "mysql://u:***@[::1]:3306/x"),
    (f"mssql://?odbc_connect=PWD%3D{MARK}", "mssql://?odbc_connect=***"),
    (f"sqlite+pysqlcipher://:{MARK}@/x.db", "sqlite+pysqlcipher://:***@/x.db"),
    (f"postgresql:/u:{MARK}@h/x", "***@h/x"),
    (f"u:{MARK}@h/x", "***@h/x"),
    (f"host=h password={MARK} user=u", "host=h password=*** user=u"),
    (f"http://u:{MARK}@h/v1", "http://***@h/v1"),
    (f"https://{MARK}@h/v1", "https://***@h/v1"),
    (f"http://u:a/{MARK}@h/v1", "http://***@h/v1"),
    (f"http://h/v1?model=m&api_key={MARK}#top", "http://h/v1?model=m&api_key=***#top"),
]  # fmt: skip
UNTOUCHED = [
    "sqlite:////a b/x.db", "sqlite:///studies/suite.db", "postgresql+psycopg://suite@/x?host=/tmp/y",
    "postgresql://h/x?options=-c%20a@b", "http://[::1]:8000/v1", "http://127.0.0.1:8000/v1",
    "https://huggingface.co/x@main", "nonsense", "C:/studies/x.db",
    "see https://a.b/c?x=1#top and ask me@x.org", "the key 'x' is unknown: password",
    "Basic training", "tokens: 5", "api keys and passwords are secrets", "max_tokens=16",
]  # fmt: skip


@pytest.mark.parametrize(("given", "shown"), ADDRESSES)
def test_an_address_is_shown_without_its_secrets(given, shown):
    assert redaction.address(given) == shown
    assert redaction.holds_secret(given) and not redaction.holds_secret(shown)


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_holds_no_secret_stays_as_it_is(text):
    assert redaction.clean(text) == text
    assert redaction.clean(f"in '{text}'") == f"in '{text}'"
    assert not redaction.holds_secret(text)


@pytest.mark.parametrize("given", [given for given, _ in ADDRESSES])
def test_a_message_of_others_about_an_address_is_shown_without_its_secrets(given, monkeypatch):
    monkeypatch.setattr(redaction, "_remembered", set())
    redaction.remember(given)
    for text in (
        f"bad {given!r} here", f"bad {given}", json.dumps({"url": given}), f"no host {MARK}",
        f'"{MARK}": name or service not known', repr(MARK),
    ):  # fmt: skip
        assert MARK not in redaction.clean(text), text


def test_a_driver_repeats_a_password_decoded(monkeypatch):
    monkeypatch.setattr(redaction, "_remembered", set())
    redaction.remember("postgresql://suite:a%20b%2Fc%22d%25@h/suite?password=e+f%21ghi")
    for said in (
        'a b/c"d%',
        'a b/c\\"d%',
        "a%20b/c%22d%25",
        "a+b%2Fc%22d%25",
        "e f!ghi",
        "e%20f%21ghi",
    ):
        assert redaction.clean(f"FATAL: {said} is wrong") == "FATAL: *** is wrong", said
    # What is shown anyway is none, and no part of another word.
    redaction.remember("postgresql://postgres:postgres@h/x")
    redaction.remember("postgresql://u:secret@h/x")
    assert redaction.clean("postgres secretly") == "postgres secretly"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {MARK}", f"{{'authorization': 'Bearer {MARK}'}}",
        f"[(b'Authorization', b'Bearer {MARK}')]", f"api_key='{MARK}'",
        f'{{"api_key": "a {MARK}"}}', f'{{\\"password\\": \\"{MARK}\\"}}', f"X-Api-Key: {MARK}",
        f"curl -H 'Authorization: Bearer {MARK}' http://h", f"MY_API_KEY={MARK}",
        f"connection info: host=h password='a {MARK}' user=u", f"access_token={MARK}&x=1",
    ],
)  # fmt: skip
def test_headers_and_what_calls_itself_a_secret(text):
    shown = redaction.clean(text)
    assert MARK not in shown and redaction.MASK in shown
    assert redaction.clean(shown) == shown


def test_keys_of_the_environment_are_found_in_any_text(monkeypatch):
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    monkeypatch.setenv("https_proxy", f"http://me:{MARK}-proxy@proxy:3128")
    for key in (*KEYS.values(), f"{MARK}-proxy"):
        assert redaction.clean(f"it said {key}.") == "it said ***."
    monkeypatch.setenv("SUITE_API_KEY", "EMPTY")  # customary, and no secret
    assert redaction.clean("EMPTY text") == "EMPTY text"


def test_a_command_is_kept_without_secrets_and_quoted(folder):
    url = f"postgresql://u:a {MARK}@h/x"
    for words in (["--storage", url], [f"--storage={url}"], ["--storage", f"u:{MARK}@h"]):
        shown = redaction.command(["suite", "study", "create", "a b", *words])
        assert MARK not in shown and shlex.split(shown)[3] == "a b"
        stored = shlex.join(["suite", "study", "create", "a b", *words])
        assert redaction.stored_command(stored) == shown
    called = f"suite.create_study('toy', storage={url!r})"
    assert MARK not in redaction.stored_command(called)
    plain = "suite study create agnews --data './a b' --endpoint http://localhost:8000/v1"
    assert redaction.stored_command(plain) is plain


def test_errors_name_no_secret(folder):
    error = SuiteError(f"http://u:{MARK}@h", where=f"api_key={MARK}", fix=f"Bearer {MARK}")
    assert MARK not in f"{error} {error.what} {error.where} {error.fix} {error.args}"
    for place, (url, _) in enumerate(ADDRESSES[:-4]):
        with pytest.raises(SuiteError) as caught:
            storage.open_storage(url)
        assert MARK not in str(caught.value), url
        if place % 4:  # it takes a second, and says what was caught
            continue
        told = suite("doctor", "--no-hub", "--json", "--storage", url, code=None)
        assert MARK not in told.output, url


def test_an_exception_of_a_child_and_its_log_hold_no_secret(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("SUITE_API_KEY", KEYS["SUITE_API_KEY"])
    assert MARK not in process.describe(ValueError(f"Bearer {MARK}"))
    file = tmp_path / "log.txt"
    with file.open("w") as plain:
        over = redaction.over(plain)
        print(f"Bearer {MARK}", file=over)
        over.write(f"key {KEYS['SUITE_API_KEY']}\n")
        monkeypatch.setattr(sys, "stderr", over)
        logging.getLogger("toys").warning("password=%s", MARK)
        over.flush()
        written = file.read_text()
    assert "Bearer ***" in written and "key ***" in written and MARK not in written


@pytest.mark.parametrize("verbose", [False, True])
def test_a_traceback_holds_no_secret(verbose):
    program = f"""
import threading
from suite import cli

def fail():
    raise RuntimeError("postgresql://u:{MARK}@h/x Authorization: Bearer {MARK}")

def app():
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    fail()

cli.app = app
cli.console.set_volume(verbose={verbose})
cli.main()
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.returncode == 1 and "a defect of the suite" in told.stderr
    assert told.stderr.count("postgresql://u:***@h/x") == 2 + verbose
    assert MARK not in told.stdout + told.stderr


# ---------------------------------------------------------------- a study of an older version


def _marked(value):
    """The record of an older version: what it was told, word by word."""
    return value | {
        "error": f"ValueError: postgresql://u:{MARK}@h/x refused 'Authorization: Bearer {MARK}'",
        "circumstances": {"note": f"asked http://me:{MARK}@h/v1?key={MARK}", "kept": "plain"},
    }


@pytest.fixture
def old_study(folder, toy_task):
    """A study in whose storage secrets stand, as versions before wrote them."""
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "old", "-q")
    opened = storage.open_storage()
    study = storage.find(opened, "old")
    definition = json.loads(study.user_attrs[storage.DEFINITION])
    definition["command"] = f"suite study create toy.yaml --storage 'postgresql://u:{MARK} a@h/x'"
    study.set_user_attr(storage.DEFINITION, json.dumps(definition))
    study.set_user_attr(record.OUT, {"fasttext/toy": {"retired": f"password={MARK}"}})
    with opened.engine.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT trial_id, value_json FROM trial_user_attributes WHERE key = 'suite:trial'"
        ).fetchall()
        for trial, value in found:
            packed = json.dumps(_marked(json.loads(json.loads(value))))
            connection.exec_driver_sql(
                "UPDATE trial_user_attributes SET value_json = ? "
                "WHERE trial_id = ? AND key = 'suite:trial'",
                (json.dumps(packed), trial),
            )
    opened.engine.dispose()
    return SimpleNamespace(name="old", file=folder / "studies" / "suite.db")


def test_no_output_of_an_older_study_holds_its_secrets(old_study, folder):
    assert MARK.encode() in old_study.file.read_bytes()  # it is really there
    said = [
        suite("study", "list", "--json").output,
        suite("study", "list").output,
        suite("study", "show", "old", "--json").output,
        suite("study", "show", "old", "-v").output,
        suite("study", "best", "old", "--json").output,
        suite("report", "old", "--lang", "zh", "--format", "html", "--out", "pages-zh").output,
        suite("report", "old", "--out", "pages").output,
        suite("study", "export-db", "old", "out.db").output,
        suite("export", "old", "./model").output,
    ]
    assert not [text for text in said if MARK in text]
    written = [p for p in folder.rglob("*") if p.is_file() and p != old_study.file]
    assert {p.suffix for p in written} >= {".html", ".md", ".json", ".csv", ".db"}
    assert not [p for p in written if MARK.encode() in p.read_bytes()]
    # All the rest came along, and the copy is a study.
    shown = json.loads(said[2])
    copied = suite("study", "show", "old", "--json", "--storage", "sqlite:///out.db").output
    assert json.loads(copied) == shown
    assert shown["command"] == "suite study create toy.yaml --storage 'postgresql://u:***@h/x'"
    assert {t["circumstances"]["kept"] for t in shown["trials"]} == {"plain"}
    assert re.search(r"refused 'Authorization: Bearer \*\*\*'", shown["trials"][0]["error"])
