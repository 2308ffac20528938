"""The page as a file and in a real browser: hostile strings, no network, themes, many trials."""

from __future__ import annotations

import csv
import itertools
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import html5lib
import pytest
from conftest import PATIENCE, effort
from report_studies import (
    BERT,
    EN,
    FAST,
    HEAD,
    HOSTILE,
    ZH,
    benched,
    many_classes,
    speed,
    split_audit,
    study,
    trial,
    with_lengths,
)

from suite.contracts.predictions import Missed
from suite.contracts.results import Arm, Checkpoint, Published, StudyResults
from suite.report import write_reports
from suite.report.pages.csv_files import engines_csv
from suite.report.pages.export import to_markdown
from suite.report.pages.images import study_charts
from suite.report.pages.page import render_page
from suite.report.pages.shell import unpacked
from suite.report.pages.terms import TERMS, Terms
from suite.report.words import LANGUAGES, words_of


def page_of(results: StudyResults, folder: Path, language: str = "en") -> str:
    return write_reports([results], folder, ["html"], language)[-1].read_text(encoding="utf-8")


def pack_of(page: str) -> dict[str, Any]:
    """What the page's script would unpack."""
    found = re.search(r'id="pack">(.*?)</script>', page, flags=re.S)
    assert found is not None
    return dict(json.loads(unpacked(found.group(1))))


def bare(page: str) -> str:
    """The page without its scripts."""
    return re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.S)


def test_page_holds_the_leaderboard_and_reasons_without_any_script(tmp_path: Path):
    base = study()
    results = replace(
        base, arms=[*base.arms, Arm("big/sft", refused="needs <24 GB>", family="decoder")]
    )
    text = bare(page_of(results, tmp_path))
    for part in ("0.9110", "0.9010–0.9230", "2 min 05 s", "8,312", "100 MiB", "596M",
                 "needs &lt;24 GB&gt;", "memory ran out", "0123456789abcdef", "packages.torch",
                 "suite study create toy-task --trials 6", "1k test rows", "12.5%",
                 "Test rows that stand in train: 2 (4 when"):  # fmt: skip
        assert part in text, part
    assert "Bundled sample" not in text


def test_page_shows_engines_only_where_they_were_benched(tmp_path: Path):
    assert 'id="engines"' not in page_of(study(), tmp_path)
    page = page_of(benched(), tmp_path)
    text = bare(page)
    start = text.index('<section id="engines">')
    table = text[start : text.index("</section>", start)]
    assert '<a href="#engines">Serving engines</a>' in text
    for part in ("openvino", "99.54%", "-0.0011", "+0.0000", "<b>4.20 ms</b>", "6.10 ms",
                 "<b>412</b>", "<b>318</b>", "p99 within 100 ms: measured 97.5 ms", "2 min 05 s",
                 "on 2,000 validation rows", "openvino=2026.1", "box", "disagrees",
                 "97 % &lt; 99 %", "refused", "=no compiler | here", "one text alone takes 133 ms",
                 "contended", "measured with trial 2, whose checkpoint"):  # fmt: skip
        assert part in table, part
    assert table.count("fastest</span>") == 1  # overall in one scenario
    assert table.count("not valid</span>") == 2  # p50 and Offline of the doubtful row
    assert HOSTILE not in page
    chinese = bare(page_of(benched(), tmp_path, "zh"))
    assert "推理引擎" in chinese and "Serving engines" not in chinese


def test_engines_are_written_as_csv_and_markdown_too(tmp_path: Path):
    paths = write_reports([benched()], tmp_path, ["csv", "md"], "en")
    assert [p.name for p in paths][2] == "toy-engines.csv"
    rows = list(csv.DictReader(engines_csv(benched()).splitlines()))
    assert [r["engine"] for r in rows] == ["openvino", "torch", "onnxruntime", "compile"]
    assert (rows[0]["offline_per_second"], rows[0]["server_p99_ms"]) == ("412.5", "97.5")
    assert (rows[0]["agrees"], rows[0]["fastest_overall_in"]) == ("true", "SingleStream")
    assert json.loads(rows[0]["versions"]) == {"openvino": "2026.1"}
    assert (rows[3]["reason"], rows[3]["offline_per_second"]) == ("'=no compiler | here", "")
    text = to_markdown(benched(), EN)
    assert (
        "| toy-bert/linear_head | openvino | int8 | 99.54% | -0.0011 | 4.20 ms \\* | 6.10 ms | "
        "412 \\* | 318 \\* | box |" in text
    )
    assert "21.5 (not valid)" in text and "refused; =no compiler \\| here" in text
    assert "## Serving engines" not in to_markdown(study(), EN)


def test_results_from_before_engines_read_as_none_benched():
    value = study().to_json()
    del value["bench"]
    assert StudyResults.from_json(value).bench == []
    assert StudyResults.from_json(benched().to_json()).bench == benched().bench


def test_sample_page_has_its_banner_first(tmp_path: Path):
    base = study()
    results = replace(base, data=replace(base.data, sample=True))
    text = bare(page_of(results, tmp_path))
    assert (
        text.index('class="banner"')
        < text.index("Take toy-qwen/linear_head.")
        < text.index("<table")
    )
    chinese = bare(page_of(results, tmp_path, "zh"))
    assert "内置样例，并非真实数据" in chinese and 'lang="zh-CN"' in chinese
    assert "Leaderboard" not in chinese


def test_before_finals_no_published_number_is_drawn(tmp_path: Path):
    page = page_of(study(finals=[], comparisons=[], test_openings=0), tmp_path)
    assert "no claim about chance is made" in bare(page)
    assert "drawn once the finals have run" in bare(page)
    figure = pack_of(page)["charts"]["trade-off-rps"]["figure"]
    assert figure["layout"].get("shapes") is None


def test_an_empty_study_still_makes_a_page(tmp_path: Path):
    empty = study(trials=[], finals=[], comparisons=[], references=[], importance={}, labels=[],
                  environment={}, command="", title="",
                  data=replace(study().data, audit=None))  # fmt: skip
    text = bare(page_of(empty, tmp_path))
    assert "has finished a" in text and "no trial has finished yet" in text


def test_policy_allows_exactly_the_scripts_of_the_page(tmp_path: Path):
    import base64
    import hashlib

    page = page_of(study(title=HOSTILE), tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    allowed = set(re.findall(r"sha256-[\w+/=]+", policy.group(1)))
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    assert len(scripts) == 1
    # Plotly runs from its packed text: what is unpacked is what the policy allows.
    packed = re.search(r'id="plotly">(.*?)</script>', page, flags=re.S)
    assert packed is not None
    scripts.append(unpacked(packed.group(1)))
    assert allowed == {
        "sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts
    }
    assert "default-src &#39;none&#39;" in policy.group(1)
    assert "unsafe-eval" not in policy.group(1)
    assert HOSTILE not in page
    assert not re.search(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page)


def test_ten_thousand_trials_stay_small_and_quick(tmp_path: Path):
    wide = many_classes()
    points = [Checkpoint(k / 5, 0.4 + k / 20, float(k)) for k in range(1, 6)]
    arms = [FAST, HEAD, BERT]
    trials = [
        trial(i, arms[i % 3], 0.5 + (i * 7919 % 4000) / 10000, checkpoints=points,
              state="PRUNED" if i % 4 == 0 else "COMPLETE", rps=speed(100.0))
        for i in range(10_000)
    ]  # fmt: skip
    spent, page = effort(lambda: page_of(replace(wide, trials=trials), tmp_path))
    assert spent < 200
    assert len(page.encode()) < 4_000_000
    assert len(pack_of(page)["trials"]["rows"]) == 10_000


def many_trials(count: int) -> StudyResults:
    points = [Checkpoint(k / 5, 0.4 + k / 20, float(k)) for k in range(1, 6)]
    dice = random.Random(1)
    noon = datetime(2026, 1, 2, 12)
    trials = [
        trial(
            i,
            (FAST, HEAD, BERT)[i % 3],
            round(0.5 + dice.random() / 3, 6),
            checkpoints=points,
            state="PRUNED" if i % 4 == 1 else "COMPLETE",
            rps=speed(100.0),
            params={"learning_rate": 10 ** dice.uniform(-5, -2), "batch": 2 ** (i % 6),
                    "schedule": dice.choice(["linear", "cosine"])},
            started=(noon + timedelta(seconds=10 * i)).isoformat(),
            ended=(noon + timedelta(seconds=10 * i + 9)).isoformat(),
            worker=f"host:{i % 2}",
        )
        for i in range(count)
    ]  # fmt: skip
    return study(trials=trials, study=f"many-{count}")


def all_failed() -> StudyResults:
    failed = [
        trial(i, FAST, None, state="FAIL", checkpoints=[], error="memory ran out") for i in range(6)
    ]
    arms = [Arm(FAST, retired="three failures in a row", family="classic")]
    return study(trials=failed, finals=[], comparisons=[], arms=arms, importance={})


def one_arm() -> StudyResults:
    base = study()
    return replace(
        base, arms=base.arms[:1], trials=base.trials[:1], finals=base.finals[:1], comparisons=[]
    )


def with_examples() -> StudyResults:
    rows = [
        Missed(7, "</td><script>alert(1)</script> مرحبا \u202e🙂 \"quoted\" 'single' & more", 0,
               {FAST: 1, HEAD: 1, BERT: -1}),
        Missed(19, "x" * 9000, 1, {FAST: 0, HEAD: 0, BERT: 0}),
    ]  # fmt: skip
    sure = {FAST: 0.75, HEAD: 0.9}
    some = [*rows, Missed(3, "one arm errs", 1, {FAST: 0, HEAD: 1, BERT: 1}, sure, id="T<3>")]
    return study(missed=rows, missed_total=5, errors=some, errors_total=31)


def monstrous() -> StudyResults:
    """A task whose names are long, bidirectional, and made of marks."""
    base = study()
    labels = ["A" * 10_000, "\u202eעברית 🙂 <b>\"'&"]
    return replace(base, labels=labels, title="\u202e" + HOSTILE)


#: Studies that a page must stand, by what is special about them.
STUDIES = {
    "plain": study,
    "zero": lambda: study(trials=[], finals=[], comparisons=[], importance={}),
    "one": lambda: many_trials(1),
    "three": lambda: many_trials(3),
    "many": lambda: many_trials(200),
    "failed": all_failed,
    "one arm": one_arm,
    "wide": many_classes,
    "benched": benched,
    "examples": with_examples,
    "long texts": with_lengths,
    "monstrous": monstrous,
    "sample": lambda: study(data=replace(study().data, sample=True)),
}


@cache
def rendered(kind: str, language: str = "en") -> str:
    """The page of such a study, drawn once for all tests that read it."""
    return render_page(STUDIES[kind](), words_of(language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", STUDIES)
def test_every_page_is_valid_html(kind: str, language: str):
    """No parse error by the HTML standard, no id twice, no reference to nothing."""
    page = rendered(kind, language)
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(page)
    assert tree.get("lang") == ("en" if language == "en" else "zh-CN")
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for link in tree.iter("a"):
        target = link.get("href", "")
        assert not target.startswith("#") or target[1:] in ids, target
    # Headings step down one at a time, so that a reader by ear can follow them.
    levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch(r"h[1-6]", str(e.tag))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), levels
    for table in tree.iter("table"):
        assert all(th.get("scope") for th in table.iter("th"))
    for chart in tree.iter("div"):
        if "chart" in (chart.get("class") or "").split():
            assert chart.get("role") == "img" and len(chart.get("aria-label", "")) > 20
    for field in [*tree.iter("select"), *tree.iter("input")]:
        wrapped = any(field in list(label.iter()) for label in tree.iter("label"))
        assert field.get("aria-label") or wrapped, field.attrib


@pytest.mark.parametrize("kind", STUDIES)
def test_every_chart_of_a_page_is_in_its_pack(kind: str):
    page = rendered(kind)
    charts = pack_of(page)["charts"] if 'id="pack"' in page else {}
    placed = re.findall(r'data-chart="([^"]+)"', page)
    assert sorted(placed) == sorted(charts)
    assert sorted(re.findall(r'data-csv="([^"]+)"', page)) == sorted(charts)


def test_two_hundred_trials_stay_under_three_and_a_half_megabytes():
    assert len(rendered("many").encode()) < 3_500_000


def test_single_errors_are_counted_and_shown_only_where_given():
    page = bare(rendered("examples"))
    assert "31 of 200 test rows are missed by some arm of the finals, 5 by every arm." in page
    assert "3 rows are shown, those that most arms miss first." in page
    assert "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "T&lt;3&gt;" in page and ">Id</button>" in page
    assert "x" * 2000 + "…" in page and "x" * 2001 not in page
    assert '<option value="1&gt;0">Sports → World (2)</option>' in page
    assert 'data-wrong="0:1&gt;0"' in page and "75%" in page
    counted = bare(render_page(study(missed_total=5, errors_total=31), EN, storage="sqlite:///a b"))
    assert "alert(1)" not in counted and 'id="errors"' not in counted
    for command in ("report toy --examples", "errors toy"):
        assert f"suite {command} --storage &#39;sqlite:///a b&#39;" in counted
    assert "missed by some arm" not in bare(render_page(study(), EN))


def test_the_page_says_how_to_use_the_arm_to_take():
    page = bare(render_page(study(study="my toy"), EN, storage="sqlite:///x.db"))
    for command in ("predict &#39;my toy&#39; &#39;a text of yours&#39;", "serve &#39;my toy&#39;",
                    "export &#39;my toy&#39; &#39;./my toy-model&#39;"):  # fmt: skip
        assert f"<pre>suite {command} --storage sqlite:///x.db</pre>" in page
    assert "Use it" not in bare(render_page(study(trials=[], finals=[], comparisons=[]), EN))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_is_explained_once_where_it_first_stands_and_in_the_glossary(language: str):
    page = bare(rendered("plain", language))
    linked = re.findall(r'<a class="term" href="#term-(\w+)" aria-describedby="term-\1"', page)
    assert len(linked) == len(set(linked)) and {"arm", "macro_f1", "accuracy"} <= set(linked)
    entries = re.findall(r'<div id="term-(\w+)"><dt>[^<]+</dt><dd>[^<]+</dd>', page)
    assert entries == list(TERMS)
    explained = set(re.findall(r'<button[^>]* aria-describedby="term-(\w+)"', page))
    assert {"arm", "macro_f1", "accuracy", "p90", "offline_rps", "rank"} <= explained
    words = words_of(language)
    told = Terms(words).explained(f"<b> arm/x {words('term_arm').split('|')[-1]} & ")
    assert told.startswith("&lt;b&gt; arm/x <a ") and told.endswith("</a> &amp; ")


# --- a real browser ------------------------------------------------------------------------------


@contextmanager
def opening(browser: Any, folder: Path) -> Iterator[Callable[..., Any]]:
    """Within: pages are opened by file://. At the end: they asked for nothing else, and nobody
    complained."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(1000 * PATIENCE)
    requests: list[str] = []
    complaints: list[str] = []
    opened: list[str] = []
    context.on("request", lambda request: requests.append(request.url))

    def open_page(shown: StudyResults | str, language: str = "en") -> Any:
        if isinstance(shown, str):
            path = folder / f"{len(opened)}.html"
            path.write_text(rendered(shown, language), encoding="utf-8")
        else:
            path = write_reports([shown], folder, ["html"], language)[-1]
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        opened.append(path.as_uri())
        page.goto(opened[-1])
        return page

    yield open_page
    assert complaints == []
    assert [u for u in requests if not u.startswith(("data:", "blob:"))] == opened
    context.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens the page of a study, or of a kind of them."""
    with opening(browser, tmp_path) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def standing(browser: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """The page of a kind of studies, opened once for all tests that it serves as it is left."""
    with opening(browser, tmp_path_factory.mktemp("standing")) as open_page:
        yield cache(open_page)


def draw_all(page: Any) -> None:
    """Brings every visible chart into view and waits until it is drawn."""
    for chart in page.locator(".chart:visible").all():
        chart.scroll_into_view_if_needed()
        chart.locator("svg.main-svg").first.wait_for(state="attached")


def arms_in_order(page: Any) -> list[str]:
    return page.locator("#leaderboard table.board tbody th").evaluate_all(
        "cells => cells.map(cell => cell.dataset.text)"
    )


@pytest.mark.slow
def test_browser_has_every_chart_on_paper_unseen(standing: Any, tmp_path: Path):
    page = standing("plain")
    for chart in page.locator(".chart:visible").all():
        chart.locator("svg.main-svg").first.wait_for(state="attached")
    assert page.evaluate("scrollY") == 0, "it must be the first to look at this page"
    page.pdf(path=tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").stat().st_size > 50_000


@pytest.mark.slow
def test_browser_sorts_by_click_and_by_keyboard(standing: Any):
    page = standing("plain")
    assert arms_in_order(page) == [HEAD, FAST, BERT]
    speed_head = page.locator("table.board thead th", has_text="Texts/s")
    speed_head.locator("button").click()
    assert speed_head.get_attribute("aria-sort") == "descending"
    assert arms_in_order(page) == [FAST, BERT, HEAD]
    page.keyboard.press("Enter")
    assert speed_head.get_attribute("aria-sort") == "ascending"
    assert arms_in_order(page) == [HEAD, BERT, FAST]
    rank_head = page.locator("table.board thead th", has_text="Rank")
    assert rank_head.get_attribute("aria-sort") == "none"
    # Only FAST has a peak memory: what is missing stays last both ways.
    memory = page.locator("table.board thead th", has_text="Peak memory").locator("button")
    memory.focus()
    page.keyboard.press("Space")
    assert arms_in_order(page)[0] == FAST
    page.keyboard.press("Space")
    assert arms_in_order(page)[0] == FAST


@pytest.mark.slow
def test_browser_draws_every_chart_and_shares_nothing(standing: Any):
    page = standing("plain")
    draw_all(page)
    drawn = page.evaluate(
        "document.getElementById('chart-trade-off-rps').data.map(trace => trace.name)"
    )
    assert drawn[1:] == [HEAD, FAST, BERT]
    titles = page.locator("#chart-trade-off-rps .modebar-btn").evaluate_all(
        "all => all.map(button => button.dataset.title ?? button.getAttribute('aria-label'))"
    )
    assert len(titles) == 4 and all(titles)
    assert not [t for t in titles if re.search("share|cloud|studio", t or "", flags=re.I)]
    page.select_option("[data-views=classes]", label=BERT)
    assert page.locator(".view:visible h3").first.inner_text().strip().startswith(BERT)
    page.locator(".view:visible .chart svg.main-svg").first.wait_for(state="attached")
    ink = "document.getElementById('chart-trade-off-rps').layout.font.color"
    before = page.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    # Not `wait_for_function`: it polls through eval, which the page's policy forbids.
    deadline = time.monotonic() + PATIENCE
    while page.evaluate(ink) == before:
        assert time.monotonic() < deadline, "the charts do not follow the colour scheme"
        page.wait_for_timeout(50)
    page.emulate_media(color_scheme="light")


@pytest.mark.slow
def test_browser_shows_hostile_strings_as_text(opened: Any):
    base = study()
    evil = f"x/{HOSTILE}"

    def rename(arm: str) -> str:
        return evil if arm == HEAD else arm

    results = replace(
        base,
        title=HOSTILE,
        labels=[HOSTILE, "<a href='https://example.org'>b</a>"],
        command=HOSTILE,
        environment={HOSTILE: HOSTILE},
        arms=[replace(a, arm=rename(a.arm)) for a in base.arms]
        + [Arm("r/x", refused=HOSTILE, family=HOSTILE), Arm("t/x", retired=HOSTILE)],
        trials=[
            replace(t, arm=rename(t.arm), error=HOSTILE if t.state == "FAIL" else None,
                    params={HOSTILE: HOSTILE}, circumstances={HOSTILE: HOSTILE})
            for t in base.trials
        ],
        finals=[replace(f, arm=rename(f.arm)) for f in base.finals],
        comparisons=[replace(c, a=rename(c.a), b=rename(c.b)) for c in base.comparisons],
        references=[Published(HOSTILE, HOSTILE, 0.9, "javascript:alert(1)", None),
                    Published("m", "accuracy", 0.9, "https://x.org/'onclick='alert(1)", HOSTILE)],
        importance={evil: {HOSTILE: 0.5}},
        data=replace(base.data, source=HOSTILE, fingerprint=HOSTILE,
                     audit=replace(base.data.audit, warnings=[HOSTILE], truncated={HOSTILE: 0.1},
                                   splits={HOSTILE: split_audit(3, [1, 2])})),
    )  # fmt: skip
    page = opened(results)
    draw_all(page)
    for button in page.locator("[data-table]:visible").all():
        button.click()
    page.locator("figure .scroll.data td").first.wait_for()
    page.locator("#all-trials summary").click()
    page.locator("#trials-table tbody tr").first.wait_for()
    assert page.title() == f"{HOSTILE} · toy"
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("img, iframe, object").count() == 0
    assert page.locator("a:not(nav a, .skip, .term)").count() == 0, "no link comes from data"
    assert page.locator(".js-plotly-plot a").count() == 0
    assert page.evaluate("[...document.scripts].filter(s => !s.type).length") == 2
    assert HOSTILE in page.locator("#trials-table tbody").inner_text()


@pytest.mark.slow
def test_browser_sifts_single_errors_and_explains_terms_by_keyboard(standing: Any):
    page = standing("examples")
    rows, count = (
        page.locator("#errors tbody tr:visible"),
        page.locator("[data-errors] [aria-live]"),
    )
    arm, pair = page.locator("[data-by=arm]"), page.locator("[data-by=pair]")
    assert (rows.count(), count.inner_text()) == (3, "3 of 3")
    arm.select_option(label=HEAD)
    assert (rows.count(), count.inner_text()) == (2, "2 of 3")
    # Of the arm's own errors: another's of that kind do not count for it.
    pair.select_option("1>0")
    assert rows.count() == 1 and "xxx" in rows.first.inner_text()
    arm.select_option("all")
    pair.select_option("")
    assert rows.count() == 2
    arm.select_option("")
    pair.select_option("1>0")
    assert rows.count() == 2
    term, tip = page.locator("#answer a.term").first, page.locator(".tip")
    assert tip.is_hidden()
    page.keyboard.press("Tab")
    while not term.evaluate("element => element === document.activeElement"):
        page.keyboard.press("Tab")
    assert tip.inner_text() == term.get_attribute("data-tip")
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    # Beside the term also where the page was scrolled, and within the window.
    head = page.locator("#board th button[data-tip]:visible").last
    head.scroll_into_view_if_needed()
    head.hover()
    assert tip.inner_text() == head.get_attribute("data-tip")
    box, own = tip.bounding_box(), head.bounding_box()
    assert abs(box["y"] - own["y"]) < 150 and 0 <= box["x"] <= 1300 - box["width"]


@pytest.mark.slow
def test_browser_lists_many_trials_by_the_page(opened: Any):
    trials = [trial(i, FAST if i % 2 else HEAD, 0.5 + i / 10000) for i in range(1000)]
    page = opened(study(trials=trials, finals=[], comparisons=[]), "zh")
    page.locator("#all-trials summary").click()
    rows = page.locator("#trials-table tbody tr")
    rows.first.wait_for()
    assert rows.count() == 200
    assert page.locator("#trials-shown").inner_text() == "200 / 1,000"
    page.locator("#trials-more").click()
    assert rows.count() == 1000
    page.locator("#trials-table thead th", has_text="宏平均 F1").locator("button").click()
    assert rows.first.locator("td").first.inner_text() == "999"
    page.select_option("#trials-arm", label=HEAD)
    assert page.locator("#trials-shown").inner_text() == "200 / 500"
    assert rows.first.locator("td").first.inner_text() == "998"


@pytest.mark.slow
def test_browser_draws_a_hundred_and_fifty_classes(standing: Any):
    page = standing("wide")
    page.locator("#classes").scroll_into_view_if_needed()
    page.locator("#chart-confusion-0 svg.main-svg").first.wait_for(state="attached")
    assert page.evaluate("document.getElementById('chart-confusion-0').data[0].z.length") == 150
    first = page.locator(".view:visible tbody tr").first.inner_text().split("\t")
    assert first == ["intent number 7", "intent number 9", "19", "38.8%"]


@pytest.mark.slow
def test_browser_filters_the_leaderboard_by_text_and_by_family(opened: Any):
    base = study()
    more = [replace(base.trials[0], number=9, arm="fasttext/classic")]
    arms = [*base.arms, Arm("fasttext/classic", family="classic")]
    page = opened(replace(base, trials=[*base.trials, *more], arms=arms))
    box = page.locator(".filter")
    box.locator("input").fill("LINEAR")
    shown = page.locator("#board tbody tr:visible")
    assert shown.count() == 2 and box.locator("[aria-live]").inner_text() == "2 of 4"
    box.locator("select").select_option("encoder")
    assert shown.count() == 1 and BERT in shown.first.inner_text()
    box.locator("input").fill("")
    box.locator("select").select_option("")
    assert shown.count() == 4


@pytest.mark.slow
def test_browser_gives_a_charts_data_as_table_and_as_file(opened: Any):
    page = opened(study(labels=["=1+1", 'say "so", twice']))
    chart = page.locator("#chart-trade-off-rps")
    chart.scroll_into_view_if_needed()
    figure = page.locator("figure", has=chart)
    figure.locator("[data-table]").click()
    rows = figure.locator(".scroll.data tbody tr")
    rows.first.wait_for()
    assert rows.count() == 3 and rows.first.locator("td").first.inner_text() == HEAD
    with page.expect_download() as started:
        figure.locator("[data-csv]").click()
    assert started.value.suggested_filename == "toy-trade-off-rps.csv"
    written = list(csv.reader(started.value.path().open(encoding="utf-8")))
    assert written[0][:2] == ["Arm", "Trial"] and [row[0] for row in written[1:]] == [
        HEAD, FAST, BERT
    ]  # fmt: skip
    assert written[1][3] == "0.911"
    confusion = page.locator("figure", has=page.locator("#chart-confusion-0"))
    with page.expect_download() as started:
        confusion.locator("[data-csv]").click()
    told = list(csv.reader(started.value.path().open(encoding="utf-8")))
    assert told[1][:3] == ["'=1+1", "'=1+1", "80"] and told[2][1] == 'say "so", twice'


@pytest.mark.slow
def test_browser_photographs_both_themes_by_system_and_by_choice(standing: Any):
    page = standing("plain")
    page.emulate_media(color_scheme="light")
    light = page.screenshot()
    page.emulate_media(color_scheme="dark")
    dark = page.screenshot()
    assert brightness(page) < 60 and light != dark
    page.locator("#theme").click()
    assert page.locator("#theme").inner_text() == "Theme: light" and brightness(page) > 200
    page.locator("#theme").click()
    assert page.locator("#theme").inner_text() == "Theme: dark" and brightness(page) < 60
    page.emulate_media(color_scheme="light")
    page.emulate_media(media="print")
    assert brightness(page) == 255 and not page.locator("nav").is_visible()
    chart = page.locator("#chart-trade-off-rps")
    assert page.locator("#leaderboard table").first.is_visible() and chart.count() == 1
    page.emulate_media(media="screen")


def brightness(page: Any) -> float:
    """Of the page's paper, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "monstrous", "examples", "wide"])
def test_browser_fits_a_phone(standing: Any, kind: str):
    page = standing(kind)
    page.set_viewport_size({"width": 390, "height": 800})
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1300, "height": 1000})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zero", "one", "many", "failed", "one arm"])
def test_browser_draws_few_and_many_trials_alike(opened: Any, kind: str):
    page = opened(kind, "zh")
    draw_all(page)
    assert page.locator("#answer .verdict").is_visible()


@pytest.mark.slow
def test_without_script_the_answer_and_the_tables_stand(browser: Any, tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_text(rendered("plain"), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("#answer .verdict").is_visible()
    assert page.locator("#board tbody tr").count() == 3
    assert page.get_by_text("Charts and sorting need JavaScript").is_visible()
    assert not page.locator(".chart").first.is_visible()
    assert page.locator("#classes .view").last.is_visible()
    context.close()


@pytest.mark.slow
def test_images_of_every_chart(browser: Any, tmp_path: Path):
    written = write_reports([study()], tmp_path, ["html"], "zh", images=True)
    pictures = [path for path in written if path.parent.name == "toy-images"]
    names = {chart.name for chart in study_charts(study(), ZH)}
    assert {path.name for path in pictures} == {f"{n}{x}" for n in names for x in (".png", ".svg")}
    for path in pictures:
        content = path.read_bytes()
        if path.suffix == ".png":
            assert content.startswith(b"\x89PNG") and len(content) > 5000
        else:
            assert b"<svg" in content[:200] and b"</script" not in content
