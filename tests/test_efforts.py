"""What a trial takes follows its point, and not the first point alone."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from suite import strategies
from suite.config.recipe import Recipe
from suite.config.task import find_task
from suite.contracts.space import Choice, Fixed, Int
from suite.models.catalogue import load_catalogue
from suite.strategies.classic import knobs
from suite.study import arms, efforts, estimates, preflight, search
from suite.study.definition import StoredArm
from suite.study.preflight import Estimate
from suite.study.record import OWNER

CATALOGUE, AGNEWS = load_catalogue(), find_task("agnews")[0]
#: What costs more when it is raised; and what costs less.
MORE = {
    "tfidf/classic": ("ngrams", "C"),
    "fasttext/classic": ("dim", "ngrams", "subwords"),
    "textcnn/classic": ("dim", "filters", "widths"),
    "bert-base-cased/linear_head": (),
    "qwen3-0.6b/zero_shot": ("shots",),
}
LESS = {
    "tfidf/classic": ("min_df",),
    "textcnn/classic": ("batch",),
    "bert-base-cased/linear_head": ("freeze",),
}
#: By the least, not by the alphabet.
ORDERS = {
    "ngrams": ["word-1-1", "word-1-2", "word-1-3", "word-1-2+char_wb-2-4", "char_wb-2-5"],
    "widths": ["2-3", "2-3-4", "3-4-5", "2-3-4-5"],
}


def stored(name, **budget):
    recipe = Recipe(name="r", arms=[name], **budget)
    [planned] = arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda model: None, rows=24_000)
    return StoredArm.of(planned)


ARMS = {name: stored(name) for name in MORE}


def at_two_values(arm, key, drawn):
    """A point of the space, and the same with a lesser and a greater value of one dimension."""
    point = {}
    for name, dimension in arm.space.dimensions.items():
        point[name] = drawn.draw(values(dimension), label=name)
    order = ORDERS.get(key) if isinstance(point[key], str) else None
    pair = sorted(
        (drawn.draw(values(arm.space.dimensions[key])) for _ in "ab"),
        key=lambda value: order.index(value) if order else value,
    )
    return [point | {key: value} for value in pair]


def values(dimension):
    match dimension:
        case Fixed(value=value):
            return draw.just(value)
        case Choice(options=options):
            return draw.sampled_from(options)
        case Int(low=low, high=high):
            return draw.integers(low, high)
        case _:
            return draw.floats(dimension.low, dimension.high)


@settings(max_examples=60, deadline=None)
@given(drawn=draw.data())
def test_what_costs_more_is_reckoned_to_cost_no_less(drawn):
    name = drawn.draw(draw.sampled_from(sorted(ARMS)))
    arm = ARMS[name]
    key = drawn.draw(draw.sampled_from([*MORE[name], *LESS.get(name, ())]))
    lesser, greater = (efforts.at(arm, p) for p in at_two_values(arm, key, drawn))
    assert min(lesser, greater) > 0
    assert lesser <= greater if key in MORE[name] else lesser >= greater


def test_the_dearest_point_is_foretold_by_the_one_that_was_timed():
    # Measured on 800 rows: 1.42 s at the known-good point, 3.2 s at dim 256 and 128 filters.
    arm = ARMS["textcnn/classic"]
    first = efforts.typical(arm)
    ratio = efforts.at(arm, first | {"dim": 256, "filters": 128}) / efforts.timed(arm)
    assert 1.8 < ratio < 2.8
    assert efforts.most(arm) > 1.8 * efforts.timed(arm)
    frozen = ARMS["bert-base-cased/linear_head"]
    assert efforts.at(frozen, {"freeze": 0.75}) == pytest.approx(efforts.timed(frozen) / 2)
    # Measured with one example of each of four classes: .5 s a text where all share them, and 1.8 s
    # where each text has its own.
    asked = ARMS["qwen3-0.6b/zero_shot"]
    assert efforts.at(asked, {"shots": 1, "selection": "drawn"}) == efforts.timed(asked)
    own = efforts.at(asked, {"shots": 1, "selection": "nearest"}) / efforts.timed(asked)
    assert own == pytest.approx(1.8 / 0.5)


def test_a_strategy_that_says_nothing_has_points_that_are_all_alike():
    arm = stored("minilm/probe")
    assert {efforts.at(arm, {"C": c}) for c in (0.1, 1, 100)} == {1.0}
    assert efforts.most(arm) == efforts.timed(arm) == efforts.ahead(arm, []) == 1.0


def done(arm, seconds, params, **attributes):
    """A finished trial of an arm."""
    searched = {k: v for k, v in params.items() if k in search.distributions(arm)}
    made = create_trial(
        state=TrialState.COMPLETE,
        value=0.5,
        params={"arm": arm.name} | {f"{arm.name}:{k}": v for k, v in searched.items()},
        distributions={"arm": CategoricalDistribution([arm.name])}
        | {f"{arm.name}:{k}": d for k, d in search.distributions(arm).items()},
        user_attrs={OWNER: {"host": "here"}} | attributes,
    )
    begun = datetime(2026, 1, 1)
    made.datetime_start, made.datetime_complete = begun, begun + timedelta(seconds=seconds)
    return made


def test_what_comes_next_is_reckoned_at_its_own_point():
    arm = ARMS["fasttext/classic"]
    named = {arm.name: arm}
    first, second = (efforts.typical(arm, index) for index in (0, 1))
    assert efforts.ahead(arm, []) == efforts.at(arm, first)
    small = done(arm, 10.0, first, **{search.KNOWN_GOOD: f"{arm.name}#0"})
    assert efforts.ahead(arm, [small]) == efforts.at(arm, second)
    both = [small, done(arm, 10.0, second, **{search.KNOWN_GOOD: f"{arm.name}#1"})]
    drawn = efforts.ahead(arm, both)
    assert efforts.at(arm, first) < drawn < efforts.most(arm)
    # Ten seconds at a small point and forty at a dear one of four times the work are alike.
    dear = first | {"dim": 64, "ngrams": 3, "subwords": True}
    times = efforts.at(arm, dear) / efforts.at(arm, first)
    assert times > 3
    found = estimates.taken([small, done(arm, 10.0 * times, dear)], "here", named)[arm.name]
    assert (
        found.mean == pytest.approx(found.longest) == pytest.approx(10.0 / efforts.at(arm, first))
    )
    # The preflight's figure is of the first point.
    by_preflight = estimates.timed({estimates.ESTIMATES: {arm.name: 10.0}}, named)
    assert by_preflight[arm.name] == pytest.approx(found.mean)


def foretold(arm, tmp_path, train_seconds, circumstances=lambda params: {}, whole=False):
    """What a preflight says that a trial of 24,000 rows takes, where so many rows take so long; the
    whole of what it says where that is wanted."""

    def train(job, max_seconds):
        noted = circumstances(job.params | {"rows": job.rows})
        return SimpleNamespace(
            train_seconds=train_seconds(job.rows) + noted.get("near_seconds", 0.0),
            evaluation_seconds=0.0, evaluated=1, evaluated_seconds=0.0, again_seconds=0.0,
            circumstances=noted,
        )  # fmt: skip

    recipe = Recipe(name="r", arms=[arm.name], budget={"epochs": 2})
    rows = SimpleNamespace(train=24_000, validation=100)
    work = SimpleNamespace(
        ledger=SimpleNamespace(
            definition=SimpleNamespace(recipe=recipe, data=SimpleNamespace(rows=rows))
        ),
        jobs=SimpleNamespace(
            job=lambda arm, params, *asked, preflight_rows, **more: SimpleNamespace(
                rows=preflight_rows, params=params
            ),
            pace=lambda arm, params: None,
        ),
        runner=SimpleNamespace(train=train),
        keeping=SimpleNamespace(scratch=tmp_path),
    )
    found = preflight.estimate(work, arm)
    return found if whole else found.seconds


def test_a_preflight_knows_that_few_rows_get_more_passes(tmp_path):
    # A line takes 10 µs. Of 32 and 160 rows there are 200 passes, of 24,000 ten.
    found = foretold(
        ARMS["fasttext/classic"], tmp_path, lambda n: 1e-5 * n * knobs.fasttext_passes(n, 1.0)
    )
    assert found == pytest.approx(2.4, abs=0.3)


def test_a_preflight_knows_that_a_calibration_reads_few_of_many_rows(tmp_path):
    # A text takes a second.
    found = foretold(ARMS["qwen3-0.6b/zero_shot"], tmp_path, lambda n: float(min(n, 128)))
    assert found == pytest.approx(128, abs=0.3)


@pytest.mark.parametrize("near", ["minilm", ["tfidf", "minilm"]])
def test_a_preflight_reckons_what_a_companion_embeds_by_the_rows(tmp_path, near):
    asked = {"shots": 2, "selection": "nearest", "near": near}
    arm = stored("qwen3-0.6b/zero_shot", spaces={"*/zero_shot": asked})
    assert set(arm.companions) == {"minilm"}

    def circumstances(params):
        return {"near_seconds": 0.5 * params["rows"]} if params["near"] == "minilm" else {}

    # A calibration reads a text in a second, 128 of them; minilm embeds two rows in one.
    found = foretold(arm, tmp_path, lambda n: float(min(n, 128)), circumstances, whole=True)
    embedded = 0.5 * 24_000
    if near == "minilm":
        assert found.seconds == pytest.approx(128 + embedded, rel=0.01)
    else:  # The point that is timed has TF-IDF.
        assert found.seconds == pytest.approx(128, abs=0.3)
        assert found.most == pytest.approx(found.seconds + embedded, rel=0.01)


def test_what_is_told_says_how_much_other_points_take():
    def told(seconds, most):
        return Estimate("a/b", seconds, most=most).told(lambda each: f"{each:.0f} s")

    assert told(10.0, 14.0) == "a/b: a trial takes about 10 s"
    assert told(10.0, 90.0) == (
        "a/b: a trial takes about 10 s, and up to 90 s at other hyperparameters"
    )


def test_known_good_points_follow_the_rows():
    few, many = (
        strategies.space("classic", CATALOGUE["fasttext"], AGNEWS, rows).known_good
        for rows in (500, 24_000)
    )
    assert [point["dropout"] for point in few] == [0.5, 0.7]
    assert [point["dropout"] for point in many] == [0.3, 0.5]
    unknown = strategies.space("classic", CATALOGUE["fasttext"], AGNEWS).known_good
    assert unknown == many
    other = strategies.get("classic").space(CATALOGUE["tfidf"], AGNEWS)
    assert strategies.space("classic", CATALOGUE["tfidf"], AGNEWS, 500) == other
