"""The documents as the tests read them: pages of a language, fenced blocks, sections, tables."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("en", "zh")
#: Where each language's pages lie: its README, then its folder.
PLACES = {"en": ("README.md", "docs"), "zh": ("README.zh-CN.md", "docs/zh")}
#: Pages that are written in English alone.
OTHERS = ("CONTRIBUTING.md", "CHANGELOG.md", "BENCHMARKS.md")
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[\w ]+) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)

each_language = pytest.mark.parametrize("language", LANGUAGES)


def pages(language):
    """Paths from the root: the README of a language and every page of its folder."""
    readme, folder = PLACES[language]
    found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.md"))
    return [readme, *found]


def every_page():
    return [*pages("en"), *pages("zh"), *OTHERS]


def read(page):
    path = ROOT / page
    if not path.is_file():
        pytest.skip(f"{page} is not in this distribution")
    return path.read_text(encoding="utf-8")


def prose(page):
    """A page without its fenced blocks."""
    return BLOCK.sub("", read(page))


def blocks(page, kind, mark=None):
    """The fenced blocks of a kind; with `mark`, those under <!-- mark -->."""
    found = [m for m in BLOCK.finditer(read(page)) if m["kind"] == kind]
    return [m["text"] for m in found if mark is None or m["mark"] == mark]


def all_blocks(language, kind, mark=None):
    """The same over all pages of a language, in their order."""
    return [text for page in pages(language) for text in blocks(page, kind, mark)]


def between(page, mark):
    """What stands between <!-- mark --> and <!-- /mark -->, each time a page has it."""
    pattern = rf"^<!-- {mark} -->$(.*?)^<!-- /{mark} -->$"
    return [found[1] for found in re.finditer(pattern, read(page), re.M | re.S)]


def section(language, mark):
    """The same, on the one page of a language that has it."""
    found = [text for page in pages(language) for text in between(page, mark)]
    assert len(found) == 1, f"{language}: {len(found)} times <!-- {mark} --> … <!-- /{mark} -->"
    return found[0]


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
    return re.findall(r"`([^`\n]+)`", text)


def headings(page):
    """(level, text) of each heading."""
    found = re.findall(r"^(#+) (.+)$", prose(page), re.M)
    return [(len(marks), text.strip()) for marks, text in found]


def anchors(page):
    """What `#…` may name on a page: the headings as GitHub makes addresses of them."""
    found, seen = set(), {}
    for _, text in headings(page):
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        again = seen.get(slug, 0)
        seen[slug] = again + 1
        found.add(f"{slug}-{again}" if again else slug)
    return found


def links(page):
    """(path, anchor) of every link; the path is empty for a link within the page."""
    return re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", prose(page))
