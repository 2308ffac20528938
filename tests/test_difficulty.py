"""How hard rows are: judged by who has not learned from them, written down, trained on in parts."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from conftest import command_line, toy_rows, write_recipe, write_task
from report_studies import BERT, FAST, HEAD
from report_studies import study as drawn

from suite import api
from suite.config.task import load_task
from suite.contracts.alike import Alike
from suite.contracts.difficulty import Subset, TrainSubset
from suite.contracts.measured import Measured
from suite.contracts.predictions import TestPredictions
from suite.contracts.strategy import Rows
from suite.data import difficulty
from suite.data import load as data
from suite.data.difficulty import Difficulty, Judges
from suite.data.difficulty_begun import Kept
from suite.errors import DataError, StorageError
from suite.report.data.across import across_adapter
from suite.report.data.alike import alike_rows, alike_sentence
from suite.report.data.rows import leaderboard
from suite.report.data.subsets import part_sentences, part_tables
from suite.report.pages.across_export import across_files
from suite.report.pages.across_page import render_across
from suite.report.pages.page import render_page
from suite.report.words import words_of
from suite.study import judging
from suite.study.apart import ApartRun
from suite.verdict.alike import alike, losses, spearman

ARMS = ["tfidf/toy", "fasttext/toy"]


def wanted(part="hard", rows=12, by="perplexity"):
    return TrainSubset(by=by, part=part, rows=rows)


def judged(rows, names, hardness, by="perplexity"):
    """A file's content in which rows are as hard as is said."""
    columns = {"perplexity": np.exp(np.asarray(hardness)), "margin": -np.asarray(hardness)}
    hashes = [
        difficulty.row_hash(t, names[c]) for t, c in zip(rows.texts, rows.labels, strict=True)
    ]
    judges = Judges("toy", "here", len(rows), {by: ["m/zero_shot"]}, 1.0)
    return Difficulty(judges, hashes, list(rows.labels), columns)


def test_parts_are_thirds_within_each_class_of_one_size_and_class_mix_and_nested():
    labels = [0] * 60 + [1] * 30 + [2] * 9
    hardness = np.array([*range(60), *range(30), *range(9)], float)
    ambiguity = np.tile([0.0, 5.0, 1.0], 33)
    names = ["a", "b", "c"]
    found = {}
    for part in ("easy", "medium", "hard", "ambiguous", "random"):
        rows, told = difficulty.parted(labels, hardness, ambiguity, wanted(part, 22), names)
        found[part] = set(rows.tolist())
        mix = Counter(labels[row] for row in rows)
        assert mix == {0: 13, 1: 7, 2: 2} and not told, part
        smaller, _ = difficulty.parted(labels, hardness, ambiguity, wanted(part, 11), names)
        assert set(smaller.tolist()) <= found[part], part
    assert all(hardness[row] < {0: 20, 1: 10, 2: 3}[labels[row]] for row in found["easy"])
    assert all(hardness[row] >= {0: 40, 1: 20, 2: 6}[labels[row]] for row in found["hard"])
    assert not found["easy"] & found["hard"] and not found["medium"] & found["hard"]
    assert all(row % 3 == 1 for row in found["ambiguous"])
    every = [difficulty.parted(labels, hardness, ambiguity, wanted("random", n), names)[0]
             for n in range(3, 34)]  # fmt: skip
    assert [len(rows) for rows in every] == list(range(3, 34))
    assert all(len({labels[row] for row in rows}) == 3 for rows in every)


def test_a_class_of_few_rows_stays_in_every_part_and_that_is_said():
    labels = [0] * 12 + [1] * 2
    scores = np.arange(14.0)
    for part in ("easy", "hard", "ambiguous", "random"):
        rows, told = difficulty.parted(labels, scores, scores, wanted(part, 4), ["a", "rare"])
        assert Counter(labels[row] for row in rows)[1] == 1
    assert told == [
        "train_subset: of rare fewer than 3 rows were judged, and every part has one of them"
    ]
    assert "判定过的行不足 3 行" in words_of("zh").told(told[0])
    for rows, says in ((1000, "a third of the 14 that were judged is 5"), (2, None)):
        if says is None:
            assert len(difficulty.parted(labels, scores, scores, wanted("easy", 2), "ab")[0]) == 2
            continue
        with pytest.raises(DataError, match=says):
            difficulty.parted(labels, scores, scores, wanted("easy", rows), ["a", "rare"])
    with pytest.raises(DataError, match="fewer than the 3 classes"):
        difficulty.parted([0, 1, 2] * 4, scores[:12], scores[:12], wanted("easy", 2), "abc")


def test_what_a_model_expects_and_what_trainings_and_arms_say():
    found = judging.expected(
        np.array([[0.8, 0.2], [0.25, 0.75], [0.0, 0.0]], np.float32), [0, 0, 1]
    )
    assert found["perplexity"][:2] == pytest.approx([1.25, 4.0]) and found["perplexity"][2] > 1e8
    assert found["margin"] == pytest.approx([0.6, -0.5, -1.0])
    assert found["zero_shot_right"].tolist() == [1.0, 0.0, 0.0]
    course = [np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.7, 0.3], [0.1, 0.9]])]
    found = judging.cartography(course, [0, 0])
    assert found["confidence"] == pytest.approx([0.6, 0.5])
    assert found["variability"] == pytest.approx([0.1, 0.4])
    agreed = judging.agreement(np.array([[0.9, 0.2], [0.7, 0.8]]))
    assert agreed["agreement"] == pytest.approx([0.8, 0.5])
    assert agreed["disagreement"] == pytest.approx([0.1, 0.3])
    both = Difficulty(Judges("t", "s", 2, {}), ["x", "y"], [0, 0], {
        **agreed, **judging.expected(np.array([[0.9, 0.1], [0.4, 0.6]]), [0, 0]),
    })  # fmt: skip
    for by in ("perplexity", "zero_shot", "agreement"):
        assert both.hardness(by)[1] > both.hardness(by)[0], by
        assert both.ambiguity(by)[1] > both.ambiguity(by)[0], by


def test_a_file_comes_back_and_what_is_damaged_is_refused(tmp_path):
    rows = Rows(("one", "two", "\ud800half"), (0, 1, 0))
    found = judged(rows, ["a", "b"], [0.1, 2.0, 1.0])
    file = tmp_path / "deep" / "t.parquet"
    difficulty.write(file, found)
    back = difficulty.read(file)
    assert (back.hashes, back.labels, back.judges) == (found.hashes, found.labels, found.judges)
    assert back.columns["perplexity"] == pytest.approx(found.columns["perplexity"], rel=1e-6)
    assert len(set(back.hashes)) == 3 and {len(one) for one in back.hashes} == {32}
    assert difficulty.row_hash("one", "a") != difficulty.row_hash("one", "b")
    (tmp_path / "no.parquet").write_bytes(b"PAR1 not at all")
    with pytest.raises(DataError, match="not a Parquet file"):
        difficulty.read(tmp_path / "no.parquet")
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"text": ["x"]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="does not say how hard rows are"):
        difficulty.read(tmp_path / "other.parquet")
    with pytest.raises(DataError):
        difficulty.read(tmp_path / "gone.parquet")
    # Judgements of the same rows are kept together.
    more = Difficulty(replace(found.judges, by={"agreement": ["x", "y"]}), found.hashes,
                      found.labels, judging.agreement(np.ones((2, 3))))  # fmt: skip
    kept = judging.merged(found, more)
    assert list(kept.judges.by) == ["perplexity", "agreement"] and "perplexity" in kept.columns
    assert kept.judges.seconds == 2.0 and judging.merged(None, more) is more


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the toy task, whose rows are judged by how long their texts are."""
    folder = tmp_path_factory.mktemp("difficulty")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_task(folder)
        task = load_task("toy.yaml")
        loaded = data.load(task, folder / "toy.yaml")
        hard = [len(text) for text in loaded.train.texts]
        difficulty.write(
            folder / "studies" / "difficulty" / "toy.parquet",
            judged(loaded.train, task.label_names, np.array(hard) / 10),
        )
    return folder


@pytest.fixture
def there(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def recipe(folder, name="parts", **changes):
    return write_recipe(
        folder, name, arms=ARMS, trials=2, spaces={"*/toy": {"noise": 0.1}}, validation="holdout",
        train_subset={"by": "perplexity", "part": "random", "rows": 40}, **changes,
    )  # fmt: skip


def test_a_study_trains_on_a_part_and_goes_on_by_the_same_command(there):
    words = ("study", "create", "toy.yaml", "--recipe", recipe(there), "--train-subset", "hard:30",
             "--quiet")  # fmt: skip
    command_line(*words)
    found = api.load_results("toy-parts-hard-30", importance=False)
    assert found.data.subset == Subset("perplexity", "hard", 30, 150, ["m/zero_shot"])
    assert (found.data.rows.train, found.data.train_rows_of) == (30, 150)
    assert found.data.rows.validation == 50 and found.data.rows.test == 100
    from suite.data import snapshot
    from suite.study import artifacts, storage

    study, definition = storage.load(storage.open_storage(None), "toy-parts-hard-30")
    train = snapshot.read_split(artifacts.find(study, definition.data.fingerprint).data, "train")
    whole = data.load(load_task("toy.yaml"), there / "toy.yaml").train
    assert Counter(train.labels) == {0: 15, 1: 15}
    for label in (0, 1):
        lengths = sorted(
            len(t) for t, c in zip(whole.texts, whole.labels, strict=True) if c == label
        )
        own = [len(t) for t, c in zip(train.texts, train.labels, strict=True) if c == label]
        assert min(own) >= lengths[-len(lengths) // 3 - 1]
    # The same command goes on; so does the study by its name, though its file says random.
    assert "exists" not in command_line(*words).output
    command_line("study", "run", "toy-parts-hard-30", "--quiet")
    page = render_page(api.load_results("toy-parts-hard-30"), words_of("en"))
    assert "hard third by perplexity (m/zero_shot): 30 rows of 150 that were judged" in page
    assert [{one.a, one.b} for one in found.alike] == [set(ARMS)]
    assert 'id="alike"' in page


def test_what_no_part_can_be_made_of_is_refused(there, monkeypatch):
    def refused(*more, **changes):
        path = recipe(there, f"r{len(more)}{len(changes)}", **changes)
        result = command_line("study", "create", "toy.yaml", "--recipe", path, "--quiet",
                              "--no-run", "--name", "never", *more, code=2)  # fmt: skip
        return " ".join(result.output.split())

    assert "'herd' is no part" in refused("--train-subset", "herd")
    assert "hard:1000" in refused("--train-subset", "hard:many")
    assert "a third of the 150 that were judged is 50" in refused("--train-subset", "easy:51")
    assert "other splits train on others" in refused("--splits", "3")
    plain = write_recipe(there, "plain", arms=ARMS)
    result = command_line("study", "create", "toy.yaml", "--recipe", plain, "--train-subset",
                          "hard", "--name", "never", code=2)  # fmt: skip
    assert "'plain' has none" in result.output
    # Other rows than were judged: --train-rows takes fewer of them.
    said = refused("--train-rows", "100")
    assert "50 of 150 rows that were judged are not among the 100 to train on" in said
    by = write_recipe(there, "by", arms=ARMS,
                      train_subset={"by": "dynamics", "part": "hard", "rows": 9})  # fmt: skip
    result = command_line("study", "create", "toy.yaml", "--recipe", by, "--name", "never", code=2)
    assert "takes rows by dynamics; they were judged by perplexity" in result.output
    other = there / "data" / "other"
    other.mkdir(parents=True, exist_ok=True)
    for split, seed in (("train", 7), ("test", 8)):
        lines = "".join(json.dumps(row) + "\n" for row in toy_rows(200, seed))
        (other / f"{split}.jsonl").write_text(lines)
    assert "they were judged for other rows" in refused("--data", str(other))
    monkeypatch.setattr(difficulty.paths, "difficulty", lambda task: there / "gone.parquet")
    assert "nobody has judged them" in refused()


class Course:
    """A strategy that comes to know the labels of what it was trained on."""

    name = "course"

    def fit(self, run):
        known = dict(zip(run.train.texts, run.train.labels, strict=True))
        for step in (1, 2):
            run.checkpoint(_Knows(known, step / 2), step / 2)
        run.progress(1.0)
        return _Knows(known, 1.0)


class _Knows:
    def __init__(self, known, share):
        self.known, self.share = known, share

    def predict_proba(self, texts):
        found = np.full((len(texts), 2), 0.5, np.float32)
        for row, text in enumerate(texts):
            if text in self.known:
                found[row] = np.eye(2, dtype=np.float32)[self.known[text]]
        return found


def test_rows_are_judged_by_trainings_that_have_not_seen_them(there, monkeypatch):
    task = load_task("toy.yaml")
    loaded = data.load(task, there / "toy.yaml")
    parts = judging.left_out(task, loaded)
    assert sorted(np.concatenate(parts).tolist()) == list(range(150)) and len(parts) > 1
    seen = []
    monkeypatch.setattr(judging.strategies, "get", lambda name: Course())
    made = ApartRun.__init__
    monkeypatch.setattr(
        ApartRun, "__init__",
        lambda self, task, arm, recipe, train, asked, **own: (
            seen.append((set(train.texts), set(asked))),
            made(self, task, arm, recipe, train, asked, **own),
        )[1],
    )  # fmt: skip
    monkeypatch.setattr(judging, "_arm", lambda *own: stored())
    found = judging.judge(task, loaded, judging.Wanted(dynamics="tfidf/toy"))
    # Whoever had learned from them would be certain.
    assert set(found.columns["confidence"]) == {0.5} and found.judges.by == {
        "dynamics": ["tfidf/toy"]
    }
    assert all(not learnt & asked for learnt, asked in seen) and len(seen) == len(parts)


class Cut(Course):
    """Is ended by Ctrl-C at its third answer; the text's length tells what it says."""

    left = 2

    def __init__(self):
        self.asked = []

    def predict_proba(self, texts):
        if Cut.left == 0:
            raise KeyboardInterrupt
        Cut.left -= 1
        self.asked += texts
        share = np.array([len(text) for text in texts]) / 200
        return np.stack([share, 1 - share], axis=1).astype(np.float32)

    def fit(self, run):
        run.checkpoint(self, 0.5)
        run.checkpoint(self, 1.0)
        return self


@pytest.mark.parametrize("judge", [("--decoder", "m"), ("--dynamics", "m/toy")])
def test_a_judging_that_is_cut_short_goes_on_where_it_was(folder, monkeypatch, judge):
    write_task(folder)
    monkeypatch.setattr(judging, "_arm", lambda *own: stored())
    monkeypatch.setattr(judging.strategies, "scored_once", lambda *own: False)
    monkeypatch.setattr(judging, "AT_ONCE", 50)
    where = folder / "studies" / "difficulty"

    def run(calls, code=0, more=()):
        made = Cut()
        monkeypatch.setattr(judging.strategies, "get", lambda name: made)
        monkeypatch.setattr(Cut, "left", calls)
        said = command_line("data", "difficulty", "toy.yaml", *judge, *more, code=code).output
        return made.asked, " ".join(said.split())

    # Of a decoder two calls of 50; of five trainings, with two checkpoints each, one.
    _, said = run(2, 130)
    assert "Interrupted; what was finished is saved" in said
    (begun,) = where.glob("toy~begun-*.jsonl")
    known = {row for line in begun.read_text().splitlines() for row in json.loads(line)["rows"]}
    with begun.open("a") as opened:
        opened.write('{"rows": ["half')  # killed at once
    # What is asked otherwise begins anew, and leaves this.
    other, _ = run(2, 130, ("--train-rows", "140"))
    assert other and begun.exists()
    second, said = run(99)
    assert f"Going on: {len(known)} of 150 rows were judged before" in said
    assert not begun.exists() and len(set(second)) == 150 - len(known)
    found = difficulty.read(where / "toy.parquet")
    assert found.judges.seconds > 0
    (where / "toy.parquet").unlink()
    whole, said = run(99)
    assert len(set(whole)) == 150 and "Going on" not in said
    same = difficulty.read(where / "toy.parquet")
    assert found.hashes == same.hashes
    for name, values in same.columns.items():
        assert values.tolist() == found.columns[name].tolist()


@pytest.mark.parametrize(
    "line", ["[]", "7", '{"rows": ["x"]}', '{"rows": ["x"], "a": [NaN], "b": [1], "seconds": 0}',
             '{"rows": ["x", "y"], "a": [1], "b": [1], "seconds": 0}', "{",
             '{"rows": ["x"], "a": [1], "b": [1], "seconds": -1}',
             '{"rows": ["x"], "a": [1' + "0" * 400 + '], "b": [1], "seconds": 0}'],
)  # fmt: skip
def test_a_beginning_that_is_something_else_is_told(folder, line):
    kept = Kept("toy")
    with kept.judging(["w"], ["a", "b"]) as begun:
        begun.add(["x", "y"], {"a": np.array([1.0, np.nan]), "b": np.array([0.5, 0.5])})
        with pytest.raises(StorageError, match="another `suite data difficulty`"):
            Kept("toy").judging(["w"], ["a", "b"]).__enter__()
    (file,) = (folder / "studies" / "difficulty").iterdir()
    again = Kept("toy")
    with again.judging(["w"], ["a", "b"]) as begun:
        assert begun.lacking(["y", "x", "z"]) == [0, 2]
        assert begun.of(["x"])["b"].tolist() == [0.5]
    with file.open("a") as opened:
        opened.write(line + "\n")
    with pytest.raises(DataError, match="line 2"), kept.judging(["w"], ["a", "b"]):
        pass
    kept.over()
    assert not list(file.parent.iterdir())


def stored():
    from suite.contracts.model import Model
    from suite.study.definition import StoredArm

    return StoredArm(name="tfidf/toy", model=Model(name="tfidf", family="classic", builder="tfidf"),
                     strategy="toy", dimensions={}, known_good=[])  # fmt: skip


def test_the_command_judges_by_a_study_over_folds_and_keeps_what_was_known(there):
    folds = write_recipe(there, "folds", arms=ARMS, trials=2, validation="folds",
                         spaces={"*/toy": {"noise": 0.2}})  # fmt: skip
    command_line("study", "create", "toy.yaml", "--recipe", folds, "--name", "f", "--quiet")
    told = command_line("data", "difficulty", "toy.yaml", "--study", "f", "--out", "own.parquet")
    assert "agreement of arms" in told.stdout and "perplexity" in told.stdout
    assert "order the rows alike by" in told.stdout
    for file in ("studies/difficulty/toy.parquet", "own.parquet"):
        found = difficulty.read(there / file)
        assert found.judges.by == {"perplexity": ["m/zero_shot"], "agreement": ARMS}
        assert len(found.hashes) == 150 and set(found.columns) == {
            "perplexity", "margin", "agreement", "disagreement",
        }  # fmt: skip
    words = ("data", "difficulty", "toy.yaml", "--study", "f")
    said = json.loads(command_line(*words, "--json").stdout)
    assert said["rows"] == 150 and set(said["by"]) == {"perplexity", "agreement"}
    lines = [{"text": toy_rows(200, 1)[row]["text"], "given": "ham"} for row in range(40)]
    (there / "suspects.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = command_line(*words[:3], "--suspects", "suspects.jsonl").stdout
    assert "By agreement of arms, labels are suspected of" in told
    marked = (
        difficulty.read(there / "own.parquet"),
        difficulty.read(there / "studies" / "difficulty" / "toy.parquet"),
    )
    assert difficulty.SUSPECT not in marked[0].columns
    # Every second row of the file is spam, and a row of the other class is another row.
    suspects = marked[1].columns[difficulty.SUSPECT]
    assert 10 <= suspects.sum() <= 20
    told = command_line("--lang", "zh", *words).stdout
    assert "方案的一致" in told and "agreement of arms" not in told


def test_who_can_not_judge(there):
    def refused(*words):
        return " ".join(
            command_line("data", "difficulty", "toy.yaml", *words, code=2).output.split()
        )

    assert "nobody is named to judge" in refused()
    assert "scored once" in refused("--dynamics", "tfidf/classic")
    assert "is no decoder and can't answer a prompt" in refused("--decoder", "minilm")
    command_line("study", "create", "toy.yaml", "--recipe", recipe(there, "held"), "--name", "h",
                 "--quiet", "--train-subset", "random:30")  # fmt: skip
    assert "0 arms of 'h' answered training rows" in refused("--study", "h")


def test_losses_correlate_by_their_ranks():
    drawn_by = np.random.default_rng(0)
    one = drawn_by.random(400)
    same = spearman(one, one**3)
    assert (same.value, same.low, same.high) == pytest.approx((1.0, 1.0, 1.0))
    assert spearman(one, -one).value == pytest.approx(-1.0)
    from scipy.stats import spearmanr

    other = one + drawn_by.normal(0, 0.4, 400)
    found = spearman(one, other)
    assert found.value == pytest.approx(spearmanr(one, other).statistic)
    assert found.low < found.value < found.high and found.high - found.low < 0.2
    few = spearman(one[:5], other[:5])
    assert (few.low, few.high) == (-1.0, 1.0)
    flat = spearman(one, np.ones(400))
    assert (flat.value, flat.low, flat.high) == (0.0, -1.0, 1.0)
    shares = np.array([[0.5, 0.5], [0.0, 0.0]], np.float32)
    assert losses(shares, [0, 1]) == pytest.approx([np.log(2), -np.log(1.2e-7)])
    pairs = alike({"a": [one, other], "b": [other], "c": []})
    assert [(p.a, p.b) for p in pairs] == [("a", "a"), ("a", "b")]
    assert pairs[0].spearman == pairs[1].spearman


def test_interval_of_a_correlation_covers_what_it_should():
    drawn_by = np.random.default_rng(1)
    normal = drawn_by.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], (300, 200))
    truth = 6 / np.pi * np.arcsin(0.7 / 2)  # of Spearman's, for normal pairs
    covered = np.mean([
        (found := spearman(pairs[:, 0], pairs[:, 1])).low <= truth <= found.high for pairs in normal
    ])  # fmt: skip
    assert 0.91 <= covered <= 0.985


def test_the_page_says_hard_for_whom_in_both_languages():
    sft = "toy-qwen/sft"
    pairs = [
        Alike(HEAD, HEAD, Measured(0.91, 0.88, 0.93)),
        Alike(HEAD, FAST, Measured(0.42, 0.3, 0.53)),
        Alike(HEAD, BERT, Measured(0.61, 0.5, 0.7)),
        Alike(HEAD, sft, Measured(0.3, 0.2, 0.4)),  # no arm of the board
    ]
    results = drawn(alike=pairs)
    rows = alike_rows(results, leaderboard(results))
    assert [(row.a, row.b) for row in rows] == [(HEAD, BERT), (HEAD, FAST)]
    # Of an arm that was trained once nothing bounds what it has in common with itself.
    assert rows[0].most.value == pytest.approx(0.91**0.5)
    said = alike_sentence(rows, words_of("en"))
    assert said == (
        f"{HEAD} and {FAST}: 0.42 (0.30–0.53), of 0.95 at most: as much as two seeds of each of "
        "them have."
    )
    one_model = (replace(rows[0], a="m/sft", b="m/probe", most=None), *rows)
    assert alike_sentence(one_model, words_of("en")) == "m/sft and m/probe: 0.61 (0.50–0.70)."
    assert alike_sentence((), words_of("en")) == ""
    for language in ("en", "zh"):
        words = words_of(language)
        page = render_page(results, words)
        assert words("alike_intro").replace("'", "&#39;") in page and "0.30–0.53" in page
        assert 'id="alike"' not in render_page(drawn(), words)


def of_part(part, rows, right, name):
    """A study trained on a part, one arm of which is right on a share of 400 test rows."""
    labels = [row % 2 for row in range(400)]
    answers = [
        [c if np.random.default_rng([seed, row]).random() < right else 1 - c
         for row, c in enumerate(labels)]
        for seed in range(3)
    ]  # fmt: skip
    plain = drawn()
    finals = [replace(plain.finals[0], seeds=3, seed_scores=[right] * 3)]
    return drawn(
        study=name, finals=finals, comparisons=[],
        data=replace(plain.data, test_digest="d",
                     subset=Subset("perplexity", part, rows, 900, ["m/zero_shot"])),
        predictions=TestPredictions(labels, {FAST: answers}),
    )  # fmt: skip


def test_several_studies_say_which_rows_to_train_on():
    studies = [
        of_part("random", 300, 0.9, "r"), of_part("hard", 300, 0.6, "h"),
        of_part("easy", 300, 0.9, "e"), of_part("random", 100, 0.8, "s"),
    ]  # fmt: skip
    (table,) = part_tables(studies)
    assert table.parts == ("easy", "hard", "random") and table.of == 900
    small, large = table.rows
    assert (small.rows, small.parts[1]) == (100, None) and large.rows == 300
    easy, hard, control = large.parts
    assert control.difference is None and easy.difference.p > 0.5
    assert hard.difference.p < 0.01 and hard.difference.high < 0
    said, once = part_sentences(table, words_of("en"))
    assert said.startswith(f"{FAST} on 300 rows: hard third loses 0.") and "random rows" in said
    assert part_sentences(replace(table, rows=(small,)), words_of("en")) == [
        "No part differs from random rows by more than chance.", once,
    ]  # fmt: skip
    looked = replace(table, suspects={"hard": 0.142, "easy": 0.005})
    assert part_sentences(looked, words_of("en"))[-1] == (
        "Labels that are suspected to be wrong: easy third 0.5% and hard third 14.2%."
    )
    for language in ("en", "zh"):
        words = words_of(language)
        page = render_across(studies, [f"{s.study}.html" for s in studies], words)
        assert 'id="parts"' in page and words("difficulty_hard") in page
        files = dict(across_files(studies, words, ("json", "md")))
        assert across_adapter().validate_json(files["across.json"]).parts == (table,)
        assert part_sentences(table, words)[0] in files["across.md"]
        assert f'<a href="#parts">{words("parts")}</a>' in page
        assert 'id="parts"' not in render_across(studies[1:3], ["a", "b"], words)
