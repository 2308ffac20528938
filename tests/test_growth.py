"""What more rows bring: the laws by simulation, the subsets, the studies of a curve."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import write_recipe
from report_studies import EN, ZH, study
from test_study import suite

from suite.contracts.growth import (
    Advice,
    ClassGain,
    Growth,
    GrowthArm,
    GrowthBand,
    GrowthCheck,
    GrowthChoice,
    GrowthCrossing,
    GrowthPoint,
)
from suite.contracts.strategy import Rows
from suite.data.splits import nested_order
from suite.data.subsets import by_the_floor, drawn
from suite.errors import StudyError
from suite.report.pages.page import render_page
from suite.study import artifacts, growing, storage
from suite.study.create import ensure_snapshot
from suite.study.differences import check_unchanged
from suite.study.growing import Asked
from suite.study.sizes import checked, searched
from suite.verdict import growth
from suite.verdict.gains import Held, gains, ratio
from suite.verdict.growth import Size

SIZES = (100, 200, 400, 800, 1600, 3200)


def _curve(
    rng: np.random.Generator, *, draws: int, noise: float
) -> tuple[list[Size], float, float]:
    """Scores by a power law with noise that falls, the law's score and one measured at twice the
    rows."""
    level, scale = rng.uniform(0.75, 0.97), rng.uniform(0.3, 1.5)
    exponent = rng.uniform(0.2, 0.8)

    def law(rows: float) -> float:
        return float(level - scale * rows**-exponent)

    def measured(rows: int) -> float:
        return law(rows) + float(rng.normal(0, noise * (rows / 600) ** -0.3))

    sizes = [Size(rows, measured(rows)) for rows in SIZES for _ in range(draws)]
    twice = 2 * SIZES[-1]
    return sizes, law(twice), float(np.mean([measured(twice) for _ in range(draws)]))


@pytest.mark.parametrize("draws", [1, 3])
def test_predictions_at_twice_the_rows_cover_and_are_near(draws: int) -> None:
    rng = np.random.default_rng(5)
    count = 120
    held = near = band = 0.0
    for _ in range(count):
        sizes, law, truth = _curve(rng, draws=draws, noise=0.006)
        laws = growth.fit(sizes)
        assert laws is not None
        predicted = laws.predicted(6400, draws)
        held += predicted.low <= truth <= predicted.high
        band += laws.band(6400).low <= law <= laws.band(6400).high
        near += abs(predicted.value - truth)
    assert held / count >= 0.92
    assert band / count >= 0.90
    assert near / count <= 0.006


@pytest.mark.parametrize(
    ("kind", "covered", "near"), [("begins flat", 0.94, 0.006), ("never bends", 0.6, 0.012)]
)
def test_predictions_are_near_where_the_truth_is_another(kind, covered, near) -> None:
    rng = np.random.default_rng(6)
    count, held, error = 150, 0, 0.0
    for _ in range(count):
        half, top = rng.uniform(80, 400), rng.uniform(0.8, 0.95)
        slope = rng.uniform(0.02, 0.05)

        def law(rows: float, half: float = half, top: float = top, slope: float = slope) -> float:
            if kind == "never bends":
                return float(0.4 + slope * np.log2(rows / 50))
            return float(top - 0.5 / (1 + rows / half) ** 0.7)

        sizes = [Size(n, law(n) + rng.normal(0, 0.005)) for n in SIZES for _ in range(3)]
        truth = law(6400) + float(rng.normal(0, 0.005 / np.sqrt(3)))
        laws = growth.fit(sizes)
        assert laws is not None
        predicted = laws.predicted(6400, 3)
        held += predicted.low <= truth <= predicted.high
        error += abs(predicted.value - truth)
    assert held / count >= covered
    assert error / count <= near


def test_crossings_are_found_within_their_interval() -> None:
    rng = np.random.default_rng(7)
    count = found = held = 0
    for _ in range(60):
        where = rng.uniform(300, 2000)
        early = 0.85, 0.4, 0.5  # level, scale, exponent: soon good, and soon at its end
        slow = rng.uniform(0.30, 0.42)
        at = early[0] - early[1] * where ** -early[2]
        scale = (0.93 - at) * where**slow

        def one(rows: float, early: tuple[float, float, float] = early) -> float:
            return float(early[0] - early[1] * rows ** -early[2])

        def other(rows: float, scale: float = scale, slow: float = slow) -> float:
            return float(0.93 - scale * rows**-slow)

        noisy = [
            growth.fit([Size(n, law(n) + rng.normal(0, 0.003)) for n in SIZES for _ in range(3)])
            for law in (other, one)
        ]
        assert noisy[0] is not None and noisy[1] is not None
        crossed = growth.crossing(noisy[0], noisy[1], (SIZES[0], SIZES[-1]))
        count += 1
        if crossed is not None:
            found += 1
            low, high = crossed.low or 0, crossed.high or 10**9
            held += low <= where <= high
            assert low <= crossed.rows <= high
    assert found >= 0.95 * count
    assert held >= 0.9 * found


def test_crossings_are_of_other_test_rows_too() -> None:
    """All sizes are tested on the same rows, which favour one of the arms."""
    rng = np.random.default_rng(11)
    count, known, unknown = 80, 0, 0
    for _ in range(count):
        where, slope = rng.uniform(400, 1500), rng.uniform(0.3, 0.5)

        def one(rows: float) -> float:
            return float(0.85 - 0.4 * rows**-0.5)

        def other(rows: float, where: float = where, slope: float = slope) -> float:
            return float(0.93 - (0.93 - one(where)) * (rows / where) ** -slope)

        favour = rng.normal(0, 0.006)
        laws = [
            growth.fit(
                [Size(n, law(n) + off + rng.normal(0, 0.002)) for n in SIZES for _ in range(2)]
            )
            for law, off in ((other, favour), (one, 0.0))
        ]
        assert laws[0] is not None and laws[1] is not None
        ends = SIZES[0], SIZES[-1]
        for apart in ((), [(100, 0.006), (3200, 0.006)]):
            crossed = growth.crossing(laws[0], laws[1], ends, apart)
            low, high = (0, 10**9) if crossed is None else (crossed.low or 0, crossed.high or 10**9)
            held = low <= where <= high
            known, unknown = known + (held and bool(apart)), unknown + (held and not apart)
    assert unknown < 0.8 * count
    assert known >= 0.9 * count


def test_arms_that_do_not_cross_have_no_crossing() -> None:
    above = growth.fit([Size(n, 0.95 - 0.5 * n**-0.5) for n in SIZES])
    below = growth.fit([Size(n, 0.80 - 0.5 * n**-0.5) for n in SIZES])
    assert above is not None and below is not None
    assert growth.crossing(above, below, (100, 3200)) is None
    assert growth.crossing(below, above, (100, 3200)) is None
    assert growth.often_below(below, above, 1000, 0.01) == 1.0
    assert growth.often_below(above, below, 1000, 0.01) == 0.0


def test_too_few_sizes_and_scores_that_fall_have_no_law() -> None:
    assert growth.fit([Size(n, 0.5) for n in (100, 200, 400) for _ in range(5)]) is None
    assert growth.fit([Size(n, 0.9 - n / 4000) for n in SIZES]) is None
    assert growth.held_back([]) is None


def test_the_largest_size_is_predicted_without_it() -> None:
    sizes = [Size(n, 0.9 - 2 * n**-0.5) for n in SIZES]
    found = growth.held_back(sizes)
    assert found is not None
    assert (found.rows, found.known, found.draws) == (3200, 1600, 1)
    assert found.error < 0.004 and found.covered
    # What is measured there does not move the prediction.
    moved = growth.held_back([*sizes[:-1], Size(3200, 0.5)])
    assert moved is not None
    assert moved.predicted == found.predicted and not moved.covered


# --- what more rows of a class bring --------------------------------------------------------


def test_gains_are_carried_on_by_the_law_and_cover():
    """Scores that grow by a law in each class's rows: what is told of 300 more holds it."""
    rng = np.random.default_rng(3)
    exponents = np.full(200, 0.4)
    rows, more, noise = (200, 800, 400, 1600), 300, 0.001
    scales = (1.0, 0.5, 0.0, 0.0)

    def merit(counts):
        return 0.9 - sum(s * n**-0.4 for s, n in zip(scales, counts, strict=True))

    held = measured = 0
    for _ in range(150):
        whole = merit(rows) + rng.normal(0, noise)
        asked = []
        for label, n in enumerate(rows):
            fewer = [m - n // 2 if at == label else m for at, m in enumerate(rows)]
            scores = [merit(fewer) + rng.normal(0, noise) for _ in range(3)]
            asked.append(Held(label, n, n // 2, scores))
        found = gains(whole, asked, more, exponents)
        for label, (lost, gain, reach) in enumerate(found):
            grown = [m + more if at == label else m for at, m in enumerate(rows)]
            assert reach is not None and (label > 1 or lost > 0)
            held += abs(gain - (merit(grown) - merit(rows))) <= reach
            measured += label > 1 and abs(gain) > reach
    assert held / 600 >= 0.95
    assert measured / 300 <= 0.05


def test_gains_of_arms_that_begin_flat_go_by_the_shift_too():
    """Laws of a shift are steep only in appearance: their exponent alone promises too little."""
    exponents, shifts = np.full(200, 0.9), np.full(200, 1.5)
    whole = ratio(400, 200, 300, exponents, shifts)
    # (1 + 1.5)^-.9 and so on, written out.
    lost = 2.0**-0.9 - 2.5**-0.9
    gained = 2.5**-0.9 - 3.25**-0.9
    assert whole.tolist() == pytest.approx([gained / lost] * 200)
    assert ratio(400, 200, 300, exponents)[0] < 0.6 * whole[0]
    held = [Held(0, 400, 200, [0.89, 0.89]), Held(1, 400, 200, [0.9, 0.9])]
    ((_, gain, _), _) = gains(0.9, held, 300, exponents, shifts)
    assert gain == pytest.approx(0.01 * gained / lost)


def test_gains_are_of_other_test_rows_too():
    """What is lost on these test rows is by chance more or less than on others."""
    rng = np.random.default_rng(9)
    exponents = np.full(200, 0.4)
    factor = float(ratio(400, 200, 300, exponents)[0])
    covered = {0.0: 0, 0.004: 0}
    for _ in range(300):
        by_rows = rng.normal(0, 0.004, 2)
        for error in covered:
            held = [
                Held(at, 400, 200, rng.normal(0.88 + off, 0.001, 3), error)
                for at, off in enumerate(by_rows)
            ]
            for _, gain, reach in gains(0.9 + rng.normal(0, 0.001), held, 300, exponents):
                assert reach is not None
                covered[error] += abs(gain - factor * 0.02) <= reach
    assert covered[0.0] < 0.75 * 600 and covered[0.004] >= 0.95 * 600


def test_one_draw_tells_nothing_of_chance():
    ((lost, gain, reach),) = gains(0.9, [Held(0, 100, 50, [0.88])], 100, np.array([1e-9]))
    assert (round(lost, 3), round(gain, 3), reach) == (0.02, 0.02, None)


# --- which rows a part has ------------------------------------------------------------------


def ordered(counts):
    texts = [f"c{label} text {n}" for label, count in enumerate(counts) for n in range(count)]
    labels = tuple(label for label, count in enumerate(counts) for _ in range(count))
    rows = Rows(tuple(texts), labels)
    return rows.take(nested_order(rows, seed=0))


@pytest.mark.parametrize("draw", [1, 2])
def test_parts_of_a_draw_are_nested_and_stratified(draw):
    train = ordered((600, 300, 100))
    parts = [set(drawn(train, n, draw=draw).tolist()) for n in (50, 100, 400)]
    assert parts[0] < parts[1] < parts[2] and [len(part) for part in parts] == [50, 100, 400]
    for part in parts:
        share = [sum(train.labels[at] == c for at in part) / len(part) for c in range(3)]
        assert share == pytest.approx([0.6, 0.3, 0.1], abs=0.03)
    assert parts[1] != set(drawn(train, 100, draw=3).tolist())


def test_a_class_keeps_its_floor_and_loses_only_its_own():
    train = ordered((990, 6, 4))
    few = drawn(train, 20)
    assert {train.labels[at] for at in few} == {0, 1, 2}
    assert by_the_floor(train.labels, 20) == [1, 2] and by_the_floor(train.labels, 500) == []
    for draw in (1, 2):
        kept = drawn(train, 1000, draw=draw, label=0, kept=495)
        counts = [sum(train.labels[at] == c for at in kept) for c in range(3)]
        assert counts == [495, 6, 4]
    assert len(drawn(train, 1000, draw=1, label=0, kept=495)) == 505


# --- what is asked for ----------------------------------------------------------------------


def test_three_sizes_are_searched_and_the_others_carried():
    sizes = [125, 250, 500, 1000, 2000, 4000, 8000, 16000]
    curve = Asked(sizes=sizes, searched=searched(sizes))
    assert curve.searched == [125, 1000, 16000]
    assert [curve.source(n) for n in (250, 500, 2000, 4000, 8000)] == [
        125,
        1000,
        1000,
        16000,
        16000,
    ]
    assert searched([10, 20, 40]) == [10, 20, 40]


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ([3, 100], "a size of 3 rows for 4 classes"),
        ([100, 5000], "a size of 5,000 of 1,000 training rows"),
        ([1000], "a curve of one size: 1,000 of 1,000 training rows"),
        (list(range(10, 60)), "a curve of 50 sizes"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes, why):
    with pytest.raises(StudyError, match=why):
        checked(sizes, 1000, 4)


# --- studies --------------------------------------------------------------------------------


def test_a_curve_is_a_study_for_each_size_and_goes_on(toy_task, folder, monkeypatch):
    monkeypatch.setattr(growing, "HELD_DRAWS", 1)
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1, finals={"seeds": 1, "refit": True})
    words = ("curve", toy_task, "--recipe", recipe, "--name", "g")
    said = suite(*words, "--sizes", "20,40,80,150", "--advice", "tfidf/toy", "--more", "50")
    assert "Sizes of training rows, each a study: 20, 40, 80, 150" in said.stderr
    assert "Part 6 of 6 of the curve" in said.stderr
    found = json.loads(suite("study", "show", "g", "--json").stdout)["growth"]
    assert (found["sizes"], found["searched"]) == ([20, 40, 80, 150], [20, 40, 150])
    assert found["missing"] == []
    carried = {(p["rows"], p["carried"]) for p in found["points"] if p["arm"] == "tfidf/toy"}
    assert carried == {(20, None), (40, None), (80, 150), (150, None)}
    gains = found["advice"]["gains"]
    assert {gain["label"] for gain in gains} == {0, 1} and found["advice"]["any_class"]
    # Its finals learn from its rows alone, whatever the recipe says.
    opened = storage.open_storage(None)
    names = storage.names(opened)
    stored = {name: storage.load(opened, name)[1] for name in names}
    assert not any(one.recipe.finals.refit for one in stored.values())
    assert [stored[name].data.rows.train for name in ("g.rows-20", "g.rows-80")] == [20, 80]
    rows = {name: stored[name].data for name in names}
    assert (
        len({(one.rows.validation, one.rows.test, one.test_digest) for one in rows.values()}) == 1
    )
    best = json.loads(suite("study", "show", "g", "--json").stdout)["trials"][0]
    kept = next(arm for arm in stored["g.rows-80"].arms if arm.name == "tfidf/toy")
    assert kept.dimensions == best["params"]
    # The same line has nothing to do; one more size is one more study.
    again = suite(*words)
    assert "going on with it" in again.stderr and "Part" not in again.stderr
    assert "g.rows-30" in suite(*words, "--sizes", "30").stderr
    assert set(storage.names(opened)) == {*names, "g.rows-30"}
    # A part is a study as any other, whose rows are cut anew where they are gone.
    shutil.rmtree(artifacts.find(storage.find(opened, "g.less-0-38"), None).data)
    part, definition = storage.load(opened, "g.less-0-38")
    ensure_snapshot(part, definition)
    check_unchanged(definition, lambda path: True)
    assert suite("study", "run", "g.rows-80").exit_code == 0
    listed = json.loads(suite("study", "list", "--json").stdout)["studies"]
    assert [one["curve_of"] for one in listed] == [None, *["g"] * 7]
    assert "at 300" in suite("study", "show", "g").stdout
    refused = suite("study", "create", toy_task, "--recipe", recipe, "--name", "g", code=2)
    assert "a learning curve: stored True, now False" in refused.stderr
    suite("study", "delete", "g", "--yes")
    assert storage.names(opened) == []


def test_what_a_curve_cannot_be_is_refused_before_anything_is_stored(toy_task, folder):
    recipe = write_recipe(folder)
    words = ("curve", toy_task, "--recipe", recipe, "--name", "g")
    for options, why in (
        (("--sizes", "20,many"), "'many' is no number of training rows"),
        (("--sizes", "1000"), "a size of 1,000 of 150 training rows"),
        (("--advice", "tfidf/toys"), "has no arm 'tfidf/toys'"),
        (("--recipe", "auto"), "chooses them by the rows there are"),
    ):
        assert why in suite(*words, *options, code=2).stderr
    assert not (folder / "studies" / "suite.db").exists()


# --- the page -------------------------------------------------------------------------------


def grown():
    """A study with a curve of two arms that cross, one without a law."""
    found = study()
    one, other = (final.arm for final in found.finals[:2])
    points = [
        GrowthPoint(arm, rows, 1, score, (score - 0.01, score + 0.01), rows / 1000, speed,
                    None if rows != 400 else 200, f"s.rows-{rows}")
        for arm, scores, speed in ((one, (0.5, 0.7, 0.9), 900.0), (other, (0.6, 0.7, 0.75), None))
        for rows, score in zip((200, 400, 800), scores, strict=True)
    ]  # fmt: skip
    bands = [GrowthBand(rows, 0.8, 0.7, 0.9) for rows in (200, 800, 1600)]
    check = GrowthCheck(800, 400, 0.88, 0.8, 0.95, 0.9)
    gains = [ClassGain(0, 90, 45, 0.02, 3, 0.012, 0.004), ClassGain(1, 90, 45, 0.0, 3, 0.001, 0.01)]
    return replace(
        found,
        growth=Growth(
            objective="macro_f1",
            sizes=[200, 400, 800],
            draws=2,
            searched=[200, 800],
            missing=["s.rows-400-2"],
            validation_rows=50,
            points=points,
            arms=[GrowthArm(one, (0.4, 0.2, 0.7), bands, check), GrowthArm(other, None, [], None)],
            crossings=[GrowthCrossing(one, other, 420, 350, None, 0.97)],
            choices=[GrowthChoice(1000, one, other, 0.91, 900.0)],
            advice=Advice(one, 300, gains, ClassGain(None, 180, 90, 0.01, 3, 0.004, 0.001)),
        ),
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (EN, ("Beyond a training size of about 420", "more than four times the largest size",
              "off by 0.0200", "+0.0120 ± 0.0040", "nothing measurable",
              "Still missing: s.rows-400-2", "300 more rows of any class: +0.0040 ± 0.0010")),
        (ZH, ("训练样本约达 420 条起", "多于最大规模的四倍", "平均相差 0.0200", "+0.0120 ± 0.0040",
              "测不出变化", "尚缺：s.rows-400-2")),
    ],
)  # fmt: skip
def test_the_page_has_a_section_for_the_curve(words, told):
    page = render_page(grown(), words)
    for text in told:
        assert text in page
    assert 'id="growth-table"' in page and 'href="#growth"' in page
    assert all(
        f'id="chart-{name}"' in page for name in ("growth", "growth-training", "growth-speed")
    )
    assert 'id="growth"' not in render_page(study(), words)
