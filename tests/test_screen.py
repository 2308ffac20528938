"""How a page looks: nothing cut, clipped or broken, on a screen of any width and on paper."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE
from pypdf import PdfReader
from report_studies import EN, FAST, ZH, benched, crowded, many_classes, study, trial
from test_page import bare, pack_of

from suite.contracts.results import Arm, StudyResults
from suite.report.charts import across_changes, per_class, trade_off
from suite.report.charts.chart import StudyScene
from suite.report.charts.confusion import most_confused
from suite.report.charts.ranges import common_range, whole_ticks
from suite.report.data.classes import class_views
from suite.report.data.rows import METRICS, leaderboard
from suite.report.data.side_by_side import ArmChange, SideBySide
from suite.report.formats import flat, pathless, settings
from suite.report.pages.across_page import render_across
from suite.report.pages.page import render_page, whiskers
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


# --- ranges and ticks ---------------------------------------------------------------------------


def test_one_outlier_does_not_set_the_range():
    scores = [0.80, 0.82, 0.83, 0.85, 0.02]
    spans = [(score - 0.01, score + 0.01) for score in scores]
    assert common_range(scores, spans) == (pytest.approx(0.79), pytest.approx(0.86))
    assert common_range([0.02, 0.8]) == (0.02, 0.8), "of two neither is an outlier"
    assert common_range([0.3, 0.6, 0.9]) == (0.3, 0.9)
    low, high = common_range([0.8, 0.81, 0.82], [(0.2, 0.99), (0.8, 0.82), (0.81, 0.83)])
    assert 0.6 < low < 0.8 and 0.83 <= high < 0.99, "an interval is cut at the fence"


def test_an_outlier_is_an_arrow_with_its_value():
    results = crowded(arms=6, classes=4)
    board = StudyScene.of(results, EN)
    data = trade_off.values(board.board, METRICS["offline_rps"])
    assert data.y_range[0] > 0.3
    figure = trade_off.figure(data, board.styles, EN)
    texts = [trace.text[0] for trace in figure.data if trace.text]
    assert sum("↓ 0.020" in text for text in texts) == 1
    assert all(data.y_range[0] <= trace.y[0] <= data.y_range[1] for trace in figure.data[1:])
    whisker = whiskers(board.board)["tfidf-3/classic"]
    assert whisker.below and whisker.mid is None and not whisker.above


def test_an_outlier_flattens_no_chart_of_rows():
    """One class or one arm far from the others is an arrow at its row, and sets no range."""
    scores = tuple((0.9 + c / 1000, 0.91 + c / 1000) for c in range(9))
    told = ((None, None),) * 10
    rows = ((0.0, 0.1), *scores)
    data = per_class.PerClass("test", ("a", "b"), tuple(range(10)), rows, 10, told)
    styles = StudyScene.of(crowded(arms=2, classes=4), EN).styles
    own = dict(zip(("a", "b"), styles.values(), strict=False))
    figure = per_class.figure(data, [f"class {c}" for c in range(10)], own, EN)
    assert figure.layout.xaxis.range[0] > 0.5
    assert [(a.y, a.text) for a in figure.layout.annotations] == [(0, "← 0.000 … 0.100")]

    changes = [change(f"arm-{i}", i / 1000) for i in range(6)] + [change("fell", -0.8)]
    pair = SideBySide("t", "t", "a", "b", "test", "", True, (), (), tuple(changes), (), ())
    figure = across_changes.figure(pair, EN)
    low, high = figure.layout.xaxis.range
    assert -0.3 < low < 0 < high < 0.3
    assert [(a.y, a.text) for a in figure.layout.annotations] == [(6, "← -0.800")]


def change(arm: str, by: float) -> ArmChange:
    return ArmChange(
        arm, 0.9, 0.9 + by, by, by - 0.01, by + 0.01, 0.5, "paired", "chance", None, None
    )


@pytest.mark.parametrize(
    ("most", "step"), [(0, 1), (1, 1), (9, 1), (11, 2), (42, 5), (79, 10), (999, 100), (1200, 200)]
)
def test_counts_have_ticks_at_whole_numbers(most: int, step: int):
    assert whole_ticks(most)["dtick"] == step


def test_a_large_matrix_begins_with_the_classes_that_are_confused():
    views = class_views(many_classes(), leaderboard(many_classes()))
    classes = most_confused(views[0])
    assert len(classes) == 12 and {7, 9} <= set(classes) and classes == sorted(classes)
    charts = pack_of(render_page(many_classes(), EN))["charts"]
    assert len(charts["confused-0"]["figure"]["data"][0]["z"]) == 12
    assert len(charts["confusion-0"]["figure"]["data"][0]["z"]) == 150
    few = pack_of(render_page(study(), EN))["charts"]
    assert "confusion-0" in few and "confused-0" not in few


# --- a real browser -----------------------------------------------------------------------------

#: What is wrong with a page at the width it has, as texts; the script is the reader's eye.
LOOK = r"""() => {
  const wrong = [], seen = (e) => e.getClientRects().length > 0;
  const tell = (what, element) =>
    wrong.push(`${what}: ${element.textContent.trim().slice(0, 60)}`);
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width)
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const box of document.querySelectorAll(".scroll")) {
    const id = box.querySelector("table").id;
    // On a phone no table is wider than its box; elsewhere those whose columns are chosen are not.
    if ((width < 640 || ["board", "engines-table", "measured-table"].includes(id))
        && box.scrollWidth > box.clientWidth)
      wrong.push(`${id || box.textContent.trim().slice(0, 40)} is ${box.scrollWidth} wide`);
  }
  for (const chart of document.querySelectorAll(".chart")) {
    const svg = chart.querySelector("svg.main-svg");
    if (!seen(chart) || !svg) continue;
    const frame = svg.getBoundingClientRect();
    for (const text of chart.querySelectorAll("svg text")) {
      const box = text.getBoundingClientRect();
      if (box.width > 0 && (box.left < frame.left - 1 || box.right > frame.right + 1
          || box.top < frame.top - 1 || box.bottom > frame.bottom + 1))
        tell(`cut in ${chart.dataset.chart}`, text);
    }
  }
  const named = ".arm, .label, .legend button, thead th, .chip, .tile h2, nav a, nav button";
  for (const element of document.querySelectorAll(named)) {
    if (!seen(element)) continue;
    const inline = getComputedStyle(element).display === "inline";
    if (!inline && element.scrollWidth > element.clientWidth + 1) tell("clipped", element);
    const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode())
      for (const word of node.data.matchAll(/[\p{L}\p{N}]+/gu)) {
        if (/[\u2e80-\uffef]/.test(word[0])) continue;
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
        const lines = new Set(boxes.map((box) => Math.round(box.top)));
        if (lines.size > 1) tell(`broken inside ${word[0]}`, element);
      }
  }
  return wrong;
}"""


@contextmanager
def opening(browser: Any, folder: Path) -> Iterator[Callable[[str], Any]]:
    """Within: pages are opened by file://, and nobody complains of them."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    complaints: list[str] = []

    def open_page(text: str) -> Any:
        path = folder / "page.html"
        path.write_text(text, encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    assert complaints == []
    context.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page, as it is when the browser says that it is loaded."""
    with opening(browser, tmp_path) as open_page:
        yield open_page


def drawn_all(page: Any) -> bool:
    """Whether every chart that can be seen is drawn."""
    return bool(page.locator(".chart:visible").count()) and all(
        chart.locator("svg.main-svg").count() for chart in page.locator(".chart:visible").all()
    )


def plain(text: str) -> str:
    """Text without spaces; a PDF may name a Chinese letter by a radical that looks the same."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def across_page(language: str) -> str:
    from test_across import study_of

    names = [f"organisation-{k}/a-long-model-name-{k}/linear_head" for k in range(20)]
    studies = [
        study_of(f"customer-intents-of-market-{i}",
                 {name: 0.6 + 0.01 * ((k * 7 + i * 3) % 20) for k, name in enumerate(names)},
                 seconds={name: 1.5**k for k, name in enumerate(names)})
        for i in range(4)
    ]  # fmt: skip
    return render_across(studies, [f"{s.study}.html" for s in studies], words_of(language))


PAGES: dict[str, Callable[[], str]] = {
    "plain": lambda: render_page(benched(), EN),
    # More than any chart names, draws or lists without leaving some out.
    "crowded": lambda: render_page(crowded(arms=14, classes=48), ZH),
    "across": lambda: across_page("en"),
}


@pytest.fixture(scope="module", params=PAGES)
def whole(request: Any, browser: Any, tmp_path_factory: Any) -> Iterator[tuple[str, Any]]:
    """A page of each kind, drawn. Who prints it or makes it narrow leaves it as it was."""
    with opening(browser, tmp_path_factory.mktemp("whole")) as open_page:
        page = open_page(PAGES[request.param]())
        assert drawn_all(page), "a page that is loaded has its charts"
        yield request.param, page


@pytest.mark.slow
def test_browser_prints_everything_whole(whole: tuple[str, Any], tmp_path: Path):
    """Sections, charts and the last columns are on paper, and nothing is wider than a sheet."""
    kind, page = whole
    # Titles in several scripts come out of a PDF in pieces; those of sections do not.
    wanted = "main h2" if kind == "crowded" else "main h2, main figcaption h3"
    headings = page.locator(wanted).all_inner_texts()
    for sheet in ("A4", "Letter") if kind == "plain" else ("A4",):
        page.pdf(path=tmp_path / "page.pdf", format=sheet)
        told = "".join(one.extract_text() for one in PdfReader(tmp_path / "page.pdf").pages)
        said = plain(told)
        assert [heading for heading in headings if plain(heading) not in said] == []
        if "crowded" in kind:
            # The last trial, what folds beneath its row, an axis of the last chart.
            for part in ("mean-of-layers", "learning_rate", "100%"):
                assert part in said, part
    # The same as it stands on the narrower sheet, less its margins: 210 − 2 × 12 mm.
    page.set_viewport_size({"width": 703, "height": 900})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    wide = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 704"
        " && !e.closest('svg')).map(e => [e.tagName, e.className, e.textContent.slice(0, 40)])"
    )
    assert wide == []
    tall = page.evaluate(
        "[...document.querySelectorAll('figure, tr')].filter(e => e.offsetHeight > 980).length"
    )
    assert tall == 0, "what may not be parted fits on a sheet"
    assert page.evaluate("document.querySelectorAll('details:not([open], .columns)').length") == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("tr.folded").count() == 0
    page.emulate_media(media="screen")


@pytest.mark.slow
def test_browser_shows_everything_whole_at_every_width(whole: tuple[str, Any]):
    _, page = whole
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert page.evaluate(LOOK) == [], f"{width} px"


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """A page that several tests use in turn, each at widths that it sets itself."""
    with opening(browser, tmp_path_factory.mktemp("page")) as open_page:
        yield open_page(render_page(study(), EN))


@pytest.mark.slow
def test_browser_has_whole_numbers_on_axes_of_trials(page: Any):
    page.set_viewport_size({"width": 1440, "height": 900})
    for name in ("history", "states"):
        ticks = page.locator(f"#chart-{name} .xtick text").all_text_contents()
        assert ticks and ticks == list(dict.fromkeys(ticks))
        assert all(re.fullmatch(r"[\d,]+", tick) for tick in ticks)


@pytest.mark.slow
def test_browser_turns_arms_off_by_the_list_above_a_chart(page: Any):
    page.set_viewport_size({"width": 1440, "height": 900})
    figure = page.locator("figure", has=page.locator("#chart-curves"))
    entry = figure.locator(".legend button", has_text=FAST)
    assert entry.get_attribute("aria-pressed") == "true"
    lines = figure.locator("g.trace.scatter")
    before = lines.count()
    entry.focus()
    page.keyboard.press("Enter")
    assert entry.get_attribute("aria-pressed") == "false" and lines.count() < before


@pytest.mark.slow
def test_browser_has_a_way_around_that_stays(page: Any):
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("document.getElementById('search').scrollIntoView({behavior: 'instant'})")
        page.wait_for_timeout(200)
        assert page.locator(".ways").bounding_box()["y"] == 0
        assert page.locator(".ways a[aria-current]").all_text_contents() == ["The search"]
    button = page.locator(".ways button")
    assert button.inner_text() == "Contents: The search"
    button.focus()
    page.keyboard.press("Enter")
    page.locator(".ways a", has_text="The data").click()
    page.wait_for_timeout(700)
    assert button.get_attribute("aria-expanded") == "false"
    assert 0 <= page.locator("#data h2").bounding_box()["y"] < 120


@pytest.mark.slow
def test_browser_offers_columns_by_keyboard(page: Any):
    page.set_viewport_size({"width": 390, "height": 900})
    heads = page.locator("#board thead th:visible")
    few = heads.count()
    assert 3 <= few < 8
    picker = page.locator(".columns[data-table-id=board]")
    picker.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.get_by_label("p50").focus()
    page.keyboard.press("Space")
    assert page.locator("#board thead th:visible", has_text="p50").count() == 1
    assert page.locator("#board tbody tr").first.locator("td:visible").count() == few
    page.keyboard.press("Escape")
    assert picker.get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    # What the reader chose stays whatever the width.
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_timeout(100)
    assert page.locator("#board thead th:visible").count() > few + 1


@pytest.mark.slow
def test_browser_names_the_classes_of_a_matrix_once_few_are_in_sight(opened: Any):
    page = opened(render_page(many_classes(), EN))
    chart = page.locator("#chart-confusion-0")
    assert chart.locator(".xtick text").count() == 0
    chart.evaluate("e => { Plotly.relayout(e, {'xaxis.range': [4, 14], 'yaxis.range': [14, 4]}); }")
    chart.locator(".xtick text").first.wait_for(state="attached")
    assert "intent" in chart.locator(".ytick text").first.text_content()
