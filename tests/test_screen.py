"""How a page looks: nothing cut, clipped or broken, on a screen of any width and on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_studies import FAST, benched, trial
from test_page import bare, pack_of

from suite.contracts.results import Arm, StudyResults
from suite.report.formats import flat, pathless, settings
from suite.report.pages.page import render_page
from suite.report.words import words_of

# --- what a page says of the machine it comes from --------------------------------------------


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("files /home/ann/data/train.csv, /home/ann/test.csv", "files train.csv, test.csv"),
        ("suite study create /home/ann/t.yaml --recipe=/srv/r.yaml",
         "suite study create t.yaml --recipe=r.yaml"),
        ('File "/usr/lib/python3/a.py", line 3', 'File "a.py", line 3'),
        (r"C:\Users\Ann\x.csv and D:/data/y.csv", "x.csv and y.csv"),
        (r"\\server\share\x.csv", "x.csv"),
        ("读不了/home/用户/数据/训练.csv", "读不了训练.csv"),
        ("file:///home/ann/x.csv", "x.csv"),
        ("weights in /home/ann/models/", "weights in models"),
        ("cache=/var/cache/suite", "cache=suite"),
        # No path of a machine: addresses, names on the Hub, what is relative.
        ("https://example.org/a/b, http://127.0.0.1:8/v1/models", None),
        ("organisation/model/linear_head, ./x/y, ../x/y, ~/x/y, a/b/c, /v1", None),
    ],
)  # fmt: skip
def test_an_absolute_path_leaves_only_its_last_name(said: str, shown: str | None):
    assert pathless(said) == (said if shown is None else shown)


def test_bytes_are_told_in_units():
    memory = {"memory": {"total_bytes": 540431958016, "usable_bytes": None}, "kept_bytes": 999}
    assert flat(memory) == [
        ("memory.total", "503 GiB"), ("memory.usable", "–"), ("kept", "999 B")
    ]  # fmt: skip
    assert settings({"name": "H100", "memory_bytes": 85520809984}) == "name=H100, memory=79.6 GiB"


def placed() -> StudyResults:
    """A study that says everywhere where things lay on its machine."""
    path = "/home/ann/secret-project/thing.py"
    base = benched()
    return replace(
        base,
        task=path,
        recipe=path,
        command=f"suite study create {path}",
        environment={"gpus": [{"name": "H100", "memory_bytes": 85520809984, "at": path}]},
        arms=[*base.arms, Arm("r/x", refused=f"see {path}"), Arm("t/x", retired=f"see {path}")],
        trials=[
            *base.trials,
            trial(6, FAST, None, state="FAIL", checkpoints=[], error=f'File "{path}", line 3'),
            trial(7, FAST, 0.8, circumstances={"cache": {"at": [path]}, "cache_bytes": 2**30}),
        ],
        bench=[replace(row, reason=row.reason and path, note=path) for row in base.bench],
        unread=[f"cannot read {path}"],
        labels=["/usr/bin/env", "Sports"],
        data=replace(base.data, source=f"files {path}",
                     audit=replace(base.data.audit, warnings=[f"odd: {path}"])),
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_has_no_path_of_a_machine_and_no_raw_bytes(language: str):
    page = render_page(placed(), words_of(language))
    told = bare(page) + str(pack_of(page))
    assert "secret-project" not in told and "ann/" not in told
    assert "thing.py" in told and "85520809984" not in told and "79.6 GiB" in told
    assert "/usr/bin/env" in told, "a class is called what the data call it"
