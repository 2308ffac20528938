"""What both READMEs say, held against the code: commands, options, YAML, strategy, tables."""

import ast
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import get_args, get_origin

import numpy as np
import pytest
import typer
import yaml

from suite import strategies
from suite.cli import app
from suite.config import yamlfile
from suite.config.recipe import Recipe
from suite.config.task import find_task
from suite.contracts.model import Model
from suite.contracts.space import contains, parse_dimension
from suite.contracts.strategy import Predictor, Rows
from suite.contracts.task import Data, Task
from suite.models.catalogue import load_catalogue
from suite.study import arms

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "BENCHMARKS.md")
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>\w+) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)

readme = pytest.mark.parametrize("page", READMES)


def read(page):
    path = ROOT / page
    if not path.is_file():
        pytest.skip(f"{page} is not in this distribution")
    return path.read_text(encoding="utf-8")


def blocks(page, kind, mark=None):
    """The fenced blocks of a language; with `mark`, those under <!-- mark -->."""
    found = [m for m in BLOCK.finditer(read(page)) if m["kind"] == kind]
    return [m["text"] for m in found if mark is None or m["mark"] == mark]


def section(page, mark):
    """What stands between <!-- mark --> and <!-- /mark -->."""
    found = re.search(rf"^<!-- {mark} -->$(.*?)^<!-- /{mark} -->$", read(page), re.M | re.S)
    assert found, f"{page} has no <!-- {mark} --> … <!-- /{mark} -->"
    return found[1]


def table(text):
    """The rows of a Markdown table, heads left out, each a list of cells."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows[1:] if not set("".join(row)) <= set("-: ")]


def ticked(text):
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


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


def documented(page):
    """Words of a command -> (its arguments, its options), as the command reference has them."""
    found = {}
    parts = re.split(r"^#### `(suite[^`]*)`$", section(page, "commands"), flags=re.M)
    for usage, text in zip(parts[1::2], parts[2::2]):
        words = [word for word in usage.split() if word.islower()]
        names = [
            option.split()[0]
            for row in table(text)
            for option in ticked(row[0])
            if option.startswith("-")
        ]
        assert len(names) == len(set(names)), f"{page}: {usage} names an option twice"
        given = [word.strip("[].") for word in usage.split() if not word.islower()]
        found[" ".join(words)] = (given, set(names))
    return found


@readme
def test_the_command_reference_is_the_command_line(page):
    said, real = documented(page), commands()
    assert sorted(said) == sorted(real)
    # Every command has these; they are told once, at `suite`.
    common = {"--quiet", "-q", "--verbose", "-v"}
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


@pytest.mark.parametrize("page", PAGES)
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


@pytest.mark.parametrize("page", PAGES)
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


@readme
def test_the_task_is_a_task_and_shows_every_key(page):
    (text,) = blocks(page, "yaml", "task")
    task = yamlfile.validate(text, Task, page)
    assert f"tasks/{task.name}.yaml" in text
    assert every_key(yaml.safe_load(text), Task) == [
        "data.hub",
        "data.files",  # one source only; the other two are shown apart
        "data.splits.validation",
    ]


@readme
def test_the_other_sources_are_sources(page):
    sources = [yamlfile.validate(text, Data, page) for text in blocks(page, "yaml", "data")]
    assert [s.files is not None for s in sources] == [True, False]
    assert [s.hub is not None for s in sources] == [False, True]


@readme
def test_the_recipe_is_a_recipe_and_shows_every_key(page):
    (text,) = blocks(page, "yaml", "recipe")
    recipe = yamlfile.validate(text, Recipe, page)
    assert f"studies/{recipe.name}.yaml" in text
    assert every_key(yaml.safe_load(text), Recipe) == []
    # The page says which values are not the defaults.
    plain = Recipe(name=recipe.name, arms=recipe.arms)
    told = {"title", "description", "trials", "spaces", "bounds", "max_trial_seconds", "budget"}
    for name in set(Recipe.model_fields) - told:
        assert getattr(recipe, name) == getattr(plain, name), name
    assert recipe.budget.epochs == plain.budget.epochs
    assert recipe.budget.checkpoints == plain.budget.checkpoints
    assert plain.trials == 40


@readme
def test_the_model_is_a_catalogue_entry(page):
    (text,) = blocks(page, "yaml", "models")
    (entry,) = yaml.safe_load(text)
    model = Model.model_validate(entry)
    assert model.hub and model.revision != "main"
    assert set(Model.model_fields) - set(entry) == {"path", "builder", "endpoint", "endpoint_model"}


@readme
def test_no_yaml_block_is_left_unchecked(page):
    checked = [
        b for mark in ("task", "data", "recipe", "models") for b in blocks(page, "yaml", mark)
    ]
    assert sorted(checked) == sorted(blocks(page, "yaml"))


@readme
def test_the_strategy_trains_scores_saves_and_loads(page, tmp_path):
    (text,) = blocks(page, "python", "strategy")
    names = {}
    exec(compile(text, page, "exec"), names)
    (entry,) = re.findall(r"(\w+) = \"my_strategies:(\w+)\"", "".join(blocks(page, "toml")))
    strategy = names[entry[1]]()
    catalogue, (task, _) = load_catalogue(), find_task("chnsenticorp")
    assert strategy.name == entry[0]
    assert strategy.refuses(catalogue["tfidf"], task) is None
    assert "tfidf" in strategy.refuses(catalogue["minilm"], task)
    space = strategy.space(catalogue["tfidf"], task)
    (point,) = space.known_good
    assert all(contains(space.dimensions[name], value) for name, value in point.items())
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


@readme
def test_the_hyperparameters_listed_are_those_there_are(page):
    (rows,) = [
        table(text)
        for text in re.split(r"\n\n", read(page))
        if text.startswith(("| arm |", "| 方案 |")) and "`tfidf/classic`" in text
    ]
    catalogue, (english, _), (chinese, _) = (
        load_catalogue(),
        find_task("agnews"),
        find_task("tnews"),
    )
    for arm, listed in rows:
        model, strategy = ticked(arm)[0].split("/")
        names = ["bert-base-cased", "qwen3-0.6b", "tiny-bert"] if model == "*" else [model]
        for name in (n for n in names if model != "*" or arms.fits(catalogue[n], strategy)):
            for task in (english, chinese):
                space = strategies.get(strategy).space(catalogue[name], task)
                assert ticked(listed) == list(space.dimensions), (arm, name, task.name)


# --- tables of what is shipped --------------------------------------------------------------


@readme
def test_the_shipped_tasks_are_listed(page):
    rows = {ticked(row[0])[0]: row for row in table(section(page, "tasks"))}
    assert sorted(rows) == sorted(path.stem for path in (ROOT / "tasks").glob("*.yaml"))
    for name, (_, language, classes, source, _) in rows.items():
        task, _ = find_task(name)
        assert (language, int(classes)) == (task.language, len(task.labels)), name
        if task.data.hub:
            assert source == f"Hub: {task.data.hub.id}"


@readme
def test_the_shipped_recipes_are_listed_with_their_trials(page):
    rows = {ticked(row[0])[0]: row[1] for row in table(section(page, "recipes"))}
    assert sorted(rows) == sorted(path.stem for path in (ROOT / "studies").glob("*.yaml"))
    for name, text in rows.items():
        for trials in re.findall(r"(\d+) (?:trials|次试验)", text):
            assert int(trials) == yamlfile.load(ROOT / f"studies/{name}.yaml", Recipe).trials


@readme
def test_the_models_are_listed_by_family(page):
    listed = {row[0]: ticked(row[1]) for row in table(section(page, "models-table"))}
    real = {}
    for model in load_catalogue().values():
        real.setdefault(model.family, []).append(model.name)
    assert listed == real


# --- links, and the two languages ------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_project_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", read(page))
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), f"{page}: {link}"


def test_both_readmes_have_the_same_headings():
    heads = [re.findall(r"^(#+) ", _prose(page), re.M) for page in READMES]
    assert heads[0] == heads[1]
    assert len(heads[0]) > 20


def test_both_readmes_have_the_same_tables_lists_and_commands():
    shapes = []
    for page in READMES:
        prose = _prose(page)
        tables = [re.sub(r"[^|]", "", line) for line in prose.splitlines() if line.startswith("|")]
        items = len(re.findall(r"^- ", prose, re.M))
        bash = [
            shlex.split(line, comments=True)
            for b in blocks(page, "bash")
            for line in b.splitlines()
        ]
        python = [ast.dump(ast.parse(block)) for block in blocks(page, "python")]  # no comments
        shapes.append((tables, items, bash, python, blocks(page, "toml")))
    assert shapes[0] == shapes[1]


def test_both_readmes_show_the_same_yaml_but_for_comments():
    for mark in ("task", "data", "recipe", "models"):
        parsed = [[yaml.safe_load(b) for b in blocks(page, "yaml", mark)] for page in READMES]
        assert parsed[0] == parsed[1], mark


def _prose(page):
    """A page without its fenced blocks."""
    return BLOCK.sub("", read(page))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_machine(page):
    text = read(page)
    for pattern in (
        r"/(?:work|root|home|Users|tmp|mnt)/",
        r"[A-Z]:\\",
        r"https?://\d",
    ):
        assert not re.search(pattern, text), pattern


def test_the_ranges_in_the_recipe_are_read_as_numbers():
    (text,) = blocks("README.md", "yaml", "recipe")
    spaces = yamlfile.validate(text, Recipe, "README.md").spaces
    kinds = {
        name: type(parse_dimension(raw, where=name)).__name__
        for name, raw in spaces["bert-base-cased/linear_head"].items()
    }
    assert kinds == {"learning_rate": "Float", "batch": "Choice", "weight_decay": "Fixed"}
