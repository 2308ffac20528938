"""Money: what is priced and what is not, hours that are shared, when one's own machine pays."""

import csv
import io
import json
import math
from dataclasses import replace

import pytest
from report_studies import BERT, EN, FAST, HEAD, ZH, final, study, trial
from typer.testing import CliRunner

from suite.cli import app, tables
from suite.config import settings
from suite.contracts.combination import Combination, Member
from suite.contracts.model import Model
from suite.contracts.prices import Prices, Tariff
from suite.contracts.results import Arm, StudyResults
from suite.errors import SettingsError
from suite.report.data.rows import leaderboard
from suite.report.pages import csv_files, export
from suite.report.pages.page import render_page
from suite.study import pricing
from suite.verdict.money import money, own_seconds
from suite.verdict.standing import standing

ASKED = "gpt/zero_shot"
#: Per text: 200 tokens read at 0.5 per million, 1 written at 2 per million.
TARIFF = Tariff(per_million_in=0.5, per_million_out=2.0)
PER_MILLION = 200 * 0.5 + 1 * 2.0
COUNTS = {"asked": 100, "from_cache": 5, "prompt_tokens": 20_000, "completion_tokens": 100}
FACTS = {"prompt_tokens_per_text": 200.0, "tokens_per_text": 1.0, "endpoint": COUNTS}


def at(second, lasts, host="box", **more):
    return {"started": f"2026-01-02T03:{second // 60:02}:{second % 60:02}+00:00",
            "ended": f"2026-01-02T03:{(second + lasts) // 60:02}:{(second + lasts) % 60:02}+00:00",
            "worker": f"{host}:7", **more}  # fmt: skip


def with_server(**facts) -> StudyResults:
    """A study of which one arm asks a server; its trials last 36 s each, one after another."""
    found = study()
    asked = trial(6, ASKED, 0.95, 1.0, rps=None, circumstances=FACTS | facts)
    trials = [replace(t, **at(36 * i, 36)) for i, t in enumerate([*found.trials, asked])]
    score = replace(final(ASKED, 6, 1, 0.94, 1.0, 1.0), rps=None)
    arms = [*found.arms, Arm(ASKED, trials=1, family="decoder")]
    return replace(found, trials=trials, arms=arms, finals=[*found.finals, score])


def priced(found, prices=None, tariff=TARIFF):
    prices = prices or Prices(currency="EUR", per_hour=0.36)
    costs = money(found, standing(found), prices, {ASKED: tariff})
    return replace(found, money=costs)


def of(found, arm):
    return next(one for one in found.money.arms if one.arm == arm)


def test_a_million_texts_cost_what_the_measured_speed_says_with_its_interval():
    found = with_server()
    rps = replace(found.finals[0].rps, offline_interval=(8000.0, 9000.0))
    found = priced(replace(found, finals=[replace(found.finals[0], rps=rps), *found.finals[1:]]))
    # 0.36 an hour are 1e-4 a second: a million texts at 8,312 a second take 120.3 s.
    fast = of(found, FAST)
    assert fast.per_million.value == pytest.approx(1e-4 * 1e6 / 8312)
    assert fast.per_million.interval == pytest.approx((1e-4 * 1e6 / 9000, 1e-4 * 1e6 / 8000))
    assert fast.training.value == pytest.approx(1.6e-4) and fast.training.interval is None
    assert fast.search == pytest.approx(2 * 36e-4) and (fast.paid, fast.missing) == ("hours", None)


def test_a_decision_model_is_paid_for_what_it_reads_and_for_its_calls():
    # It writes nothing, which was counted; of many labels it is asked twice about each text.
    counts = COUNTS | {"completion_tokens": 0}
    found = with_server(tokens_per_text=0.0, calls_per_text=2.0, endpoint=counts)
    tariff = Tariff(per_million_in=0.5, per_million_out=2.0, per_call=1e-6)
    cost = of(priced(found, tariff=tariff), ASKED)
    assert cost.per_million.value == pytest.approx(200 * 0.5 + 2 * 1e-6 * 1e6)
    assert cost.search_whole
    assert cost.search == pytest.approx(36e-4 + 20_000 * 0.5e-6 + 100e-6)


def test_a_training_has_the_interval_of_its_seeds():
    found = with_server()
    three = replace(found.finals[0], seeds=3, seed_train_seconds=[1.5, 1.6, 1.7])
    cost = of(priced(replace(found, finals=[three, *found.finals[1:]])), FAST).training
    assert cost.interval[0] < cost.value < cost.interval[1] < 2.1e-4


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"offline_per_second": None}, "speed"),
        ({"valid": False}, "speed"),
        ({"offline_per_second": 0.0}, "speed"),
    ],
)
def test_what_no_valid_speed_was_measured_of_has_no_price(change, missing):
    found = with_server()
    rps = replace(found.finals[0].rps, **change)
    finals = [replace(found.finals[0], rps=rps), *found.finals[1:]]
    cost = of(priced(replace(found, finals=finals)), FAST)
    assert (cost.per_million, cost.missing) == (None, missing)


def test_a_server_costs_what_its_tokens_cost_whatever_the_machine():
    cost = of(priced(with_server()), ASKED)
    assert cost.per_million.value == pytest.approx(PER_MILLION)
    assert cost.per_million.interval is None and cost.training is None and cost.paid == "answers"
    # 20,000 tokens in and 100 out, and the machine that waited for 36 s.
    assert cost.search == pytest.approx(20_000 * 0.5e-6 + 100 * 2e-6 + 36e-4)
    alone = of(priced(with_server(), Prices(models={"gpt": TARIFF})), ASKED)
    assert alone.search == pytest.approx(20_000 * 0.5e-6 + 100 * 2e-6)
    several = of(priced(with_server(calls_per_text=3), tariff=Tariff(per_call=0.01)), ASKED)
    assert several.per_million.value == pytest.approx(30_000)


@pytest.mark.parametrize(
    ("facts", "tariff", "missing"),
    [
        ({"prompt_tokens_per_text": None}, TARIFF, "tokens"),
        ({"prompt_tokens_per_text": float("nan")}, TARIFF, "tokens"),
        ({"tokens_per_text": "many"}, TARIFF, "tokens"),
        ({}, None, "price"),
        ({}, Tariff(per_hour=2.0), "speed"),
    ],
)
def test_what_a_server_did_not_count_or_nobody_priced_has_no_price(facts, tariff, missing):
    cost = of(priced(with_server(**facts), tariff=tariff), ASKED)
    assert (cost.per_million, cost.missing) == (None, missing)


def test_a_combination_costs_its_members_searches_and_the_answers_that_it_asks_for():
    """A cascade that passes a fifth of the texts on to a server is no machine of one's own."""
    found = with_server()
    made = Combination(
        "cascade", [Member(FAST, 0), Member(ASKED, 6)], "validation", 100, 0.9, 0.9, 0.7, 0.8
    )
    both = final("combined/cascade", 6, 1, 0.96, 1.7, 500.0)
    arms = [*found.arms, Arm("combined/cascade", family="combined")]
    found = replace(found, arms=arms, finals=[replace(both, combined=made), *found.finals])
    told = priced(found)
    cost, fast, asked = (of(told, arm) for arm in ("combined/cascade", FAST, ASKED))
    assert cost.per_million.value == pytest.approx(1e-4 * 1e6 / 500 + 0.2 * PER_MILLION)
    assert cost.search == pytest.approx(fast.search + asked.search)
    assert (cost.paid, cost.missing, cost.search_whole) == ("answers", None, True)
    assert {one.own for one in told.money.break_even} == {HEAD}
    assert told.money.search == pytest.approx(priced(with_server()).money.search)
    unknown = of(priced(found, tariff=None), "combined/cascade")
    assert (unknown.per_million, unknown.missing) == (None, "price")
    own = replace(made, members=[Member(FAST, 0), Member(HEAD, 3)])
    found = replace(found, finals=[replace(both, combined=own), *found.finals[1:]])
    cost = of(priced(found), "combined/cascade")
    assert (cost.paid, cost.per_million.value) == ("hours", pytest.approx(1e-4 * 1e6 / 500))


def test_a_server_of_ones_own_is_paid_by_the_hour_at_its_measured_speed():
    found = with_server()
    finals = [*found.finals[:-1], final(ASKED, 6, 1, 0.94, 1.0, 50.0)]
    found = priced(replace(found, finals=finals), tariff=Tariff(per_hour=3.6))
    cost = of(found, ASKED)
    assert cost.per_million.value == pytest.approx(1e-3 * 1e6 / 50) and cost.paid == "hours"
    assert cost.per_million.interval == pytest.approx((20.0, 20.0))
    assert not found.money.break_even
    # The machine that waited for 36 s, and the server that was there for as long.
    assert cost.search == pytest.approx(36e-4 + 36 * 3.6 / 3600)


def test_calls_that_nobody_counted_make_the_search_the_least():
    found = with_server()
    lost = trial(7, ASKED, None, state="FAIL", error="gone", **at(400, 10))
    found = priced(replace(found, trials=[*found.trials, lost]))
    assert not of(found, ASKED).search_whole and not found.money.search_whole
    assert "≥ " in tables.money_table(found).columns[2]._cells[0]
    uncounted = with_server(endpoint=COUNTS | {"prompt_tokens": 0})
    assert not of(priced(uncounted), ASKED).search_whole


def test_trials_that_ran_at_once_share_the_hour_of_their_machine():
    trials = [
        trial(0, FAST, 0.9, **at(0, 40)),
        trial(1, HEAD, 0.9, **at(20, 40)),
        trial(2, BERT, 0.9, **at(20, 20, host="other")),
        trial(3, BERT, None, state="WAITING"),
        # A clock that was set back, and a moment without a zone.
        trial(4, BERT, 0.9, **(at(50, 0) | {"ended": "2026-01-02T03:00:00+00:00"})),
        trial(5, BERT, 0.9, started="2026-01-02T03:00:00", ended="2026-01-02T03:00:09"),
    ]
    shared = own_seconds(trials)
    assert shared == {0: 30.0, 1: 30.0, 2: 20.0, 4: 0.0, 5: 9.0}
    hosts = Prices(per_hour=3600, hosts={"other": 7200})
    found = replace(study(), trials=trials, finals=[])
    costs = money(found, standing(found), hosts, {})
    assert costs.search == pytest.approx(30 + 30 + 40 + 9)
    only = money(found, standing(found), Prices(hosts={"box": 3600}), {})
    assert only.search is None
    assert [arm.search for arm in only.arms if arm.arm == FAST] == [30.0]


def test_a_machine_of_ones_own_pays_from_so_many_texts_a_day():
    (told,) = priced(with_server()).money.break_even
    # A day of the machine is 8.64, a text there 102e-6; the best is asked, the next is one's own.
    assert (told.own, told.asked, told.pays) == (HEAD, ASKED, "pays")
    assert told.texts_a_day == pytest.approx(24 * 0.36 / (PER_MILLION / 1e6))
    assert told.most_a_day == pytest.approx(41.5 * 86_400)
    once = 125e-4 + 2 * 36e-4
    assert told.repaid_after == pytest.approx(once / (PER_MILLION / 1e6 - 1e-4 / 41.5))


@pytest.mark.parametrize(
    ("interval", "pays"), [((0.5, 0.8), "never"), ((0.5, 1.5), "unsure"), ((1.1, 1.5), "pays")]
)
def test_whether_it_answers_as_many_is_judged_by_its_speeds_interval(interval, pays):
    found = with_server()
    # 84,706 texts a day are .98 a second.
    rps = replace(found.finals[0].rps, offline_per_second=1.0, offline_interval=interval)
    alone = [replace(found.finals[0], rps=rps), found.finals[-1]]
    found = priced(replace(found, finals=alone, trials=[found.trials[0], found.trials[-1]]))
    (told,) = found.money.break_even
    assert told.pays == pays
    for words in (EN, ZH):
        page = render_page(found, words)
        assert words(f"money_{pays}", own=FAST, asked=ASKED, texts="84,706", most="86,400") in page


def test_what_is_free_neither_pays_nor_breaks_anything():
    free = priced(with_server(), tariff=Tariff(per_call=0.0))
    assert of(free, ASKED).per_million.value == 0.0 and free.money.break_even == []
    (told,) = priced(with_server(), Prices(per_hour=0.0)).money.break_even
    assert (told.pays, told.texts_a_day, told.repaid_after) == ("pays", 0.0, 0.0)


def test_without_a_price_nothing_is_told():
    found = with_server()
    assert money(found, standing(found), Prices(currency="EUR"), {ASKED: None}) is None
    assert 'id="money"' not in render_page(found, EN)
    assert csv_files.leaderboard_csv(leaderboard(found)).splitlines()[1].endswith(",,,,,")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (EN, ["What the arms cost", "A million texts, EUR", "An hour of the machine is 0.36 EUR."]),
        (ZH, ["各方案的费用", "一百万条文本（EUR）", "本机每小时 0.36 EUR。"]),
    ],
)
def test_page_terminal_files_and_json_say_the_same(words, said, monkeypatch):
    found = priced(with_server())
    page = render_page(found, words)
    markdown = export.to_markdown(found, words)
    for one in [*said, "102"]:
        assert one in page and one in markdown, one
    monkeypatch.setattr(tables, "words", lambda: words)
    cells = list(zip(*(c.cells for c in tables.money_table(found).columns), strict=True))
    assert [row[0] for row in cells][:2] == [ASKED, HEAD]
    assert cells[0][3] == "102"
    rows = {
        row["arm"]: row
        for row in csv.DictReader(io.StringIO(csv_files.leaderboard_csv(leaderboard(found), "EUR")))
    }
    assert float(rows[ASKED]["cost_per_million"]) == pytest.approx(PER_MILLION)
    assert rows[ASKED]["currency"] == "EUR" and float(rows[FAST]["search_cost"]) > 0
    again = StudyResults.from_json(json.loads(json.dumps(found.to_json())))
    assert again.money == found.money
    document = json.loads(export.to_json(found, words))
    assert document["leaderboard"][0]["cost_per_million"] == pytest.approx(PER_MILLION)


SERVED = Model(name="gpt", family="decoder", endpoint="http://127.0.0.1:8000/v1",
               endpoint_model="gpt-5-mini")  # fmt: skip


@pytest.mark.parametrize(
    ("table", "price"),
    [
        ({"models": {"gpt-5-mini": Tariff(per_call=1.0)},
          "endpoints": {"127.0.0.1": Tariff(per_call=2.0)}}, 1.0),
        ({"endpoints": {"127.0.0.1": Tariff(per_call=2.0),
                        "127.0.0.1:8000": Tariff(per_call=3.0)}}, 3.0),
        ({"endpoints": {"http://127.0.0.1:8000/v1": Tariff(per_call=4.0)}}, 4.0),
        ({"endpoints": {"127.0.0.1:9": Tariff(per_call=5.0)}, "models": {"gpt": TARIFF}}, None),
    ],
)  # fmt: skip
def test_a_models_price_goes_before_its_servers_and_a_ports_before_the_hosts(table, price):
    prices = Prices(**table)
    found = pricing._tariff(SERVED, SERVED.endpoint, prices, pricing._servers(prices, "x"))
    assert (found and found.per_call) == price


def test_prices_come_from_the_settings_and_reach_the_results(folder, monkeypatch):
    (folder / "suite.toml").write_text(
        'lang = "en"\n[price]\ncurrency = "EUR"\nper_hour = 1\n'
        '[price.models."gpt-5-mini"]\nper_million_in = 0.25\n'
    )
    found = settings.settings()["price"]
    assert found.origin == "suite.toml, line 2"
    assert found.value == Prices(
        currency="EUR", per_hour=1.0, models={"gpt-5-mini": Tariff(per_million_in=0.25)}
    )
    monkeypatch.setenv("SUITE_PRICE", '{per_hour = 0.5, currency = "€"}')
    assert settings.value("price") == Prices(currency="€", per_hour=0.5)
    done = CliRunner().invoke(app, ["doctor", "--no-hub", "--json"])
    said = {row["name"]: row["value"] for row in json.loads(done.stdout)["settings"]}
    assert said["price"]["per_hour"] == 0.5
    monkeypatch.delenv("SUITE_PRICE")
    (folder / "suite.toml").write_text('[price.endpoints."a b"]\nper_call = 1\n')
    with pytest.raises(SettingsError, match="'a b' is no server") as told:
        pricing._servers(settings.value("price"), settings.settings()["price"].origin)
    assert told.value.where == "suite.toml, line 1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[price]\nper_huor = 1\n", "line 1: unknown setting 'per_huor' in price"),
        ("price.per_hour = -1\n", "line 1: price.per_hour: an amount from 0 up is expected"),
        ("[price]\nper_hour = inf\n", "price.per_hour: an amount from 0 up is expected, not inf"),
        ("[price]\nper_hour = true\n", "price.per_hour: an amount from 0 up"),
        ("price = 3\n", "price: a table such as {per_hour = 0.34} is expected, not 3"),
        ('[price]\ncurrency = "a b"\n', "price.currency: a currency such as EUR is expected"),
        ("[price.models]\nx = 3\n", "price.models.x: a table is expected, not 3"),
        ("[price.models.x]\nper_token = 3\n", "unknown setting 'per_token' in price.models.x"),
    ],
)
def test_what_is_no_price_is_named_with_file_and_line(folder, text, expected):
    (folder / "suite.toml").write_text(text)
    with pytest.raises(SettingsError) as told:
        settings.settings()
    assert expected in str(told.value)


def test_a_variable_that_is_no_table_is_named(folder, monkeypatch):
    monkeypatch.setenv("SUITE_PRICE", "cheap")
    with pytest.raises(SettingsError, match="SUITE_PRICE: price: a table"):
        settings.settings()


def test_amounts_add_up_over_the_arms():
    found = priced(with_server()).money
    assert found.search == pytest.approx(math.fsum(arm.search for arm in found.arms))
    assert found.search == pytest.approx(7 * 36e-4 + 20_000 * 0.5e-6 + 100 * 2e-6)
