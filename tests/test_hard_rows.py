"""Parts of rows by how hard they are, held to what is claimed of them: nested whatever the classes,
drawn several times, learned from alone; and files of difficulty that are damaged, or of others."""

import json
import re
import shlex
import shutil
from dataclasses import replace

import numpy as np
import pytest
from conftest import command_line, files_of, write_recipe, write_task
from report_studies import FAST, HEAD
from report_studies import study as drawn
from test_difficulty import ARMS, Course, judged, stored, wanted

from suite import api
from suite.config.recipe import Recipe, find_recipe
from suite.config.task import load_task
from suite.contracts.alike import Alike
from suite.contracts.difficulty import Subset, TrainSubset
from suite.contracts.measured import Measured
from suite.contracts.predictions import TestPredictions
from suite.contracts.strategy import Rows
from suite.contracts.task import Calibration
from suite.data import difficulty
from suite.data import load as data
from suite.errors import DataError, StudyError, UsageError
from suite.report.data.alike import alike_rows
from suite.report.data.rows import leaderboard
from suite.report.data.subsets import part_sentences, part_tables, subset_told
from suite.report.pages.across_page import render_across
from suite.report.words import words_of
from suite.study import judging, subsetting
from suite.study.pace import paced
from suite.verdict.alike import spearman


def test_a_larger_part_holds_the_smaller_whatever_sizes_classes_have():
    # By the largest remainder a class may have fewer of more rows: here of 11 than of 10.
    by = np.random.default_rng(0)
    many = [[18, 18, 6], [60, 30, 9], [3, 3, 300], [1, 2, 50, 7]]
    many += [by.integers(1, 40, by.integers(2, 7)).tolist() for _ in range(40)]
    for sizes in many:
        labels = by.permutation(np.repeat(range(len(sizes)), sizes)).tolist()
        hard, near = by.random(len(labels)), by.random(len(labels))
        most = sum(max(1, size // 3) for size in sizes)
        for part in ("hard", "random"):
            before: set[int] = set()
            for rows in range(len(sizes), most + 1):
                if rows < 2:
                    continue
                found, _ = difficulty.parted(
                    labels, hard, near, wanted(part, rows), [*map(str, range(9))]
                )
                now = set(found.tolist())
                assert len(now) == rows and before <= now, (sizes, part, rows)
                before = now


def test_no_byte_that_changes_gives_other_judgements(tmp_path):
    rows = Rows(tuple(f"text {n}" for n in range(120)), tuple(n % 3 for n in range(120)))
    found = judged(rows, ["a", "b", "c"], np.random.default_rng(0).random(120))
    file = tmp_path / "t.parquet"
    difficulty.write(file, found)
    whole, there = file.read_bytes(), difficulty.read(file)
    refused = 0
    for place in range(0, len(whole), 11):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        file.write_bytes(bytes(changed))
        try:
            now = difficulty.read(file)
        except DataError:
            refused += 1
            continue
        assert now.hashes == there.hashes and now.labels == there.labels, place
        assert all((now.columns[name] == there.columns[name]).all() for name in there.columns)
    assert refused > len(whole) / 11 / 2
    for end in range(0, len(whole), 97):
        file.write_bytes(whole[:end])
        with pytest.raises(DataError):
            difficulty.read(file)


@pytest.mark.parametrize(
    "head", [b"[1]", b'"words"', b"7", b"[" * 100_000, b"not", b'{"format": "difficulty 1"}',
             b'{"format": "difficulty 2"}', b"\xff"],
)  # fmt: skip
def test_what_says_no_judges_is_no_difficulty(tmp_path, head):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"row": ["x"], "label": pyarrow.array([0], pyarrow.int32())})
    table = table.replace_schema_metadata({b"suite.difficulty": head})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError) as refused:
        difficulty.read(tmp_path / "t.parquet")
    assert "Remove it" in refused.value.fix


def test_columns_that_were_not_written_so_are_refused(tmp_path):
    import pyarrow
    import pyarrow.parquet

    rows = Rows(("one", "two", "three"), (0, 1, 0))
    file = tmp_path / "t.parquet"
    difficulty.write(file, judged(rows, ["a", "b"], [0.1, 0.2, 0.3]))
    good = pyarrow.parquet.read_table(file)
    at = good.column_names.index("margin")
    holed = pyarrow.array([0.1, None, 0.3], pyarrow.float32())
    for bad in (
        good.drop_columns(["margin"]),
        good.set_column(at, "margin", pyarrow.array(["a", "b", "c"])),
        good.set_column(at, "margin", holed),
        good.set_column(at, "margin", pyarrow.array([0.1, np.nan, 0.3], pyarrow.float32())),
        good.slice(0, 2),
        pyarrow.concat_tables([good, good]),
        good.append_column("row", good["row"]),
    ):
        pyarrow.parquet.write_table(bad, file)
        with pytest.raises(DataError, match=r"damaged|not a Parquet"):
            difficulty.read(file)


@pytest.fixture
def place(folder):
    """A folder with the toy task, whose rows are judged by how long their texts are."""
    write_task(folder)
    task = load_task("toy.yaml")
    train = data.load(task, folder / "toy.yaml").train
    hard = np.array([len(text) for text in train.texts]) / 10
    file = folder / "studies" / "difficulty" / "toy.parquet"
    difficulty.write(file, judged(train, task.label_names, hard))
    return folder


def test_judgements_that_are_no_numbers_are_refused_before_anything_is_written(place, monkeypatch):
    file = place / "studies" / "difficulty" / "toy.parquet"
    before = file.read_bytes()

    class Broken:
        name = "broken"

        def fit(self, run):
            return self

        def predict_proba(self, texts):
            found = np.full((len(texts), 2), 0.5, np.float32)
            found[:: 2 if len(texts) > 40 else 1] = np.nan  # of 64, 64 and 22
            return found

    monkeypatch.setattr(judging.strategies, "get", lambda name: Broken())
    monkeypatch.setattr(judging, "_arm", lambda *own: stored())
    said = command_line("data", "difficulty", "toy.yaml", "--decoder", "m", code=2).output
    assert "86 rows is no number: nothing is written" in " ".join(said.split())
    assert file.read_bytes() == before


def test_what_is_known_of_other_rows_is_not_written_over(place, monkeypatch):
    file = place / "studies" / "difficulty" / "toy.parquet"
    before = file.read_bytes()
    asked = []
    monkeypatch.setattr(judging, "judge", lambda *own, **more: asked.append(own))
    words = ("data", "difficulty", "toy.yaml", "--dynamics", "minilm/linear_head")
    said = " ".join(command_line(*words, "--train-rows", "100", code=2).output.split())
    assert "150 rows are judged there by perplexity, of which 100 are among these 100" in said
    assert "move the file away" in said and not asked
    assert file.read_bytes() == before
    # Nor is what can't be read.
    file.write_bytes(before[: len(before) // 2])
    assert "Remove it" in command_line(*words, code=2).output
    assert file.read_bytes() == before[: len(before) // 2] and not asked


def test_suspects_of_other_rows_mark_nothing(place):
    rows = data.load(load_task("toy.yaml"), place / "toy.yaml").train
    names = ["ham", "spam"]
    own = [{"text": rows.texts[row], "given": names[rows.labels[row]]} for row in range(9)]
    strange = [{"text": "nowhere", "given": "ham"}] * 3

    def marked(lines, code=0):
        file = place / "suspects.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        words = ("data", "difficulty", "toy.yaml", "--suspects", str(file), "--json")
        return command_line(*words, code=code).output

    said = " ".join(marked(strange, code=2).split())
    assert "none of its 3 rows is among these 300, with the class" in said
    assert (
        difficulty.SUSPECT
        not in difficulty.read(place / "studies" / "difficulty" / "toy.parquet").columns
    )
    thirds = json.loads(marked(own + strange))["suspects"]["perplexity"]
    found = difficulty.read(place / "studies" / "difficulty" / "toy.parquet")
    assert found.columns[difficulty.SUSPECT].sum() == 9
    # The very parts that are trained on: thirds within each class.
    for part, share in thirds.items():
        rows = difficulty.part_of(
            found.labels, found.hardness("perplexity"), found.ambiguity("perplexity"), part
        )
        assert share == pytest.approx(found.columns[difficulty.SUSPECT][rows].mean())
    whole, _ = difficulty.parted(
        found.labels, found.hardness("perplexity"), found.ambiguity("perplexity"),
        wanted("hard", len(rows)), names,
    )  # fmt: skip
    assert whole.tolist() == rows.tolist()
    told = command_line("data", "difficulty", "toy.yaml", "--suspects",
                        str(place / "suspects.jsonl")).output  # fmt: skip
    assert "Of 150 rows the labels of 9 are suspected to be wrong." in told


@pytest.mark.parametrize(
    "words", [("--dynamics", "minilm"), ("--dynamics", "a/b/c"), ("--decoder", "a/b"),
              ("--dynamics", "minilm/linear_head", "--epochs", "nan"), ("--decoder", "nosuch"),
              ("--dynamics", "*/linear_head")],
)  # fmt: skip
def test_judges_that_are_none_are_refused(folder, words):
    write_task(folder)
    command_line("data", "difficulty", "toy.yaml", *words, code=2)


def test_the_next_command_is_of_the_same_pool(place):
    (place / "studies" / "difficulty" / "toy.parquet").unlink()
    folds = write_recipe(place, "folds", arms=ARMS, trials=2, validation="folds",
                         spaces={"*/toy": {"noise": 0.2}})  # fmt: skip
    rows = ("--data", str(place / "data"), "--train-rows", "90")
    command_line("study", "create", "toy.yaml", "--recipe", folds, "--name", "f", "--quiet", *rows)
    told = command_line("data", "difficulty", "toy.yaml", "--study", "f", *rows).output
    whole = " ".join(told.split()).replace(" ", "")
    assert (
        "suitestudycreatetoy.yaml--recipedifficulty--train-subsetagreement:hard:30"
        f"--data{place / 'data'}--train-rows90"
    ) in whole


def test_what_can_be_refused_is_before_any_judge_takes_its_time(place, monkeypatch):
    asked = []
    monkeypatch.setattr(judging, "_asked", lambda *own: asked.append(own))
    monkeypatch.setattr(judging, "_arm", lambda name, *own: replace_strategy(name))
    (place / "strange.jsonl").write_text('{"text": "nowhere", "given": "ham"}\n')
    words = ("data", "difficulty", "toy.yaml", "--decoder", "m")
    for more in (("--suspects", "strange.jsonl"), ("--study", "nosuch"),
                 ("--dynamics", "tfidf/classic")):  # fmt: skip
        command_line(*words, *more, code=2)
    assert not asked


def replace_strategy(name):
    return stored().model_copy(update={"name": name, "strategy": name.rpartition("/")[2]})


class Uneven(Course):
    """Has another number of checkpoints on other rows."""

    sizes = (2, 3)

    def fit(self, run):
        class Half:
            def predict_proba(self, texts):
                return np.full((len(texts), 2), 0.5, np.float32)

        for step in range(self.sizes[len(run.train) % len(self.sizes)]):
            run.checkpoint(Half(), step + 1)
        return Half()


def test_trainings_with_other_checkpoints_judge_and_one_checkpoint_is_refused(place, monkeypatch):
    task = load_task("toy.yaml")
    loaded = data.load(task, place / "toy.yaml")
    parts = [np.arange(0, 70), np.arange(70, 113), np.arange(113, 150)]
    monkeypatch.setattr(judging, "left_out", lambda *own: parts)
    monkeypatch.setattr(judging.strategies, "get", lambda name: Uneven())
    monkeypatch.setattr(judging, "_arm", lambda *own: stored())
    found = judging.judge(task, loaded, judging.Wanted(dynamics="tfidf/toy"))
    assert set(found.columns["confidence"]) == {0.5}
    assert set(found.columns["variability"]) == {0.0}
    for sizes, says in (((1,), "at 1 checkpoint of its training"), ((0,), "at 0 checkpoints")):
        monkeypatch.setattr(Uneven, "sizes", sizes)
        with pytest.raises(StudyError, match=says):
            judging.judge(task, loaded, judging.Wanted(dynamics="tfidf/toy"))


def test_a_part_is_all_that_models_learn_from(place):
    # What a recipe is by default: trials over folds where they are cheap, finals on validation too.
    path = write_recipe(
        place, "own", arms=ARMS, trials=2, spaces={"*/toy": {"noise": 0.1}},
        finals={"seeds": 1}, train_subset={"by": "perplexity", "part": "hard", "rows": 40},
    )  # fmt: skip
    command_line("study", "create", "toy.yaml", "--recipe", path, "--name", "own", "--quiet")
    found = api.load_results("own", importance=False)
    assert found.data.rows.train == 40
    assert [trial.folds for trial in found.trials] == [0, 0]
    assert [final.refit for final in found.finals] == [False, False]
    said = " ".join(command_line("finals", "own", "--refit", code=2).output.split())
    assert "the part of its rows that is hard by perplexity" in said and "--refit" in said
    command_line("finals", "own", "--seeds", "1", "--quiet")
    again = api.load_results("own", importance=False)
    assert [final.refit for final in again.finals] == [False, False]
    assert again.test_openings == found.test_openings
    # It goes on by the same command, and by its name.
    command_line("study", "create", "toy.yaml", "--recipe", path, "--name", "own", "--quiet")
    command_line("study", "run", "own", "--quiet")


def test_the_command_names_judgement_and_draw(place):
    path = write_recipe(
        place, "parts", arms=ARMS, trials=2, spaces={"*/toy": {"noise": 0.1}}, seed=5,
        train_subset={"by": "dynamics", "part": "random", "rows": 40},
    )  # fmt: skip
    words = ("study", "create", "toy.yaml", "--recipe", path, "--quiet", "--train-subset")
    texts = {}
    for draw in (1, 2, 3):
        command_line(*words, f"perplexity:hard:20:{draw}")
        name = "toy-parts-perplexity-hard-20" + (f"-{draw}" if draw > 1 else "")
        found = api.load_results(name, importance=False)
        assert found.data.subset == Subset(
            "perplexity", "hard", 20, 150, ["m/zero_shot"], None, draw
        )
        from suite.data import snapshot
        from suite.study import artifacts, storage

        study, definition = storage.load(storage.open_storage(None), name)
        train = snapshot.read_split(
            artifacts.find(study, definition.data.fingerprint).data, "train"
        )
        texts[draw] = set(train.texts)
        assert definition.seed == 4 + draw
        command_line("study", "run", name, "--quiet")
    assert len(set(map(frozenset, texts.values()))) == 3
    assert "draw 2" in subset_told(replace(found.data.subset, draw=2), words_of("en"))

    recipe, _ = find_recipe(path)
    for said in ("hard:20:0", "hard:20:1:1", "hard:20:x", "dynamics", "herd:20", ":20", "hard:1",
                 "dynamics:zero_shot:20", ""):  # fmt: skip
        with pytest.raises(UsageError) as refused:
            subsetting.asked(recipe, said)
        assert refused.value.where == "--train-subset", said
    assert subsetting.asked(recipe, "zero_shot:easy").train_subset == TrainSubset(
        by="zero_shot", part="easy", rows=40
    )
    assert subsetting.ending(recipe, None) == ""


def test_draws_are_of_the_part_and_nested(place):
    task = load_task("toy.yaml")
    loaded = data.load(task, place / "toy.yaml")
    found = {}
    for draw in (1, 2):
        for rows in (20, 40):
            asked = TrainSubset(by="perplexity", part="hard", rows=rows, draw=draw)
            found[draw, rows] = difficulty.narrowed(loaded, asked, task)
        assert set(found[draw, 20].train.texts) <= set(found[draw, 40].train.texts)
        assert np.bincount(found[draw, 20].train.labels).tolist() == [10, 10]
    whole = difficulty.narrowed(loaded, TrainSubset(by="perplexity", part="hard", rows=50), task)
    assert set(found[2, 40].train.texts) <= set(whole.train.texts)
    assert found[1, 20].facts.fingerprint != found[2, 20].facts.fingerprint


def test_what_is_set_aside_for_calibration_is_in_no_part(place):
    task = load_task("toy.yaml")
    aside = Calibration(share=0.2, least=30)
    loaded = data.load(task, place / "toy.yaml", calibration=aside)
    held = set(loaded.calibration.texts)
    found = difficulty.narrowed(loaded, wanted("hard", 24), task)
    assert found.facts.subset.of == 150 - len(held) == len(loaded.train)
    assert not held & set(found.train.texts) and found.calibration is loaded.calibration
    # The hard third of what is left, within each class.
    lengths = [sorted(len(t) for t, c in zip(loaded.train.texts, loaded.train.labels, strict=True)
                      if c == label) for label in (0, 1)]  # fmt: skip
    for text, label in zip(found.train.texts, found.train.labels, strict=True):
        assert len(text) >= lengths[label][-len(lengths[label]) // 3 - 1]
    (told,) = [line for line in found.facts.audit.warnings if "calibration" in line]
    assert told == (
        f"train_subset: {len(held)} of 150 rows that were judged are set aside for calibration, "
        "and are in no part"
    )
    assert "留作校准" in words_of("zh").told(told)
    path = write_recipe(
        place, "both", arms=ARMS, calibration={"share": 0.2, "least": 30},
        train_subset={"by": "perplexity", "part": "hard", "rows": 24},
    )  # fmt: skip
    words = ("study", "create", "toy.yaml", "--recipe", path, "--no-run", "--quiet")
    command_line(*words)
    # It goes on by the same command, where its rows are gone too.
    shutil.rmtree(files_of("toy-both") / "data")
    command_line(*words)
    said = command_line(*words, "--name", "few", "--train-rows", "90", code=2).output
    assert "nor among the 30 set aside for calibration" in " ".join(said.split())


def test_what_is_told_to_judge_can_be_pasted(place, monkeypatch):
    file = place / "studies" / "difficulty" / "toy.parquet"
    other = place / "my mail"
    shutil.copytree(place / "data", other)
    by = {"perplexity": "--decoder", "dynamics": "--dynamics", "agreement": "--study"}
    asked = []

    def judge(task, data, wanted, **more):
        asked.append((task.name, len(data.train), wanted))
        raise StudyError("as far as this")

    monkeypatch.setattr(judging, "judge", judge)
    for gone in (False, True):
        if gone:
            file.unlink()
        for name, option in by.items():
            if name == "perplexity" and not gone:
                continue
            path = write_recipe(place, f"by-{name}-{int(gone)}", arms=ARMS, train_subset={
                "by": name, "part": "hard", "rows": 20,
            })  # fmt: skip
            rows = ("--data", str(other), "--train-rows", "150")
            result = command_line("study", "create", "toy.yaml", "--recipe", path, "--no-run",
                                  *rows, code=2)  # fmt: skip
            (told,) = re.findall(
                r"`suite (data difficulty [^`]*)`", " ".join(result.output.split())
            )
            assert option in told and "MODEL" not in told
            command_line(*shlex.split(told), code=2)
            assert asked[-1][:2] == ("toy", 150)
    assert [one[2].decoder for one in asked if one[2].decoder] == ["smollm2-135m-instruct"]
    assert len(asked) == 5


def test_another_output_that_cannot_be_is_refused_before_anybody_judges(place, monkeypatch):
    asked = []
    monkeypatch.setattr(judging, "judge", lambda *own, **more: asked.append(own))
    (place / "mine.parquet").write_bytes(b"PAR1 somebody's")
    (place / "folder.parquet").mkdir()
    (place / "file").write_text("")
    words = ("data", "difficulty", "toy.yaml", "--decoder", "m", "--out")
    for name, says in (
        ("hard.csv", "is not .parquet"), ("mine.parquet", "does not say how hard rows are"),
        ("folder.parquet", "this is a folder"), ("file/x.parquet", "nothing can be written there"),
    ):  # fmt: skip
        said = " ".join(command_line(*words, name, code=2).output.split())
        assert says in said, said
    for option in ("--epochs", "--checkpoints"):
        said = command_line(*words[:-1], option, "3", code=2).output
        assert f"{option} says nothing without --dynamics" in said
    assert not asked and (place / "mine.parquet").read_bytes() == b"PAR1 somebody's"


def test_every_part_and_size_of_the_recipe_has_the_same_steps():
    recipe: Recipe = find_recipe("difficulty")[0]
    for rows in (40, 600, 1234, 2400, 2666, 8000):
        for arm in ("minilm/linear_head", "smollm2-135m-instruct/sft"):
            pace = paced(rows, recipe.epochs_for(arm), 8, recipe.budget.least_steps)
            assert pace.batch == 8 and round(pace.passes * rows / 8, 6) == 300


def of_part(part, right, draw=1, *, seeds=1, rows=300, deterministic=False, judges=("m",), **more):
    """A study trained on a draw of a part, whose arm is right on a share of 2,000 test rows."""
    labels = [row % 2 for row in range(2000)]
    by = np.random.default_rng([draw, len(part)])
    answers = [
        [c if lucky < right else 1 - c for c, lucky in zip(labels, by.random(2000), strict=True)]
        for _ in range(seeds)
    ]
    plain = drawn()
    final = replace(plain.finals[0], seeds=seeds, deterministic=deterministic)
    subset = Subset("perplexity", part, rows, 900, list(judges), None, draw)
    return drawn(
        study=f"{part}-{draw}", finals=[final], comparisons=[],
        data=replace(plain.data, test_digest="d", subset=subset),
        predictions=TestPredictions(labels, {FAST: answers}), **more,
    )  # fmt: skip


def test_what_draws_differ_by_is_no_gain():
    scores = {"random": (0.80, 0.90, 0.85), "hard": (0.90, 0.78, 0.86)}
    studies = [
        of_part(part, right, draw, deterministic=True)
        for part, own in scores.items()
        for draw, right in enumerate(own, 1)
    ]
    (once,) = part_tables([study for study in studies if study.data.subset.draw == 1])
    assert once.rows[0].draws == 1 and once.rows[0].parts[0].difference.p < 0.01
    said = part_sentences(once, words_of("en"))
    assert "gains" in said[0] and "the very rows that were drawn" in said[-1]
    (table,) = part_tables(studies)
    assert len(table.rows) == 1 and table.rows[0].draws == 3
    hard, control = table.rows[0].parts
    assert hard.difference.p > 0.2 and hard.difference.of == "arms"
    assert control.score == pytest.approx(0.85, abs=0.02)
    assert part_sentences(table, words_of("en")) == [
        "No part differs from random rows by more than chance.",
        "Each part was drawn at least 3 times: this holds for other draws of its rows.",
    ]
    # Several seeds of a draw are one draw.
    more = [of_part(p, s, d, seeds=3) for p, own in scores.items() for d, s in enumerate(own, 1)]
    (seeded,) = part_tables(more)
    assert seeded.rows[0].parts[0].difference.p > 0.2


def test_intervals_over_draws_hold_where_those_over_seeds_do_not():
    # A part that is random rows, too: whatever is found is false. Draws lie apart by .02.
    by = np.random.default_rng(3)
    found = {1: 0, 3: 0}
    times = 60
    for _ in range(times):
        right = by.normal(0.85, 0.02, (2, 3))
        for draws in found:
            studies = [
                of_part(part, right[side, at], int(by.integers(1e6)), deterministic=True)
                for side, part in enumerate(("random", "easy"))
                for at in range(draws)
            ]
            for at, study in enumerate(studies):
                subset = replace(study.data.subset, draw=at % draws + 1)
                studies[at] = replace(study, data=replace(study.data, subset=subset))
            (table,) = part_tables(studies)
            found[draws] += table.rows[0].parts[0].difference.p < 0.05
    assert found[1] / times > 0.25
    assert found[3] / times <= 0.12


def test_judges_recipes_and_tables_are_not_mixed():
    random, hard = of_part("random", 0.9), of_part("hard", 0.8)
    assert len(part_tables([random, hard])) == 1
    assert part_tables([random, of_part("hard", 0.8, recipe="mine")]) == ()
    # Of other judges it is another table, and random rows are random by whomever.
    tables = part_tables([random, hard, of_part("easy", 0.8, judges=("n",))])
    assert [(table.judges, table.parts) for table in tables] == [
        (("m",), ("hard", "random")), (("n",), ("easy", "random")),
    ]  # fmt: skip


def test_the_section_says_for_whom_rows_are_hard():
    two, own = Measured(0.42, 0.3, 0.53), Measured(0.81, 0.8, 0.9)
    pairs = [Alike(HEAD, FAST, two), Alike(HEAD, HEAD, own)]
    small = of_part("random", 0.9, rows=100, alike=[Alike(HEAD, FAST, Measured(0.1, 0, 1))])
    large, hard = of_part("random", 0.9, alike=pairs), of_part("hard", 0.8)
    studies = [large, small, hard]
    (table,) = part_tables(studies)
    assert [one.spearman.value for one in table.alike] == [0.42]
    said = part_sentences(table, words_of("en"))[-1]
    assert "on the most random rows" in said and "0.42 (0.30–0.53), of 0.90 at most" in said
    for language, says in (("en", "0.42 (0.30–0.53)"), ("zh", "至多为 0.90")):
        page = render_across(studies, [f"{s.study}.html" for s in studies], words_of(language))
        assert says in page
    assert part_tables([of_part("random", 0.9), hard])[0].alike == ()


def test_two_arms_have_no_more_in_common_than_the_geometric_mean_of_their_own():
    # The same rows are hard for both; one arm's seeds are noisier.
    by = np.random.default_rng(0)
    truth = by.normal(size=20_000)
    one = [truth + by.normal(0, 0.3, 20_000) for _ in range(2)]
    other = [truth + by.normal(0, 1.2, 20_000) for _ in range(2)]
    pairs = [
        Alike(HEAD, HEAD, spearman(*one)), Alike(FAST, FAST, spearman(*other)),
        Alike(HEAD, FAST, spearman(one[0], other[0])),
    ]  # fmt: skip
    results = drawn(alike=pairs)
    (row,) = alike_rows(results, leaderboard(results))
    assert row.spearman.value > pairs[1].spearman.value + 0.1
    assert row.most.value == pytest.approx(row.spearman.value, abs=0.02)
    assert row.most.low < row.most.value < row.most.high
    apart = replace(pairs[1], spearman=Measured(-0.1, -0.2, 0.0))
    (none,) = alike_rows(drawn(alike=[apart, pairs[2]]), leaderboard(results))
    assert none.most == Measured(0.0, 0.0, 0.0)
