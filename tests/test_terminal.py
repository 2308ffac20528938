"""Tables in a terminal: as wide as it is, a line a row, numbers whole; everything in a pipe; and
the language in which they are told."""

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace

import pytest
from conftest import PATIENCE
from report_studies import benched, final, many_classes, speed, study, trial, with_lengths
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from suite.cli import console, fitting, language, tables
from suite.contracts.results import Arm, Comparison
from suite.report.data.by_length import by_length
from suite.report.data.rows import leaderboard
from suite.report.words import LANGUAGES

WIDTHS = (60, 80, 120, 200)
LONG = "my-company-ticket-router-v7-deberta-v3-large-continued-pretraining-2026-0{}/linear_head"
NAMES = [
    "tfidf/classic", "qwen3-0.6b/zero_shot", LONG.format(3), LONG.format(4),
    "中文工单分类模型-基于客服语料继续预训练-第二版/linear_head",
    *(f"paraphrase-multilingual-MiniLM-L12-v{i}/linear_head" for i in range(15)),
]  # fmt: skip
WHY = "needs a GPU with 80 GiB of memory, and this machine has none"


def generated():
    """20 arms with long names, speeds over five powers of ten, refusals that repeat themselves."""
    base = study()
    seconds = [0.0413 * 2.3**i for i in range(20)]
    rates = [123456.7 / 2.1**i for i in range(20)]
    trials = [
        trial(i, arm, 0.9 - 0.01 * i, seconds[i], peak_memory_bytes=2**26 * (i + 1),
              rps=speed(rates[i], 0.013 * 2**i))
        for i, arm in enumerate(NAMES)
    ]  # fmt: skip
    failing = [
        trial(20 + i, NAMES[2], None, 1.0, state="FAIL", error="memory ran out", checkpoints=[])
        for i in range(3)
    ]
    finals = [
        final(arm, i, i + 1, 0.9 - 0.01 * i, seconds[i], rates[i]) for i, arm in enumerate(NAMES)
    ]
    arms = [Arm(arm, trials=1, family="encoder") for arm in NAMES]
    arms += [Arm(f"giant-{i}/sft", trials=0, family="decoder", refused=WHY) for i in range(3)]
    pairs = [Comparison(NAMES[0], arm, 0.01, (0.005, 0.02), 0.001) for arm in NAMES[1:]]
    rows = [replace(row, arm=arm) for arm in NAMES[2:5] for row in benched().bench]
    return replace(
        base, title="工单 tickets", arms=arms, trials=trials + failing, finals=finals,
        comparisons=pairs, bench=rows, bounds={"max_train_seconds": 1000.0},
    )  # fmt: skip


@pytest.fixture
def shown(monkeypatch):
    """What is printed on a terminal of so many columns, or (None) into a pipe."""

    def shown(width, *said):
        written = io.StringIO()
        monkeypatch.setattr(console.out, "_file", written)
        monkeypatch.setattr(sys, "stdout", written)
        monkeypatch.setattr(console.out, "_force_terminal", width is not None)
        monkeypatch.setattr(console.out, "_width", width or 80)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(console.out, "_color_system", None)
        for one in said:
            one()
        return written.getvalue()

    yield shown
    console.speak("en")


def every_table(found):
    return {
        "leaderboard": tables.leaderboard_table(found),
        "trials": tables.trials_table(found),
        "engines": tables.bench_table(found),
        "lengths": tables.lengths_table(by_length(leaderboard(with_lengths(found)))),
    }


@pytest.mark.parametrize("spoken", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_row_is_a_line_and_no_number_is_cut(width, spoken, shown):
    console.speak(spoken)
    for kind, table in every_table(generated()).items():
        whole = [[str(cell) for cell in column.cells] for column in table.columns]
        lines = shown(width, lambda table=table: console.print_table(table)).splitlines()
        _, heading, rule, *rows = lines
        assert set(rule.strip()) == {"─"}
        body = rows[: len(whole[0])]
        assert len(body) == len(whole[0]), kind
        assert all(cell_len(line.rstrip()) <= width for line in (heading, rule, *body)), kind
        stay = [
            values for column, values in zip(table.columns, whole, strict=True)
            if column.justify == "right" and f" {column.header} " in f" {heading} "
        ]  # fmt: skip
        assert stay, kind
        for values in stay:
            for line, value in zip(body, values, strict=True):
                assert f" {value} " in f" {line} ", (kind, value)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_columns_that_matter_stay_and_what_is_gone_is_told(width, shown):
    said = shown(width, lambda: console.print_table(tables.leaderboard_table(generated())))
    heading = said.splitlines()[1].split("  ")
    kept = [part.strip() for part in heading if part.strip()]
    assert kept[:3] == ["rank", "arm", "test"]
    told = " ".join(said.split("Left out in")[1].split()) if "Left out in" in said else ""
    everything = [
        "training",
        "texts/s",
        "95 % interval",
        "validation",
        "p90 ms",
        "memory",
        "trials",
    ]
    assert {*kept, *(name for name in everything if name in told)} >= set(everything)
    # What leaves first matters least.
    gone = [name for name in everything if name not in kept]
    assert gone == everything[len(everything) - len(gone) :]
    assert bool(told) == (width < 200)


def test_names_are_cut_in_the_middle_and_stay_different(shown):
    said = shown(80, lambda: console.print_table(tables.leaderboard_table(generated())))
    rows = said.splitlines()[3:23]
    names = [row.split()[1] for row in rows]
    assert len(set(names)) == 20
    assert [name for name in names if "…" in name] and "tfidf/classic" in names
    assert any(name.startswith("中文") and name.endswith("/linear_head") for name in names)
    alike = [f"{'a' * 40}{i}{'b' * 40}" for i in range(10)]
    assert len(set(fitting.shortened(alike, 24, "middle"))) == 1  # no cut tells these apart
    early = [f"{i}{'b' * 80}" for i in range(10)]
    assert len(set(fitting.shortened(early, 24, "middle"))) == 10
    assert all(cell_len(s) <= 9 for s in fitting.shortened(["中文中文中文中文"], 9, "middle"))


def test_a_slow_decoder_is_not_one_text_a_second(shown):
    only = trial(0, "qwen3-8b/zero_shot", 0.9, 0.04, rps=speed(1.34, 746.3))
    arms = [Arm("qwen3-8b/zero_shot", trials=1, family="decoder")]
    slow = study(trials=[only], finals=[], arms=arms)
    said = shown(200, lambda: console.print_table(tables.leaderboard_table(slow)))
    row = next(line for line in said.splitlines() if "qwen3-8b" in line).split("  ")
    cells = [cell.strip() for cell in row if cell.strip()]
    assert {"1.34", "746", "0.04 s"} <= set(cells)


def test_each_refusal_is_told_once_below_the_table(shown):
    found = generated()
    said = shown(80, lambda: tables.refusals(found), lambda: tables.failed(found))
    flat = " ".join(said.split())
    assert flat.count(WHY) == 1
    assert f"Refused: giant-0/sft, giant-1/sft and giant-2/sft: {WHY}" in flat
    assert flat.count("memory ran out") == 1 and "3 trials" in flat
    notes = " ".join(shown(80, lambda: tables.bench_notes(found)).split())
    assert notes.count("=no compiler | here") == 1 and notes.count("one text alone takes") == 1


def test_a_pipe_has_every_column_and_every_name_whole(shown):
    for kind, table in every_table(generated()).items():
        said = shown(None, lambda table=table: console.print_table(table))
        heading, *rows = said.splitlines()[1:]
        assert heading.split("\t") == [column.header for column in table.columns]
        assert len(rows) == table.row_count
        assert all(row.count("\t") == len(table.columns) - 1 for row in rows), kind
        assert "─" not in said and "…" not in said
        assert sum(LONG.format(3) in row for row in rows) >= 1


def test_150_classes_and_one_arm_are_a_table_too(shown):
    for found in (many_classes(), study(trials=[], finals=[], comparisons=[])):
        said = shown(60, lambda found=found: tables.show_results(found))
        assert all(cell_len(line.rstrip()) <= 60 for line in said.splitlines()[1:])


def test_a_plain_table_is_fitted_by_place_and_side(shown):
    table = Table("what", "reason")
    table.add_column("rows", justify="right")
    table.add_row("x" * 50, Text("y" * 50, "red"), "1,234,567")
    said = shown(60, lambda: console.print_table(table)).splitlines()
    assert len(said) == 3 and all(cell_len(line) <= 60 for line in said[:3])
    assert "…" in said[2]


def test_what_cannot_leave_is_narrowed_and_numbers_never():
    wide = [fitting._Wide(5, 5, 0, "never"), fitting._Wide(80, 24, 0, "middle")]
    assert fitting.widths(wide, 80) == [5, 73]
    assert fitting.widths(wide, 20) == [5, 13]
    assert fitting.widths(wide, 5) == [5, 8]


def test_sentences_end_lines_between_words_and_between_wide_characters():
    english = "Recommended of these trained models: tiny-bert/linear_head; each was trained once."
    lines = fitting.wrapped(english, 30)
    assert " ".join(lines) == english and all(cell_len(line) <= 30 for line in lines)
    chinese = (
        "在这些训练好的模型中推荐 tiny-bert/linear_head；每个方案（各）只训练了一次，"
        "无法说明“重新训练”。"
    )
    lines = fitting.wrapped(chinese, 24)
    assert "".join(lines).replace(" ", "") == chinese.replace(" ", "")
    assert all(cell_len(line) <= 25 for line in lines) and len(lines) >= 4
    assert not [line for line in lines if line[0] in "，。；）”" or line[-1] in "（“"]
    assert fitting.wrapped("a" * 50, 10) == ["a" * 50] and fitting.wrapped("", 10) == [""]


# --- the language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "setting", "environment", "spoken", "origin"),
    [
        (None, None, {}, "en", "default"),
        (None, None, {"LANG": "zh_CN.UTF-8"}, "zh", "LANG"),
        (None, None, {"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh", "LC_ALL"),
        (None, None, {"LC_ALL": "", "LC_MESSAGES": "zh-TW", "LANG": "en"}, "zh", "LC_MESSAGES"),
        (None, None, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en", "LC_ALL"),
        (None, None, {"LANG": "fr_FR.UTF-8"}, "en", "LANG"),
        (None, ("zh", "suite.toml"), {"LANG": "en_GB"}, "zh", "suite.toml"),
        (None, ("zh", "suite.toml"), {"SUITE_LANG": "en"}, "en", "SUITE_LANG"),
        ("zh", ("en", "suite.toml"), {"SUITE_LANG": "en"}, "zh", "--lang"),
    ],
)
def test_who_says_which_language(option, setting, environment, spoken, origin):
    set_by = language.Chosen(*setting) if setting else None
    assert language.chosen(option, set_by, environment) == language.Chosen(spoken, origin)


@pytest.mark.parametrize(
    ("option", "setting", "environment"),
    [("fr", None, {}), (None, ("fr", "suite.toml"), {}), (None, None, {"SUITE_LANG": "fr"})],
)
def test_a_language_that_is_asked_for_must_be_spoken(option, setting, environment):
    set_by = language.Chosen(*setting) if setting else None
    with pytest.raises(language.ReportError) as caught:
        language.chosen(option, set_by, environment)
    assert "unknown language 'fr'" in str(caught.value)
    assert str(caught.value).startswith(("--lang", "suite.toml", "SUITE_LANG"))


def on_a_terminal(width, words, **environment):
    """What a command writes on a real terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("SUITE_LANG", "COLUMNS", "LINES")}
    child = subprocess.Popen(
        [sys.executable, "-m", "suite", *words], stdin=slave, stdout=slave, stderr=slave,
        env=kept | {"TERM": "xterm"} | environment,
    )  # fmt: skip
    os.close(slave)
    parts = []
    with contextlib.suppress(OSError):  # what Linux says where the other end is closed
        while part := os.read(master, 1 << 16):
            parts.append(part)
    os.close(master)
    assert child.wait(PATIENCE) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(parts).decode()).replace("\r\n", "\n")


def test_a_real_terminal_of_80_columns_in_the_language_of_the_machine():
    chinese = on_a_terminal(80, ["task", "list"], LC_ALL="zh_CN.UTF-8")
    lines = chinese.splitlines()
    assert lines[0].split()[:2] == ["任务", "标题"] and "未显示" in chinese
    assert all(cell_len(line) <= 80 for line in lines)
    rows = [line for line in lines if line.startswith("agnews ")]
    assert len(rows) == 1 and "AG News" in rows[0]
    english = on_a_terminal(200, ["task", "list", "--lang", "en"], LC_ALL="zh_CN.UTF-8")
    assert "eb185aade064" in english and english.split()[:2] == ["task", "title"]


def test_what_a_folders_file_says_is_heard_and_comes_after_the_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUITE_LANG", raising=False)
    assert language.set_in_a_file() is None
    (tmp_path / "suite.toml").write_text('lang = "zh"\n')
    found = language.set_in_a_file()
    assert found is not None and found.language == "zh" and "suite.toml" in found.origin
    assert language.chosen(None, found, {"LANG": "en_US"}) == found
    assert language.chosen(None, found, {"SUITE_LANG": "en"}).language == "en"
    monkeypatch.setenv("SUITE_LANG", "en")
    assert language.set_in_a_file() is None
