"""Temperatures, and the calibration error that is believed since a simulation agrees."""

import json
import os

import numpy as np
import pytest

from suite import strategies
from suite.contracts.temperature import COLDEST, HOTTEST, LEAST, tempered
from suite.errors import ModelError
from suite.strategies import calibrated, mark
from suite.strategies.mark import CALIBRATION, Mark
from suite.verdict import calibration


def drawn(rows, classes=3, sharper=1.0, seed=0, spread=2.0):
    """Probabilities, and labels that they are true of once their temperature is `sharper`."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(rows, classes)) * spread
    true = np.exp(scores)
    true /= true.sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) > random.random((rows, 1))).argmax(axis=1)
    own = np.exp(scores * sharper)
    return (own / own.sum(axis=1, keepdims=True)).astype(np.float32), labels.tolist()


# ---------------------------------------------------------------- the temperature


@pytest.mark.parametrize("sharper", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_drawn_is_found(sharper):
    found = [calibration.fit(*drawn(2000, sharper=sharper, seed=seed)) for seed in range(8)]
    assert np.mean(found) == pytest.approx(sharper, rel=0.04)


def test_one_that_does_no_good_is_not_kept():
    # A model whose probabilities are true needs none: what is fitted is chance, and does harm in
    # cross-fitting about as often as not; one that is too sure is always mended.
    kept = [calibration.cross_fitted(*drawn(300, seed=seed)) for seed in range(40)]
    assert 8 <= sum(temperature is None for temperature, _ in kept) <= 36
    assert all((temperature is None) == (gain <= 0) for temperature, gain in kept)
    for seed in range(10):
        temperature, gain = calibration.cross_fitted(*drawn(300, sharper=3.0, seed=seed))
        assert temperature == pytest.approx(3.0, rel=0.35) and gain > 0.1


def test_a_set_without_an_error_asks_for_no_certainty():
    shares = np.tile(np.array([[0.7, 0.2, 0.1]], np.float32), (50, 1))
    temperature = calibration.fit(shares, [0] * 50)
    assert COLDEST < temperature < 1
    assert 0.95 < tempered(shares, temperature).max() < 0.9999
    assert calibration.fit(np.zeros((4, 3), np.float32), [0] * 4) is None
    assert calibration.cross_fitted(np.zeros((4, 3), np.float32), [0] * 4) == (None, 0.0)
    # One class is all there is of the labels; and a row alone.
    assert calibration.cross_fitted(shares[:1], [0])[0] in (None, pytest.approx(1, abs=1))


def test_what_gives_one_class_everything_is_taken_down_too():
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 400)
    said = np.where(random.random(400) < 0.8, labels, (labels + 1) % 4)
    shares = np.eye(4, dtype=np.float32)[said]
    temperature, gain = calibration.cross_fitted(shares, labels.tolist())
    confidence = tempered(shares, temperature).max(axis=1)
    assert confidence == pytest.approx(0.8, abs=0.04) and gain > 1
    assert HOTTEST > temperature > 1


def test_tempering_keeps_the_likeliest_class_and_rows_without_an_answer():
    shares, _ = drawn(500, classes=7, seed=3)
    shares[5] = 0
    for temperature in (0.3, 1.0, 4.0):
        now = tempered(shares, temperature)
        assert now.dtype == np.float32 and not now[5].any()
        assert (now.argmax(axis=1) == shares.argmax(axis=1)).all()
        given = np.delete(now, 5, axis=0)
        assert np.abs(given.sum(axis=1) - 1).max() < 1e-6
    assert (
        np.abs(tempered(shares, 1.0) - np.where(shares > 0, np.maximum(shares, LEAST), 0)).max()
        < 1e-6
    )
    assert tempered(shares, None) is shares and tempered(shares[:0], 2.0).shape == (0, 7)


def test_what_is_nearly_equal_is_answered_alike_at_every_temperature():
    low = np.float32(0.5)
    shares = np.array([[low, np.nextafter(low, np.float32(1))], [0.25, 0.75]], np.float32)
    for temperature in (COLDEST, 1.5, HOTTEST):
        now = tempered(shares, temperature)
        assert now.argmax(axis=1).tolist() == [1, 1]
        assert now.sum(axis=1) == pytest.approx([1, 1], abs=1e-6)


# ---------------------------------------------------------------- its error


def plain(confidence, right):
    """The calibration error over the same bins, its bias left in."""
    return sum(
        len(rows) / len(confidence) * abs(confidence[rows].mean() - right[rows].mean())
        for rows in calibration._bins(confidence)
    )


@pytest.mark.parametrize(
    ("off", "rows"),
    [
        (lambda sure: 0 * sure, 600),  # calibrated
        (lambda sure: 0 * sure, 3000),
        (lambda sure: 0.05 + 0 * sure, 1000),  # everywhere too sure
        (lambda sure: 0.1 * (sure > 0.8), 1000),  # where it is sure alone
        (lambda sure: 0.3 * (sure - 0.7), 2000),  # too sure at one end, too shy at the other
    ],
)
def test_the_error_is_the_true_one_on_average(off, rows):
    random = np.random.default_rng(1)
    found, biased, truth = [], [], []
    for _ in range(150):
        sure = random.uniform(0.4, 0.98, rows)
        right = random.random(rows) < sure - off(sure)
        found.append(calibration.calibration_error(sure, right))
        biased.append(plain(sure, right))
        truth.append(np.abs(off(sure)).mean())
    in_bin = np.sqrt(0.2 / (rows / calibration.BINS))  # a bin's standard error
    assert np.mean(found) == pytest.approx(np.mean(truth), abs=0.4 * in_bin)
    assert abs(np.mean(found) - np.mean(truth)) < abs(np.mean(biased) - np.mean(truth))


def test_a_temperature_lowers_every_score_of_what_was_too_sure():
    shares, labels = drawn(4000, sharper=3.0, seed=2)
    found = calibration.scores(shares, labels)
    now = calibration.scores(tempered(shares, calibration.fit(shares, labels)), labels)
    assert found.ece > 0.1 > 0.02 > now.ece
    assert (now.brier, now.log_loss) < (found.brier, found.log_loss)
    assert [one.rows for one in now.bins] == [267] * 10 + [266] * 5
    assert all(np.diff([one.confidence for one in now.bins]) > 0)
    silent = calibration.scores(np.zeros((30, 3), np.float32), [0] * 30)
    assert silent.ece is None and silent.bins == [] and silent.log_loss == pytest.approx(np.log(3))


# ---------------------------------------------------------------- beside a predictor


class Fixed:
    """Answers every text alike."""

    serving_shape, precision, batch, classes = "fixed", "float32", 8, 2

    def predict_proba(self, texts):
        return np.tile(np.array([[0.9, 0.1]], np.float32), (len(texts), 1))

    def save(self, folder):
        (folder / "fixed").touch()


def test_a_predictor_answers_at_the_temperature_beside_it(tmp_path):
    calibrated.keep_temperature(tmp_path, 2.0)
    found = calibrated.with_temperature(Fixed(), tmp_path)
    assert found.predict_proba(["a"])[0] == pytest.approx([0.75, 0.25])
    assert (found.classes, found.batch) == (2, 8) and calibrated.own_of(found).batch == 8
    found.save(tmp_path)
    assert (tmp_path / "fixed").exists() and calibrated.temperature_of(tmp_path) == 2.0
    calibrated.keep_temperature(tmp_path, None)
    assert isinstance(calibrated.with_temperature(Fixed(), tmp_path), Fixed)


@pytest.mark.parametrize("said", ["0", "1e9", "NaN", '"2"', "-1", "null"])
def test_what_is_no_temperature_is_refused(tmp_path, said):
    (tmp_path / CALIBRATION).write_text(f'{{"temperature": {said}}}')
    with pytest.raises(ModelError):
        calibrated.with_temperature(Fixed(), tmp_path)


def test_a_temperature_that_was_changed_or_taken_away_is_refused(tmp_path):
    mark.write(tmp_path, Mark(strategy="toy"))
    beside = tmp_path / "linked"
    os.link(tmp_path / mark.MARK, beside)
    calibrated.keep_temperature(tmp_path, 2.0)
    assert calibrated.temperature_of(tmp_path) == 2.0
    # A combination's folder may hold a link to the mark: that one stays what it was.
    assert json.loads(beside.read_text()) == {"strategy": "toy"}
    file = tmp_path / CALIBRATION
    whole = file.read_text()
    file.write_text('{"temperature": 3.0}')
    with pytest.raises(ModelError, match="not the one that was kept"):
        calibrated.temperature_of(tmp_path)
    file.unlink()
    with pytest.raises(ModelError, match="not the one that was kept"):
        calibrated.temperature_of(tmp_path)
    file.write_text(whole)
    calibrated.keep_temperature(tmp_path, None)
    assert calibrated.temperature_of(tmp_path) is None and mark.read(tmp_path).strategy == "toy"
    # Of a folder from before there were hashes nothing is known.
    file.write_text('{"temperature": 3.0}')
    assert calibrated.temperature_of(tmp_path) == 3.0
    strategies.mark_predictor(tmp_path, "toy")
    file.write_text(whole)
    with pytest.raises(ModelError, match="not the one that was kept"):
        calibrated.temperature_of(tmp_path)
