"""What the documents say, held against the code: commands, options, YAML, strategy, tables."""

import json
import re
import shlex
from types import SimpleNamespace
from typing import get_args, get_origin

import numpy as np
import pytest
import typer
import yaml
from documents import (
    PLACES,
    ROOT,
    all_blocks,
    blocks,
    each_language,
    every_page,
    read,
    section,
    table,
    ticked,
)

from suite import strategies
from suite.cli import app
from suite.config import yamlfile
from suite.config.recipe import Recipe
from suite.config.task import find_task
from suite.contracts.model import Model
from suite.contracts.space import contains, parse_dimension
from suite.contracts.strategy import Predictor, Rows
from suite.contracts.task import Data, Task
from suite.models.catalogue import decision_model, load_catalogue

# --- the command line -----------------------------------------------------------------------


def commands():
    """Words of a command -> its click command; groups that do nothing of their own left out."""
    found = {}

    def walk(command, words):
        below = getattr(command, "commands", {})
        if not below or words == ("suite",):
            found[" ".join(words)] = command
        for name, child in below.items():
            walk(child, (*words, name))

    walk(typer.main.get_command(app), ("suite",))
    return found


def options(command):
    return {
        name
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def arguments(command):
    return [
        (p.metavar or p.name.upper()).strip("[].")
        for p in command.params
        if p.param_type_name == "argument"
    ]


def documented(language):
    """Words of a command -> (its arguments, its options), as the command reference has them."""
    found = {}
    parts = re.split(r"^#### `(suite[^`]*)`$", section(language, "commands"), flags=re.M)
    for usage, text in zip(parts[1::2], parts[2::2]):
        words = [word for word in usage.split() if word.islower()]
        names = [
            option.split()[0]
            for row in table(text)
            for option in ticked(row[0])
            if option.startswith("-")
        ]
        assert len(names) == len(set(names)), f"{language}: {usage} names an option twice"
        given = [word.strip("[].") for word in usage.split() if not word.islower()]
        found[" ".join(words)] = (given, set(names))
    return found


@each_language
def test_the_command_reference_is_the_command_line(language):
    said, real = documented(language), commands()
    assert sorted(said) == sorted(real)
    # Every command has these; they are told once, at `suite`.
    common = {"--quiet", "-q", "--verbose", "-v", "--lang"}
    for words, command in real.items():
        own = options(command)
        expected = own | {"--help", "-h"} if words == "suite" else own - common
        assert said[words] == (arguments(command), expected), words


def test_the_walk_sees_groups_options_and_their_other_names():
    real = commands()
    assert {"suite", "suite finals", "suite study create", "suite model check"} <= set(real)
    assert "suite study" not in real
    assert {"--workers", "--quiet", "-q"} <= options(real["suite study create"])
    assert {"--hub", "--no-hub"} <= options(real["suite doctor"])
    assert arguments(real["suite predict"]) == ["NAME", "TEXT"]


@pytest.mark.parametrize("page", every_page())
def test_every_command_shown_exists_with_its_options(page):
    real = commands()
    shown = re.findall(r"`(suite [^`\n]+)`", read(page))
    shown += [
        line for block in blocks(page, "bash") for line in block.splitlines() if "suite " in line
    ]
    for line in shown:
        for part in re.split(r"&&|\||;", line):
            words = shlex.split(part, comments=True)
            if words[:1] != ["suite"]:
                continue
            if len(words) > 1 and words[1].startswith("-"):
                assert set(words[1:]) <= options(real["suite"]) | {"--help", "-h"}, part
                continue
            known = [" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in real]
            group = any(name.startswith(" ".join(words[:2]) + " ") for name in real)
            if group and (len(words) == 2 or words[2] == "…"):
                continue  # `suite study …` speaks of the group
            assert known and known[0] != "suite", f"{page}: no such command: {part.strip()}"
            allowed = options(real[known[0]]) | {"--help", "-h"}
            used = {word.split("=")[0] for word in words if word.startswith("-") and word != "-"}
            assert used <= allowed, f"{page}: {part.strip()}"


@pytest.mark.parametrize("page", every_page())
def test_every_make_target_named_exists(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    named = set(re.findall(r"`make ([a-z]+)", read(page)))
    named |= {m for b in blocks(page, "bash") for m in re.findall(r"^make ([a-z]+)", b, re.M)}
    assert named <= targets


# --- YAML and code --------------------------------------------------------------------------


def every_key(value, model, seen=()):
    """Dotted names of the model's fields that the plain value leaves out."""
    missing = []
    for name, field in model.model_fields.items():
        if name not in value:
            missing.append(".".join((*seen, name)))
            continue
        below, inner = value[name], field.annotation
        if isinstance(below, dict) and get_origin(inner) is dict:
            below = list(below.values())
        if isinstance(below, list):
            below = {k: v for item in below if isinstance(item, dict) for k, v in item.items()}
        for kind in (inner, *get_args(inner)):
            if hasattr(kind, "model_fields") and isinstance(below, dict):
                missing += every_key(below, kind, (*seen, name))
    return missing


@each_language
def test_the_task_is_a_task_and_shows_every_key(language):
    (text,) = all_blocks(language, "yaml", "task")
    task = yamlfile.validate(text, Task, language)
    assert f"tasks/{task.name}.yaml" in text
    assert every_key(yaml.safe_load(text), Task) == [
        "data.hub",
        "data.files",  # one source only; the others are shown apart
        "data.file",
        *("data.id", "data.test", "data.redraw", "data.reading"),  # shown with data.file
        "data.splits.validation",
    ]


@each_language
def test_the_other_sources_are_sources(language):
    sources = [
        yamlfile.validate(text, Data, language) for text in all_blocks(language, "yaml", "data")
    ]
    assert [s.file is not None for s in sources] == [True, False, False]
    assert [s.files is not None for s in sources] == [False, True, False]
    assert [s.hub is not None for s in sources] == [False, False, True]
    told = yaml.safe_load(all_blocks(language, "yaml", "data")[0])
    left = [
        *("hub", "files", "folder", "join", "test.time", "test.fold"),
        *("parted", "redraw", "splits", "note"),
    ]
    assert every_key(told, Data) == left


@each_language
def test_the_recipe_is_a_recipe_and_shows_every_key(language):
    (text,) = all_blocks(language, "yaml", "recipe")
    recipe = yamlfile.validate(text, Recipe, language)
    assert f"studies/{recipe.name}.yaml" in text
    # In place of others that stand there; the comment beside them has it.
    assert every_key(yaml.safe_load(text), Recipe) == ["sampler.package", "decide.max_wrong"]
    assert "max_wrong:" in text and "package:" in text
    # The page says which values are not the defaults.
    plain = Recipe(name=recipe.name, arms=recipe.arms)
    told = {
        "title",
        "description",
        "trials",
        "spaces",
        "stop",
        "bounds",
        "max_trial_seconds",
        "budget",
        "choose",
        "calibration",
        "decide",
        "value",
        "train_subset",
    }
    for name in set(Recipe.model_fields) - told:
        assert getattr(recipe, name) == getattr(plain, name), name
    assert recipe.budget.epochs == plain.budget.epochs
    assert recipe.budget.checkpoints == plain.budget.checkpoints
    assert plain.trials == 40


@each_language
def test_the_model_is_a_catalogue_entry(language):
    (text,) = all_blocks(language, "yaml", "models")
    (entry,) = yaml.safe_load(text)
    model = Model.model_validate(entry)
    assert model.hub and model.revision != "main"
    assert set(Model.model_fields) - set(entry) == {"path", "builder", "endpoint", "endpoint_model"}


@each_language
def test_no_yaml_block_is_left_unchecked(language):
    checked = [
        b
        for mark in ("task", "data", "recipe", "models")
        for b in all_blocks(language, "yaml", mark)
    ]
    assert sorted(checked) == sorted(all_blocks(language, "yaml"))


@each_language
def test_the_strategy_trains_scores_saves_and_loads(language, tmp_path):
    (text,) = all_blocks(language, "python", "strategy")
    names = {}
    exec(compile(text, language, "exec"), names)
    (entry,) = re.findall(r"(\w+) = \"my_strategies:(\w+)\"", "".join(all_blocks(language, "toml")))
    strategy = names[entry[1]]()
    catalogue, (task, _) = load_catalogue(), find_task("chnsenticorp")
    assert strategy.name == entry[0]
    assert strategy.refuses(catalogue["tfidf"], task) is None
    assert "tfidf" in strategy.refuses(catalogue["minilm"], task)
    space = strategy.space(catalogue["tfidf"], task)
    (point,) = space.known_good
    assert all(contains(space.dimensions[name], value) for name, value in point.items())
    declared = strategy.hyperparameters(catalogue["tfidf"])
    assert list(declared) == list(space.dimensions)
    with pytest.raises(ValueError, match="must be one of counted, flat, not 'flt'"):
        declared["prior"].read("flt")
    scored = []
    run = SimpleNamespace(
        task=task,
        params=point,
        train=Rows(
            ("cold dirty room", "late cold tea", "dirty tea", "warm kind staff"), (0, 0, 0, 1)
        ),
        note=lambda **facts: None,
        checkpoint=lambda predictor, fraction: scored.append((predictor, fraction)),
    )
    predictor = strategy.fit(run)
    assert scored == [(predictor, 1.0)]
    assert isinstance(predictor, Predictor)
    texts = ["dirty and cold", "a kind warm host", ""]
    found = predictor.predict_proba(texts)
    assert found.dtype == np.float32
    assert found.argmax(axis=1)[:2].tolist() == [0, 1]
    assert found[2] == pytest.approx([2 / 3, 1 / 3])  # three rows to one, and one more each
    predictor.save(tmp_path)
    assert np.array_equal(strategy.load(tmp_path).predict_proba(texts), found)


def hyperparameter_tables(language):
    """The arm of each table of hyperparameters -> its rows."""
    parts = re.split(r"^### `(.+)`$", section(language, "hyperparameters"), flags=re.M)
    return {arm: table(text) for arm, text in zip(parts[1::2], parts[2::2])}


def models_of(arm):
    """Models that stand for an arm as a table names it."""
    model, strategy = arm.split("/")
    if model == "*-decision":
        return [decision_model("http://127.0.0.1:9/v1", None)]
    names = ["bert-base-cased", "qwen3-0.6b", "tiny-bert"] if model == "*" else [model]
    found = [load_catalogue()[name] for name in names]
    return [one for one in found if model != "*" or strategies.fits(one, strategy)]


@each_language
def test_the_hyperparameters_listed_are_those_searched(language):
    told = hyperparameter_tables(language)
    shipped = {n for n in strategies.names() if type(strategies.get(n)).__module__[:6] == "suite."}
    assert {arm.split("/")[1] for arm in told} == shipped
    for arm, rows in told.items():
        for model in models_of(arm):
            for task in ("agnews", "tnews"):
                strategy = arm.split("/")[1]
                space = strategies.get(strategy).space(model, find_task(task)[0])
                space = strategies.for_long_texts(strategy, model, space)
                space = strategies.for_rare_classes(strategy, model, space, find_task(task)[0])
                assert [ticked(row[0])[0] for row in rows] == list(space.dimensions), (arm, task)


@each_language
def test_what_is_told_of_a_hyperparameter_is_what_is_declared(language):
    for arm, rows in hyperparameter_tables(language).items():
        for model in models_of(arm):
            real = strategies.hyperparameters(arm.split("/")[1], model)
            for told, default, allowed, about in rows:
                one = real[ticked(told)[0]]
                assert ticked(default) == [as_yaml(one.default)], (arm, told)
                if language == "en":
                    assert (allowed, about) == (one.described, one.about), (arm, told)
                else:
                    bounds = re.findall(r"\d[\d.e-]*", one.described)
                    assert all(str(part) in allowed for part in (*bounds, *one.options)), (
                        arm,
                        told,
                    )


def as_yaml(value):
    """A value as a recipe writes it."""
    if isinstance(value, float):
        return f"{value:g}".replace("e-0", "e-")
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- tables of what is shipped --------------------------------------------------------------


@each_language
def test_the_shipped_tasks_are_listed(language):
    rows = {ticked(row[0])[0]: row for row in table(section(language, "tasks"))}
    assert sorted(rows) == sorted(path.stem for path in (ROOT / "tasks").glob("*.yaml"))
    for name, (_, language, classes, source, _) in rows.items():
        task, _ = find_task(name)
        assert (language, int(classes)) == (task.language, len(task.labels)), name
        if task.data.hub:
            assert source == f"Hub: {task.data.hub.id}"


@each_language
def test_the_shipped_recipes_are_listed_with_their_trials(language):
    rows = {ticked(row[0])[0]: row[1] for row in table(section(language, "recipes"))}
    assert sorted(rows) == sorted(path.stem for path in (ROOT / "studies").glob("*.yaml"))
    for name, text in rows.items():
        for trials in re.findall(r"(\d+) (?:trials|次试验)", text):
            assert int(trials) == yamlfile.load(ROOT / f"studies/{name}.yaml", Recipe).trials


@each_language
def test_the_models_are_listed_by_family(language):
    listed = {row[0]: ticked(row[1]) for row in table(section(language, "models-table"))}
    real = {}
    for model in load_catalogue().values():
        real.setdefault(model.family, []).append(model.name)
    assert listed == real


# --- what was measured ------------------------------------------------------------------------


#: A score, a p, a count: in whichever language, told alike.
FIGURE = re.compile(r"0?\.\d+|\d[\d,]*\.\d+|\d[\d,]{3,}")


@each_language
def test_the_answer_told_is_the_example_pages(language):
    page = ROOT / "reports/example/agnews.json"
    found = json.loads(page.read_text(encoding="utf-8"))
    readme = read(PLACES[language][0])
    if language == "en":
        assert f"> {found['answer']}\n" in readme
    told = re.search(r"(?m)^> .*", readme).group()
    assert set(FIGURE.findall(told)) == set(FIGURE.findall(found["answer"]))
    rows = [row for row in table(readme) if re.fullmatch(r"\d+=?", row[0])]
    assert [ticked(row[1])[0] for row in rows] == [row["arm"] for row in found["leaderboard"]]
    for told, real in zip(rows, found["leaderboard"]):
        low, high = real["test_interval"]
        rank = f"{real['rank']}=" if real["tied_with"] else str(real["rank"])
        score = f"{real['test_macro_f1']:.3f} ({low:.3f}–{high:.3f})"
        assert (told[0], told[2]) == (rank, score)
        assert told[3].startswith(f"{real['train_seconds']:.3g}"[:4]), told
        assert told[4] == f"{real['offline_rps']:,.0f}"


def test_the_ranges_in_the_recipe_are_read_as_numbers():
    (text,) = all_blocks("en", "yaml", "recipe")
    spaces = yamlfile.validate(text, Recipe, "en").spaces
    kinds = {
        name: type(parse_dimension(raw, where=name)).__name__
        for name, raw in spaces["bert-base-cased/linear_head"].items()
    }
    assert kinds == {"learning_rate": "Float", "batch": "Choice", "weight_decay": "Fixed"}
