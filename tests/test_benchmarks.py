"""What `make bench` runs: told in BENCHMARKS.md, and taking from the suite what is there."""

import ast
import re

import pytest
from documents import ROOT, read

#: Read without importing, which would set variables of the environment.
BENCHMARKS = ast.literal_eval(
    re.search(
        r"^BENCHMARKS = (\{.*?^\})",
        (ROOT / "tests/benchmarks/__main__.py").read_text(encoding="utf-8"),
        re.M | re.S,
    )[1]
)
FILES = sorted((ROOT / "tests" / "benchmarks").glob("*.py"))


def test_every_benchmark_is_told_and_every_one_told_is_there():
    text = read("BENCHMARKS.md")
    told = re.findall(r"^- \*\*(\w+)\*\*:", text, re.M)
    assert sorted(told) == sorted(BENCHMARKS)
    assert set(re.findall(r"python -m tests\.benchmarks (\w+)", text)) <= set(BENCHMARKS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_benchmark_takes_from_the_suite_what_is_there(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("suite"):
            for alias in node.names:
                assert defined(node.module, alias.name), f"{node.module}.{alias.name}"


def test_what_benchmarks_train_with_has_all_that_strategies_are_given():
    from suite.contracts.strategy import Run

    tree = ast.parse((ROOT / "tests/benchmarks/neural.py").read_text(encoding="utf-8"))
    (made,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Run")
    has = {node.name for node in made.body if isinstance(node, ast.FunctionDef)}
    has |= {
        node.attr for node in ast.walk(made)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    wanted = set(Run.__annotations__) | {name for name in vars(Run) if not name.startswith("_")}
    assert wanted <= has and "teacher" in wanted


def defined(module, name):
    """Whether `from module import name` finds something; nothing is imported to see it."""
    place = ROOT / module.replace(".", "/")
    if (place / f"{name}.py").is_file() or (place / name / "__init__.py").is_file():
        return True
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return any(name in names(statement) for statement in tree.body)


def names(statement):
    """What a statement at the top of a module gives a name to."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.ImportFrom(names=found) | ast.Import(names=found):
            return {alias.asname or alias.name for alias in found}
        case ast.Assign(targets=found):
            return {target.id for target in found if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()
