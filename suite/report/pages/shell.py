"""The shell every page stands in: one file that asks nobody for anything.

The policy in its head allows exactly the scripts written here, by their hashes; so even a string
that slipped past the escaping could not run. Plotly and the charts' values are inside, compressed,
and are unpacked by the browser when a chart comes into view; tables are plain HTML and read without
any script.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from suite.report import formats
from suite.report.charts.chart import Chart
from suite.report.words import Words
from suite.version import __version__

TEMPLATES = Path(__file__).parent / "templates"
#: The files of a page's style and of its script, in their order.
STYLES = ("page.css", "parts.css")
SCRIPTS = ("page.js", "charts.js", "ways.js", "paper.js")
#: Where a name may be parted at the end of a line; hyphens and slashes browsers know themselves.
_JOINT = re.compile(r"(?<=[_/.:])(?=\w)")
#: A term with a hyphen that must not be parted.
_TERM = re.compile(r"\w+-F1\b|\bp (?:[=<>] ?[.\d]+)")


@dataclass
class Pack:
    """The charts of a page and other values its script reads, gathered while it is put together."""

    charts: dict[str, Chart] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, chart: Chart) -> Chart:
        """Takes a chart into the page and gives it back."""
        if chart.name in self.charts:
            raise ValueError(f"two charts are called {chart.name}")
        self.charts[chart.name] = chart
        return chart

    def dump(self) -> str:
        """Everything as compressed JSON in base64, which may stand in any HTML as it is."""
        charts = {
            name: {
                "figure": json.loads(chart.figure.to_json(engine="json")),
                "columns": chart.columns,
                "rows": chart.rows,
            }
            for name, chart in self.charts.items()
        }
        value = {"charts": charts, **self.values}
        return packed(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def packed(text: str) -> str:
    """Text as gzip in base64: always the same bytes for the same text."""
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def unpacked(text: str) -> str:
    """What `packed` was given."""
    return gzip.decompress(base64.b64decode(text)).decode()


def render(
    template: str,
    words: Words,
    context: Mapping[str, Any],
    pack: Pack | None = None,
    *,
    refresh: int | None = None,
) -> str:
    """A page from a template that extends `base.html`.

    Args:
        template: its file name in `templates/`.
        words: the language.
        context: what the template reads beside `w` (words), `f` (formats) and the shell's own.
        pack: the page's charts; Plotly is inside only where there are any.
        refresh: seconds after which an open page loads itself again.
    """
    script = _script()
    plotly = bool(pack and pack.charts)
    hashes = [_hash(script), *([_hash(_plotly())] if plotly else [])]
    return (
        _environment()
        .get_template(template)
        .render(
            w=words,
            f=formats,
            version=__version__,
            css=Markup("".join(_read(name) for name in STYLES)),
            paper=Markup(_read("print.css")),
            script=Markup(script),
            plotly=_packed_plotly() if plotly else "",
            pack=pack.dump() if pack else "",
            refresh=refresh,
            written=time.strftime("%H:%M:%S"),
            script_words=embed(
                {key: words(key, shown="{shown}", total="{total}") for key in SCRIPT_WORDS}
                | {"language": words("html_lang")}
            ),
            policy=(
                f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; "
                "img-src data: blob:; base-uri 'none'; form-action 'none'"
            ),
            is_link=lambda text: bool(re.fullmatch(r"https?://[^\s\"'<>]+", text)),
            **context,
        )
    )


#: Phrases that the script shows; their placeholders are filled in there.
SCRIPT_WORDS = (
    "copied", "copy", "missing", "shown_of", "chart_wait", "chart_old", "data_show", "data_hide",
    "theme_auto", "theme_light", "theme_dark", "legend",
)  # fmt: skip


def embed(value: Any) -> Markup:
    """JSON that may stand inside a script element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Inside a JSON string these may be written as escapes; outside one they do not occur. So
    # no label can close the script element or open a comment in it.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def jointed(text: str) -> Markup:
    """A name with places where a line may end, so that none ends inside a word of it."""
    return Markup("<wbr>").join(_JOINT.split(text))


def whole(text: str) -> Markup:
    """A text whose terms with a hyphen (`macro-F1`) stay on one line; HTML is left as it is."""
    if isinstance(text, Markup):
        return text
    parts = []
    end = 0
    for found in _TERM.finditer(text):
        parts.append(escape(text[end : found.start()]))
        parts.append(Markup('<span class="whole">{}</span>').format(found[0]))
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"jointed": jointed, "whole": whole}
    return environment


@cache
def _script() -> str:
    return '(() => {\n"use strict";\n' + "".join(_read(name) for name in SCRIPTS) + "})();\n"


@cache
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text


@cache
def _packed_plotly() -> str:
    return packed(_plotly())


@cache
def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
