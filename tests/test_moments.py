"""Times: one zone in what is kept, the reader's own in what is shown."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from conftest import write_recipe
from typer.testing import CliRunner

from suite.cli import app
from suite.contracts import moments
from suite.contracts.results import Trial
from suite.study import record, storage
from suite.study.create import Wanted, create


@pytest.fixture
def zone(monkeypatch):
    """Moves this process to a time zone."""

    def move(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")
def test_a_study_is_not_made_after_its_own_trials(folder, toy_task, zone):
    zone("Asia/Shanghai")
    create(Wanted(task=toy_task, recipe=write_recipe(folder), name="t"))
    study, _ = storage.load(storage.open_storage(), "t")
    trial = study.ask()
    facts = Trial(number=0, state="COMPLETE", arm="tfidf/toy", params={})
    trial.set_user_attr(record.TRIAL, record.pack(facts))
    study.tell(trial, 0.5)
    study.ask()
    zone("UTC")
    shown = CliRunner().invoke(app, ["study", "show", "t", "--json"])
    found = json.loads(shown.stdout)
    texts = [found["created"], found["trials"][0]["started"], found["trials"][0]["ended"],
             found["trials"][1]["started"]]  # fmt: skip
    times = [datetime.fromisoformat(text) for text in texts]
    assert all(text.endswith("+00:00") for text in texts) and times == sorted(times)
    assert datetime.now(UTC) - times[0] < timedelta(hours=1)
    for name, offset in (("Asia/Shanghai", "+08:00"), ("America/Caracas", "-04:00")):
        zone(name)
        table = CliRunner().invoke(app, ["study", "list"]).stdout
        assert moments.shown(found["created"]) in table and offset in table


def test_what_has_no_zone_is_shown_as_it_stands(zone):
    zone("Asia/Shanghai")
    assert moments.shown("2026-11-26T21:03:59") == "2026-11-26 21:03:59"
    assert moments.shown("2026-11-26T13:03:59+00:00") == "2026-11-26 21:03:59 UTC+08:00"
    assert moments.shown("yesterday") == "yesterday"
    assert moments.shown("0001-01-01T00:00:00+14:00") == "0001-01-01T00:00:00+14:00"
