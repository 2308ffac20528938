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
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from suite.report import formats
from suite.report.charts.chart import Chart
from suite.report.words import Words
from suite.version import __version__

if TYPE_CHECKING:
    pass

TEMPLATES = Path(__file__).parent / "templates"


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
    script = _read("page.js")
    plotly = bool(pack and pack.charts)
    hashes = [_hash(script), *([_hash(_plotly())] if plotly else [])]
    return (
        _environment()
        .get_template(template)
        .render(
            w=words,
            f=formats,
            version=__version__,
            css=Markup(_read("page.css")),
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
    "theme_auto", "theme_light", "theme_dark",
)  # fmt: skip


def embed(value: Any) -> Markup:
    """JSON that may stand inside a script element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Inside a JSON string these may be written as escapes; outside one they do not occur. So
    # no label can close the script element or open a comment in it.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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
