"""What the command line shows of texts that others wrote: characters, and nothing else."""

import io
import json
import os
import pty
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from conftest import PATIENCE, write_recipe
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text
from test_predict import suite

from suite.cli import console, progress
from suite.errors import SuiteError

#: Markup that closes nothing, an emoji's name, a link, sequences that steer a terminal (clear,
#: title, 8-bit CSI, backspaces), and characters that turn or hide what follows.
NASTY = (
    "[/r/movies] [bold] :fire: \x1b[2J\x1b]0;t\x07 \x9b31m a\x08b \u202egnp.exe\u2066 x\u200by \x7f"
)
SHOWN = (
    "[/r/movies] [bold] :fire: \\x1b[2J\\x1b]0;t\\x07 \\x9b31m a\\x08b \\u202egnp.exe\\u2066 "
    "x\\u200by \\x7f"
)
STEERS = ("\x1b[2J", "\x1b]0", "\x07", "\x08", "\x9b", "\u202e", "\u2066", "\u200b", "\x7f", "🔥")


def test_what_steers_a_terminal_or_hides_stands_as_its_code():
    assert console.visible(NASTY) == SHOWN
    assert console.visible(SHOWN) == SHOWN
    assert console.visible("a\udcff\ud83d") == "a\\udcff\\ud83d"
    kept = "tab\tline\n中文 é e\u0301 👨\u200d👩 می\u200cخواهم \\x1b"
    assert console.visible(kept) == kept
    assert console.one_line("a\tb\nc\rd") == "a\\tb\\nc\\x0dd"


def test_json_is_read_as_the_same_value():
    value = {"text": NASTY + "\udcff \U000e0041 é 中"}
    text = console.exact(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert not [steer for steer in STEERS if steer != "🔥" and steer in text]
    assert "é 中" in text
    text.encode()


def table(cell):
    made = Table(title=cell)
    made.add_column(cell)
    made.add_row(cell)
    made.add_row(console.styled(cell))
    made.add_row(Text(cell))  # of which rich itself takes some characters away
    return made


SAID = {
    "table": lambda: console.print_table(table(NASTY)),
    "warn": lambda: console.warn(NASTY),
    "error": lambda: console.error(str(SuiteError(NASTY, where=NASTY, fix=NASTY))),
    "say": lambda: console.say(NASTY),
    "next": lambda: console.next_step(NASTY),
    "print": lambda: console.out.print(NASTY),
    "text": lambda: console.out.print(console.styled(NASTY, "bold")),
    "group": lambda: console.err.print(Group(NASTY, console.styled(NASTY))),
    "bar": lambda: console.err.print(progress._bar(1, 2, NASTY)),
}


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_of_a_text_is_taken_for_more_than_characters(kind, terminal, monkeypatch):
    written = io.StringIO()
    for one in (console.out, console.err):
        monkeypatch.setattr(one, "_file", written)
        monkeypatch.setattr(one, "_force_terminal", terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(one, "_width", 300)
    monkeypatch.setattr(sys, "stdout", written)
    console.set_volume(quiet=False, verbose=False)
    SAID[kind]()
    said = written.getvalue()
    assert SHOWN in said
    assert not [steer for steer in STEERS if steer in said]


def test_a_table_that_is_redrawn_shows_the_same(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(console.err, "_file", written)
    monkeypatch.setattr(console.err, "_force_terminal", True)
    monkeypatch.setattr(console.err, "_width", 300)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(console.err, "is_interactive", True)
    with Live(table(NASTY), console=console.err, auto_refresh=False, transient=True) as live:
        live.refresh()
    said = written.getvalue()
    assert SHOWN in said and not [steer for steer in STEERS if steer in said]
    assert "\x1b[2K" in said  # what rich itself draws with goes through


def test_a_column_is_as_wide_as_what_is_shown(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(console.out, "_file", written)
    monkeypatch.setattr(console.out, "_force_terminal", True)
    monkeypatch.setenv("TERM", "xterm")
    made = Table("a", "b")
    made.add_row("\x1b" * 3, "B")
    made.add_row("plain", "B")
    console.print_table(made)
    first, second = [line for line in written.getvalue().splitlines() if "B" in line]
    assert first.index("B") == second.index("B")


def on_a_terminal(words):
    """What a command of the suite's writes to a terminal, and its exit code."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "suite", *map(str, words)]
    child = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=os.environ | {"TERM": "xterm"}
    )
    os.close(slave)
    parts = []

    def read():
        while True:
            try:
                part = os.read(master, 1 << 16)
            except OSError:
                return
            if not part:
                return
            parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    code = child.wait(PATIENCE)
    reader.join(PATIENCE)
    os.close(master)
    return code, b"".join(parts).decode()


def test_a_title_and_texts_of_any_kind_on_a_terminal(folder, toy_task):
    file = folder / toy_task
    text = file.read_text().replace("title: Toy mail", 'title: "Of [/r/movies] \\e[2J\\u202e"')
    assert "r/movies" in text
    file.write_text(text)
    recipe = write_recipe(folder, arms=["tfidf/classic"], trials=1)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--quiet")
    code, said = on_a_terminal(["study", "show", "t"])
    assert code == 0 and "Of [/r/movies] \\x1b[2J\\u202e" in said
    code, said = on_a_terminal(["predict", "t", NASTY, "two\nlines\tand a tab"])
    assert code == 0 and SHOWN in said and "two\\nlines\\tand a tab" in said
    assert not [steer for steer in STEERS if steer in said]
    assert suite("predict", "t", NASTY).stdout.endswith(f"  {SHOWN}\n")
    found = json.loads(suite("predict", "t", NASTY, "--json").stdout)
    assert found["predictions"][0]["text"] == NASTY
    found = json.loads(suite("predict", "t", NASTY, "--jsonl").stdout)
    assert found["text"] == NASTY


def test_a_failed_trials_reason_is_shown_on_the_live_table(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(console.err, "_file", written)
    monkeypatch.setattr(console.err, "_width", 300)
    live = progress.LiveTable()
    live.ended_trials.append(
        SimpleNamespace(number=1, arm="a/[/b]", state="FAIL", error="\x1b[2J[/]", rps=None,
                        score=None, train_seconds=None, feasible=True)
    )  # fmt: skip
    console.err.print(live._draw())
    assert "a/[/b]" in written.getvalue() and "failed: \\x1b[2J[/]" in written.getvalue()
