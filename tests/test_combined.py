"""Combinations as arms of the finals: made, ranked, kept, served, exported, and taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import command_line, write_recipe, write_task
from report_studies import EN
from test_serve import asked

from suite import strategies
from suite.contracts.deciding import Asked, Limit
from suite.contracts.results import StudyResults
from suite.contracts.speeds import BenchRow
from suite.contracts.strategy import TextLength
from suite.contracts.temperature import tempered
from suite.data import answered, snapshot
from suite.errors import ModelError, RecipeError, StudyError
from suite.models.catalogue import load_catalogue
from suite.report import formats
from suite.report.data.combined import combined_sentences
from suite.report.data.rows import leaderboard
from suite.report.words import Words
from suite.serving.engines import candidates, kept
from suite.serving.http.interface import Limits, Served
from suite.serving.http.model import open_served
from suite.serving.http.service import Service
from suite.strategies.combined.cascade import CascadePredictor
from suite.study import (
    artifacts,
    bench,
    bench_record,
    deciding,
    finals_speed,
    kept_record,
    record,
    storage,
    trainings_record,
)
from suite.study import combining as study_combining
from suite.study.arms import expand
from suite.study.ledger import Ledger
from suite.study.probabilities import Reader
from suite.study.winner import winner
from suite.verdict import combining
from suite.verdict.combining import Cascade, Chooser, Ensemble
from suite.verdict.deciding import applied

FAST, SURE = "fasttext/classic", "tfidf/classic"
CASCADE, ENSEMBLE = "combined/cascade", "combined/ensemble"
WEIGHTS = {SURE: 0.75, FAST: 0.25}
BOTH = {"seeds": 2, "share": None, "refit": True, "combine": True}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the study `t`, whose finals have a cascade and an ensemble that were chosen
    beforehand: which are, is a matter of `test_combining`."""
    folder = tmp_path_factory.mktemp("combined")
    write_task(folder)
    recipe = write_recipe(
        folder,
        arms=[FAST, SURE],
        trials=2,
        spaces={SURE: {"classifier": "logistic"}},
        finals=BOTH,
        validation="holdout",
    )

    def cascade(self, margin):
        """Half of the texts are passed on."""
        tops = self._answers[FAST].max(axis=1)
        return Cascade(FAST, SURE, float(np.median(tops)), 0.5, 0.9, 0.91, 3.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(Chooser, "cascade", cascade)
        patch.setattr(Chooser, "ensemble", lambda self: Ensemble(WEIGHTS, 0.92, 0.91))
        command_line(
            "study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--timeout", "5m"
        )
    return folder


@pytest.fixture
def study(place, monkeypatch):
    """In that folder."""
    monkeypatch.chdir(place)
    return place


def results() -> StudyResults:
    return Ledger(None, "t").results()


def threshold() -> float:
    """The cascade's."""
    found = next(final.combined for final in results().finals if final.arm == CASCADE)
    assert found is not None and found.threshold is not None
    return found.threshold


def of_tests(arm: str) -> list[np.ndarray]:
    """What the trainings of an arm answered to test, as it is kept."""
    study, definition = storage.load(storage.open_storage(None), "t")
    lies = artifacts.find(study, definition.data.fingerprint)
    shipped = kept_record.shipped(study.user_attrs, arm)
    found = trainings_record.stored(study, arm, trial=shipped.trial, refit=True)
    return [
        tempered(answered.read(lies.tested(arm, t.index), t.answered), t.temperature) for t in found
    ]


def test_they_stand_among_the_finals_as_arms(study):
    found = results()
    finals = {final.arm: final for final in found.finals}
    assert set(finals) == {FAST, SURE, CASCADE, ENSEMBLE}
    made = finals[CASCADE].combined
    assert [member.arm for member in made.members] == [FAST, SURE]
    assert (made.kind, made.chosen_on) == ("cascade", "validation") and 0.5 < made.threshold < 1
    # tfidf is deterministic: its one training stands for both of fastText's.
    assert (finals[SURE].seeds, finals[FAST].seeds, finals[CASCADE].seeds) == (1, 2, 2)
    assert finals[CASCADE].about_arm and finals[CASCADE].refit and not finals[CASCADE].deterministic
    assert finals[CASCADE].trial == finals[SURE].trial
    seconds = finals[SURE].seed_train_seconds * 2
    summed = [a + b for a, b in zip(seconds, finals[FAST].seed_train_seconds, strict=True)]
    assert finals[CASCADE].seed_train_seconds == pytest.approx(summed)
    assert {m.arm: m.weight for m in finals[ENSEMBLE].combined.members} == WEIGHTS
    assert finals[SURE].combined is None and finals[CASCADE].chosen_among is None
    pairs = {frozenset((c.a, c.b)) for c in found.comparisons}
    assert frozenset((CASCADE, SURE)) in pairs and len(pairs) == 6
    assert {a.arm: a.refused for a in found.arms if a.family == "combined"} == {
        CASCADE: None,
        ENSEMBLE: None,
    }
    assert StudyResults.from_json(found.to_json()).finals == found.finals
    assert {row.arm for row in leaderboard(found).rows} == set(finals)


def test_they_answer_test_as_their_members_of_one_training_do(study):
    found = Ledger(None, "t")
    told = {f.arm: f for f in found.results().finals}
    predictions = results_with_predictions().predictions.arms
    (sure,), fast = of_tests(SURE), of_tests(FAST)
    for index, own in enumerate(fast):
        together = combining.cascaded(own, sure, threshold())
        assert predictions[CASCADE][index] == together.argmax(axis=1).tolist()
        mean = combining.averaged([sure, own], [0.75, 0.25])
        assert predictions[ENSEMBLE][index] == mean.argmax(axis=1).tolist()
    share = np.mean([1 - combining.unsure(own, threshold()).mean() for own in fast])
    assert told[CASCADE].combined.answered_first == pytest.approx(float(share))
    labels = snapshot.read_split(found.artifacts.data, "test").labels
    right = np.mean(np.array(predictions[CASCADE]) == np.array(labels))
    assert told[CASCADE].test.accuracy == pytest.approx(float(right))


def results_with_predictions() -> StudyResults:
    ledger = Ledger(None, "t")
    return record.results(ledger.study, ledger.definition, predictions=True)


def test_what_is_kept_answers_as_its_members_do_and_takes_no_room(study):
    taken = winner("t", CASCADE)
    assert taken.made_by is None and [m.name for m in taken.models] == ["fasttext", "tfidf"]
    found = strategies.load_predictor(taken.folder, classes=2)
    assert isinstance(found, CascadePredictor)
    texts = snapshot.read_split(taken.snapshot, "test").texts
    fast, sure = (strategies.load_predictor(winner("t", arm).folder) for arm in (FAST, SURE))
    own, other = fast.predict_proba(texts), sure.predict_proba(texts)
    assert found.predict_proba(texts) == pytest.approx(combining.cascaded(own, other, threshold()))
    passed = combining.unsure(own, threshold())
    assert 0 < passed.sum() < len(texts)
    mean = strategies.load_predictor(winner("t", ENSEMBLE).folder).predict_proba(texts)
    assert mean == pytest.approx(combining.averaged([other, own], [0.75, 0.25]), abs=1e-6)
    arrays = "arrays.safetensors"
    linked = taken.folder / "members" / "1" / arrays
    assert linked.samefile(winner("t", SURE).folder / arrays)
    # The second is asked about no text that the first is sure of.
    asked: list[str] = []
    found.members[1] = SimpleNamespace(
        predict_proba=lambda some: (asked.extend(some), sure.predict_proba(some))[1]
    )
    found.predict_proba(texts)
    assert asked == [text for text, is_passed in zip(texts, passed, strict=True) if is_passed]


def test_a_cascade_that_is_always_sure_asks_nobody_else(study):
    taken = winner("t", CASCADE)
    fast = strategies.load_predictor(winner("t", FAST).folder)

    def refuse(texts):
        raise AssertionError(texts)

    silent = SimpleNamespace(
        predict_proba=refuse, batch=1, precision="float32", serving_shape="none"
    )
    found = CascadePredictor([fast, silent], taken.folder, 0.0, 2)
    assert found.predict_proba(["offer meeting"]).shape == (1, 2)


def test_engines_and_measurements_take_it_as_it_is_kept(study):
    folder = winner("t", CASCADE).folder
    assert (kept.look(folder).kind, kept.look(folder).precision) == ("python", "float32")
    offered = [(c.engine, c.precision) for c in candidates(folder) if c.refused is None]
    assert offered == [("python", "float32")]
    ledger = Ledger(None, "t")
    work = SimpleNamespace(ledger=ledger, keeping=_Keeping(ledger))
    planned = {p.arm: p for p in bench._plan(work, bench.Wanted(), bench._real(), print)}
    assert set(planned) == {FAST, SURE, CASCADE, ENSEMBLE}
    assert planned[CASCADE].made_of and not planned[SURE].made_of
    (only,) = bench._plan(work, bench.Wanted(arms=["combined/c*"]), bench._real(), print)
    assert only.arm == CASCADE


class _Keeping:
    """As much of a study's keeping as a plan needs."""

    def __init__(self, ledger):
        self._ledger = ledger

    def taken(self, arm):
        return kept_record.taken(self._ledger.study.user_attrs, arm)

    def here(self, arm, kept):
        return self._ledger.artifacts.kept_here(arm, kept)


def test_speeds_are_of_texts_that_no_member_has_learnt(monkeypatch):
    """A refitted model is surer of validation than of new texts, and its cascade the faster."""
    asked = []

    def window(folder, logs, **more):
        asked.append(more["split"])
        return finals_speed.Failed("not now")

    recipe = SimpleNamespace(measure=SimpleNamespace(seconds=3.0, endpoints=False))
    work = SimpleNamespace(
        ledger=SimpleNamespace(definition=SimpleNamespace(recipe=recipe), host="here"),
        keeping=SimpleNamespace(scratch=Path()),
        speeds=SimpleNamespace(window=window),
        observer=SimpleNamespace(said=lambda text: None),
        turns=SimpleNamespace(allowance=SimpleNamespace(left=0.0)),
    )
    models = load_catalogue()
    two = finals_speed.Served([models["tfidf"], models["fasttext"]], Path(), None)
    finals_speed.measure_all(work, {CASCADE: two}, "test")
    assert asked == ["test"]
    # One member behind a server, and nothing is put under load unasked.
    served = models["tfidf"].model_copy(update={"endpoint": "http://127.0.0.1:1/v1"})
    asks = finals_speed.Served([models["fasttext"], served], Path(), None)
    assert finals_speed.measure_all(work, {CASCADE: asks}, "test") == {CASCADE: None}
    assert asked == ["test"]


def test_an_exported_one_says_what_it_is_made_of_and_answers_alone(study, tmp_path):
    out = tmp_path / "out"
    command_line("export", "t", out, "--arm", CASCADE)
    page = (out / "README.md").read_text()
    assert "## Made of" in page and f"| {FAST} |" in page and "| the rest |" in page
    assert f"where its largest probability is at least {threshold():.4f}" in page
    assert "the sum of its members'" in page and "trial" not in page.split("## Made of")[0]
    text = "offer winner meeting 7"
    of_study = command_line("predict", "t", text, "--arm", CASCADE, "--json").stdout
    alone = command_line("predict", out, text, "--json").stdout
    label = json.loads(alone)
    assert json.loads(of_study)["predictions"] == label["predictions"]
    (damaged := out / "settings.json").write_text(
        damaged.read_text().replace('"threshold": 0', '"threshold": 1')
    )
    with pytest.raises(ModelError, match="threshold"):
        strategies.load_predictor(out)


def test_it_is_predicted_and_served_as_it_answered_in_the_finals_in_batches_and_singly(
    study, tmp_path
):
    taken = winner("t", CASCADE)
    texts = list(snapshot.read_split(taken.snapshot, "test").texts)
    answers = results_with_predictions().predictions.arms[CASCADE][0]
    known = [taken.labels[index] for index in answers]
    assert set(known) == {"ham", "spam"}
    told = json.loads(command_line("predict", "t", *texts, "--arm", CASCADE, "--json").stdout)
    assert [one["label"] for one in told["predictions"]] == known
    opened = open_served(
        taken.folder, engine=None, precision=None, classes=2, texts=["a"], scratch=tmp_path,
        validation=snapshot.read_split(taken.snapshot, "validation"),
    )  # fmt: skip
    assert opened.engine == "python" and opened.expected.shape[1] == 2
    service = Service(
        Served(opened.predictor.predict_proba, taken.labels, {"arm": CASCADE}), Limits()
    )
    service.state = "ready"
    together, *alone = asked(service, {"texts": texts}, *({"text": text} for text in texts[:20]))
    assert [one["label"] for one in together.json()["predictions"]] == known
    assert [one.json()["predictions"][0]["label"] for one in alone] == known[:20]
    # Which texts share a batch changes no probability by more than arithmetic does.
    singly = np.concatenate([opened.predictor.predict_proba([text]) for text in texts[:20]])
    assert opened.predictor.predict_proba(texts)[:20] == pytest.approx(singly, abs=1e-6)
    service.close()


def test_how_long_a_text_may_be_says_the_member_that_reads_least_of_it():
    def member(most, unit="token", per=1):
        length = TextLength(lambda texts: [len(text) * per for text in texts], most, unit)
        return SimpleNamespace(
            text_length=length, batch=1, precision="float32", serving_shape="x",
            predict_proba=lambda texts: np.zeros((len(texts), 2), np.float32),
        )  # fmt: skip

    def length(*members):
        return CascadePredictor(members, Path(), 0.5, 2).text_length

    assert length(member(None), member(None)).most is None
    found = length(member(None, "word"), member(8))
    assert (found.most, found.unit, found.of(["a" * 9])) == (8, "token", [9])
    # The second counts two a character, and reads 6 of them: three characters, not eight.
    found = length(member(8), member(6, "word", per=2))
    assert [length <= found.most for length in found.of(["abc", "abcd"])] == [True, False]


def test_figures_of_engines_are_of_what_it_is_made_of(study):
    """Another threshold is another speed, though trial and members are the same."""
    ledger = Ledger(None, "t")
    taken, made = winner("t", CASCADE), winner("t", CASCADE).combined
    row = BenchRow(
        arm=CASCADE, trial=taken.trial, engine="python", precision="float32", host=ledger.host,
        state="measured", refit=True, seconds=10.0, made_of=made.digest,
    )  # fmt: skip
    other = replace(made, threshold=made.threshold / 2).digest
    for digest, stale in ((made.digest, False), (other, True), ("", True)):
        bench_record.store(ledger.study, replace(row, made_of=digest))
        (found,) = Ledger(None, "t").results().bench
        assert found.stale is stale
    work = SimpleNamespace(ledger=ledger, keeping=_Keeping(ledger))
    (plan,) = bench._plan(work, bench.Wanted(arms=[CASCADE]), bench._real(), print)
    assert plan.made_of == made.digest
    assert bench._of_same_model(replace(row, made_of=made.digest), plan)
    assert not bench._of_same_model(replace(row, made_of=other), plan)
    ledger.study.set_user_attr(f"{bench_record.BENCH}{row.host}:{CASCADE}:python:float32", None)


def test_what_was_kept_by_finals_that_were_cut_short_is_nobodys(study, monkeypatch):
    """A kill while speeds are measured: the combination lies there, and no finals rank it."""
    found = results()
    bare = replace(found, finals=[one for one in found.finals if one.combined is None])
    monkeypatch.setattr(record, "results", lambda *study, **how: bare)
    ledger = Ledger(None, "t")
    work = SimpleNamespace(ledger=ledger, keeping=_Keeping(ledger))
    planned = {p.arm for p in bench._plan(work, bench.Wanted(), bench._real(), print)}
    assert planned == {FAST, SURE}
    with pytest.raises(StudyError, match="were not asked to combine arms") as told:
        bench._plan(work, bench.Wanted(arms=["combined/*"]), bench._real(), print)
    assert "suite finals t --combine" in told.value.fix
    with pytest.raises(StudyError, match="were not asked to combine arms"):
        winner("t", CASCADE)


def test_they_answer_alone_like_any_arm(study):
    found = {one.arm: one for one in deciding.decide("t", Asked(Limit(0.3, 0.6)))}
    assert list(found) == [FAST, SURE, CASCADE, ENSEMBLE]
    ledger = Ledger(None, "t")
    rows = snapshot.read_split(ledger.artifacts.data, "test")
    for arm in (CASCADE, ENSEMBLE):
        own = found[arm]
        assert own.ground == "estimated" and own.found.rows == 50 and own.found.answered
        taken = winner("t", arm)
        assert taken.decision == own
        # What is told of test is what the predictor that is shipped does there.
        shares = strategies.load_predictor(taken.folder).predict_proba(rows.texts)
        classes, decided = applied(own, shares, taken.labels)
        wrong = decided & (classes != np.array(rows.labels))
        assert (int(decided.sum()), int(wrong.sum())) == (own.test.answered, own.test.wrong)


def test_rows_that_chose_a_combination_certify_nothing_of_it(study, monkeypatch):
    ledger = Ledger(None, "t")
    made = next(f.combined for f in ledger.results().finals if f.arm == CASCADE)
    reader = Reader(ledger.study, ledger.definition, ledger.artifacts)
    left = Reader.left

    def aside(reader, arm):
        found = left(reader, arm)
        return replace(found, calibration=found.test)

    monkeypatch.setattr(Reader, "left", aside)
    assert len(reader.combined(made).calibration) == 1
    assert reader.combined(replace(made, chosen_on="calibration")).calibration == ()
    # A member that the search has found a better trial of is not what the combination was made of.
    other = replace(made, members=[replace(m, trial=m.trial + 1) for m in made.members])
    with pytest.raises(StudyError, match=f"no probabilities of {CASCADE} are kept"):
        reader.combined(other)
    # Where the recipe asks, they are left for certifying, and others choose.
    asked = SimpleNamespace(rows=SimpleNamespace(calibration=50))
    contestant = SimpleNamespace(
        name=FAST,
        trainings=[SimpleNamespace(index=0, calibrated="aside")],
        trial=SimpleNamespace(number=0),
    )
    known = []
    for certifies in (False, True):
        choosing = SimpleNamespace(
            _ledger=SimpleNamespace(
                artifacts=ledger.artifacts,
                definition=SimpleNamespace(data=asked),
                study=ledger.study,
            ),
            _certifies=certifies,
        )
        known.append(study_combining._Choosing._kept(choosing, contestant)[0])
    assert known == [ledger.artifacts.calibrated(FAST, 0), ledger.artifacts.validated(0)]


def test_a_combination_of_combinations_is_refused(study, tmp_path):
    outer = tmp_path / "outer"
    folder = winner("t", CASCADE).folder
    from suite.strategies.combined import members
    from suite.strategies.combined.ensemble import EnsembleSettings

    settings = EnsembleSettings(
        format="ensemble", classes=2, members=["a", "b"], weights=[0.5, 0.5]
    )
    members.write(outer, settings, [folder, folder])
    strategies.mark_predictor(outer, "ensemble")
    for look in (strategies.load_predictor, kept.look):
        with pytest.raises(ModelError, match="a combination of combinations"):
            look(outer)


def test_page_and_terminal_say_it_in_both_languages(study):
    found = results()
    made = {final.arm: final.combined for final in found.finals}
    share = made[CASCADE].answered_first
    said = " ".join(combined_sentences(found, EN))
    assert f"{CASCADE} asks {FAST} first and {SURE} where the largest probability" in said
    assert f"answers {formats.percent(share)}." in said
    shares = formats.percent(0.75), formats.percent(0.25)
    assert (
        f"{ENSEMBLE} is the weighted mean of {SURE} ({shares[0]}) and {FAST} ({shares[1]})" in said
    )
    assert "the sum of its members' times" in said
    chinese = " ".join(combined_sentences(found, Words("zh")))
    assert f"{CASCADE} 先问 {FAST}" in chinese and "加权平均" in chinese
    shown = command_line("study", "show", "t").stdout.replace("\n", " ")
    assert CASCADE in shown
    bare = replace(found, finals=[f for f in found.finals if f.combined is None])
    assert combined_sentences(bare, EN) == []


def test_no_arm_is_written_out_so():
    models = load_catalogue()
    for pattern in (CASCADE, "tfidf/cascade", "combined/ensemble"):
        with pytest.raises(RecipeError, match="can't be trained") as refused:
            expand(pattern, models)
        assert "finals: {combine: true}" in refused.value.fix
        assert "finals NAME --combine" in refused.value.fix
    assert not any("cascade" in arm or "ensemble" in arm for arm in expand("*/*", models))


def test_it_is_asked_under_a_strangers_hand_as_any_arm(study):
    command_line("stress", "t", "--rows", "30", "--arm", "combined/*", "--arm", FAST)
    found = {one.arm: one for one in results().stress}
    assert set(found) == {CASCADE, ENSEMBLE, FAST}
    # By the very models of the finals.
    assert [one.unsteady for one in found.values()] == [0.0] * 3
    shown = command_line("stress", "t", "--rows", "30", "--arm", CASCADE)
    assert "recorded with these rows: 1 arm" in shown.stderr and CASCADE in shown.stdout


def test_taken_back_and_asked_for_again(study):
    """Without speeds there is no cascade, and no ensemble of arms that err alike: why is said, and
    not looked for again. Last, as it changes the study."""
    before = winner("t", CASCADE).folder
    shown = command_line("finals", "t", "--no-combine", "--seeds", "2")
    assert CASCADE not in shown.stdout and not before.exists()
    none = command_line("predict", "t", "a text", "--arm", CASCADE, code=2).stderr
    assert "were not asked to combine arms" in none.replace("\n", " ")
    assert "suite finals t --combine" in none.replace("\n", " ")
    assert {f.arm for f in results().finals} == {FAST, SURE}
    assert all(arm.family != "combined" for arm in results().arms)
    again = command_line("finals", "t", "--seeds", "2")  # as its recipe has it
    assert f"{CASCADE}: none: a cascade needs two arms" in again.output
    refused = {arm.arm: arm.refused for arm in results().arms if arm.family == "combined"}
    none = command_line("predict", "t", "a text", "--arm", CASCADE, code=2).stderr
    assert f"has no '{CASCADE}': a cascade needs two arms whose speed" in none.replace("\n", " ")
    assert refused[CASCADE] == "a cascade needs two arms whose speed was measured"
    assert refused[ENSEMBLE] is None or "on rows" in refused[ENSEMBLE]
    assert {f.arm for f in results().finals} >= {FAST, SURE}
    zh = Words("zh")
    assert zh.told(refused[CASCADE]) == "级联至少需要两个测量过速度的方案"
    assert "Nothing is missing" in command_line("finals", "t", "--seeds", "2").output
