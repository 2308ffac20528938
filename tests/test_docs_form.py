"""The documents among themselves: links, the two languages, what they may name, their length."""

import ast
import importlib
import re
import shlex
from pathlib import PurePosixPath

import pytest
import yaml
from documents import (
    LANGUAGES,
    PLACES,
    ROOT,
    all_blocks,
    anchors,
    blocks,
    each_language,
    every_page,
    headings,
    links,
    pages,
    prose,
    read,
    section,
    table,
    ticked,
)

import suite

PAIRS = [(page, PLACES["zh"][1] + page.removeprefix("docs")) for page in pages("en")[1:]]
PAIRS.insert(0, (PLACES["en"][0], PLACES["zh"][0]))
MADE = "tests/benchmarks/results"  # `make bench` makes it
#: Entry point groups, which are named like modules and are none.
GROUPS = {
    group
    for block in all_blocks("en", "toml")
    for group in re.findall(r'entry-points\."([\w.]+)"', block)
}
each_pair = pytest.mark.parametrize(("english", "chinese"), PAIRS)
each_page = pytest.mark.parametrize("page", every_page())


def target(page, path):
    """Where a link leads, as a path from the root."""
    if not path:
        return page
    found = (ROOT / page).parent / path
    return found.resolve().relative_to(ROOT).as_posix()


# --- links ----------------------------------------------------------------------------------


@each_page
def test_every_link_leads_somewhere(page):
    for path, anchor in links(page):
        if path.startswith("https://"):
            continue
        there = target(page, path)
        assert (ROOT / there).exists(), f"{page}: {path}"
        if anchor:
            assert anchor in anchors(there), f"{page}: {path}#{anchor}"


def test_anchors_are_as_github_makes_them(monkeypatch):
    text = (
        "# A: b, c\n\n## `suite` NAME\n\n```bash\n# none\n```\n\n## 无法访问 Hub 时\n\n## A b c\n"
    )
    monkeypatch.setattr("documents.read", lambda page: text)
    assert anchors("any") == {"a-b-c", "suite-name", "无法访问-hub-时", "a-b-c-1"}


@each_language
def test_the_readme_and_the_index_lead_to_every_page(language):
    readme, *below = pages(language)
    index = f"{PLACES[language][1]}/README.md"
    for start in (readme, index):
        reached = {target(start, path) for path, _ in links(start) if "://" not in path}
        assert set(below) - {index} <= reached, start
    assert index in {target(readme, path) for path, _ in links(readme) if "://" not in path}


# --- the two languages ----------------------------------------------------------------------


def test_both_languages_have_the_same_pages():
    assert [PurePosixPath(a).name for a in pages("en")[1:]] == [
        PurePosixPath(b).name for b in pages("zh")[1:]
    ]
    assert len(PAIRS) > 10


@each_pair
def test_both_languages_have_the_same_headings_tables_and_lists(english, chinese):
    shapes = []
    for page in (english, chinese):
        text = prose(page)
        tables = [re.sub(r"[^|]", "", line) for line in text.splitlines() if line.startswith("|")]
        levels = [level for level, _ in headings(page)]
        marks = re.findall(r"^<!-- (/?[\w -]+) -->$", read(page), re.M)
        shapes.append((levels, tables, len(re.findall(r"^- ", text, re.M)), marks))
    assert shapes[0] == shapes[1]
    assert shapes[0][0][0] == 1 and shapes[0][0].count(1) == 1


@each_pair
def test_both_languages_show_the_same_commands_and_code_but_for_comments(english, chinese):
    shown = []
    for page in (english, chinese):
        lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
        shown.append(
            (
                [shlex.split(line, comments=True) for line in lines],
                [ast.dump(ast.parse(block)) for block in blocks(page, "python")],
                [yaml.safe_load(block) for block in blocks(page, "yaml")],
                blocks(page, "toml"),
            )
        )
    assert shown[0] == shown[1]


@each_pair
def test_both_languages_lead_to_the_same_pages(english, chinese):
    english_of = {there: here for here, there in PAIRS}
    led = [
        sorted(
            english_of.get(there, there)
            for there in (target(page, path) for path, _ in links(page) if "://" not in path)
        )
        for page in (english, chinese)
    ]
    assert led[0] == led[1]


# --- what is named ----------------------------------------------------------------------------


@each_page
def test_no_page_names_a_machine(page):
    text = read(page)
    for pattern in (
        r"/(?:work|root|home|Users|tmp|mnt)/",
        r"[A-Z]:\\",
        r"https?://\d",
    ):
        assert not re.search(pattern, text), pattern


@pytest.mark.parametrize("page", [page for page in every_page() if page != "CHANGELOG.md"])
def test_every_file_and_module_named_is_there(page):
    for name in ticked(prose(page)):
        if (
            re.fullmatch(r"(?:suite|tests|docs)/[\w./-]+", name)
            and name.strip("/") != MADE
            and "NAME" not in name
        ):
            assert (ROOT / name).exists(), f"{page}: {name}"
        if re.fullmatch(r"suite(?:\.\w+)+", name) and name not in (*GROUPS, "suite.toml"):
            reach(name)


def reach(name):
    """What a dotted name stands for: a module, or something in one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        above, _, last = name.rpartition(".")
        return getattr(reach(above), last)


@each_language
def test_the_public_addresses_are_there_with_what_is_named(language):
    rows = table(section(language, "public"))
    for addresses, names in rows:
        for address in ticked(addresses):
            module = importlib.import_module(address)
            for name in ticked(names):
                assert "." in name or hasattr(module, name), f"{address}: {name}"
    listed = {ticked(addresses)[0]: ticked(names) for addresses, names in rows}
    assert listed["suite"] == sorted(suite.__all__)
    assert {"suite.protocols", "suite.space"} <= {a for cell, _ in rows for a in ticked(cell)}


@pytest.mark.parametrize("page", [PLACES[language][0] for language in LANGUAGES])
def test_a_readme_is_short(page):
    assert len(read(page).splitlines()) <= 250
