"""Every command's help: two examples at least, each of which the command itself understands."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from conftest import piece_of_work
from test_study import cli

from suite.cli import app
from suite.cli.words import examples

ROOT = typer.main.get_command(app)
PANELS = ("Studies", "Results", "Use the winner", "Tasks and models", "Machine")


def commands(command=ROOT, path=()):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


ALL = [(path, command) for path, command in commands() if path]
LEAVES = [(path, command) for path, command in ALL if not hasattr(command, "commands")]


def named(found):
    return [" ".join(path) for path, _ in found]


@pytest.mark.parametrize(("path", "command"), ALL, ids=named(ALL))
def test_every_help_has_two_examples_of_its_own(path, command):
    own = [e for e in examples(command) if re.search(rf"\bsuite {' '.join(path)}\b", e)]
    assert len(own) >= 2, command.help


@pytest.mark.parametrize(("path", "command"), ALL, ids=named(ALL))
def test_every_example_is_understood(path, command):
    for example in examples(command):
        for part in re.split(r"\s(?:\||&&)\s", example):
            words = shlex.split(part)
            if words[0] != "suite":
                continue
            found, rest = ROOT, words[1:]
            while hasattr(found, "commands"):
                assert rest and rest[0] in found.commands, example
                found, rest = found.commands[rest[0]], rest[1:]
            # Parsed as the command line would be: unknown options, missing arguments and
            # values out of range are errors here; nothing is run.
            found.make_context(found.name, list(rest))


@pytest.mark.parametrize(("path", "command"), ALL, ids=named(ALL))
def test_every_example_is_shown_as_it_is_to_be_typed(path, command):
    shown = cli.invoke(app, [*path, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    # A line that goes on in the next one says so to the shell.
    text = "\n".join(line.strip() for line in shown.output.splitlines()).replace(" \\\n", " ")
    for example in examples(command):
        assert example in text.splitlines()
        checked = subprocess.run(["bash", "-n"], input=example, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(("path", "command"), ALL, ids=named(ALL))
def test_examples_name_nothing_that_must_be_replaced_first(path, command):
    for example in examples(command):
        assert not re.search(r"<\w|\.\.\.|…|\b(NAME|FILE|TASK|PATH|DIR|URL)\b", example), example


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=named(LEAVES))
def test_every_command_can_be_quiet_and_verbose_and_in_a_language(path, command):
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--quiet", "-q", "--verbose", "-v", "--lang"} <= options


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_h_is_help_everywhere(flag):
    for path, _ in [((), ROOT), *ALL]:
        result = cli.invoke(app, [*path, flag])
        assert result.exit_code == 0 and "Usage:" in result.output, path


def test_every_command_stands_in_a_panel_and_they_are_in_order():
    told = cli.invoke(app, ["--help"]).output
    places = [told.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    assert "─ Commands ─" not in told


def test_suite_alone_says_where_to_start():
    result = cli.invoke(app, [])
    assert result.exit_code == 0
    for start in ("suite doctor", "suite study create agnews", "suite report"):
        assert start in result.output
    assert cli.invoke(app, ["study"]).exit_code == 2


def test_help_is_quick():
    """About .2 s, five pieces of work; the least of five is taken."""
    code = "import sys; sys.argv = ['suite', '--help']; from suite.cli import main; main()"
    seconds = []
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        after = os.times()
        # Processor time of the child: what others do on the machine does not count.
        seconds.append(
            after.children_user + after.children_system
            - before.children_user - before.children_system
        )  # fmt: skip
    assert min(seconds) < 12 * piece_of_work()


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    "words",
    [
        ("serve", "t", "--max-wait-ms"), ("serve", "t", "--max-seconds"),
        ("bench", "t", "--seconds"), ("distil", "agnews", "--timeout"),
        ("distil", "agnews", "--temperature"),
    ],
)  # fmt: skip
def test_no_number_is_infinite_or_none(folder, words, value):
    result = cli.invoke(app, [*words[:-1], f"{words[-1]}={value}"])
    assert result.exit_code == 2 and words[-1] in result.stderr


@pytest.mark.parametrize("option", ["--timeout", "--max-disk", "--max-memory"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e400", "infh", "nanGB"])
def test_no_duration_or_size_is_infinite_or_none(folder, option, value):
    result = cli.invoke(app, ["study", "create", "agnews", f"{option}={value}", "--no-run"])
    assert result.exit_code == 2 and "is no " in result.stderr


def test_suite_alone_begins_with_a_file_of_ones_own():
    told = cli.invoke(app, []).output
    steps = re.findall(r"\d\.? (suite .*)", told.replace("`", ""))
    assert steps[0].startswith("suite study create tickets.csv")
    assert told.index("tickets.csv") < told.index("agnews")
