"""How numbers read, in one place: page, Markdown and answer agree digit by digit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from suite.report.words import Words

#: What a report can be written as.
FORMATS = ("html", "json", "csv", "md")

MISSING = "–"
#: Marks that would turn the sentence around a name.
_TURNS = dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def score(value: float | None) -> str:
    """A macro-F1 or an accuracy, in tables and in prose: four digits, as differences of one in a
    thousand matter."""
    return MISSING if value is None else f"{value:.4f}"


def gap(value: float | None) -> str:
    """A difference between two scores, without its sign: the digits of `score`."""
    if value is None:
        return MISSING
    return "<0.0001" if 0 < abs(value) < 0.00005 else f"{abs(value):.4f}"


def times(ratio: float | None) -> str:
    """A multiple: 130×, 2.4×, 1.0×; of less than one the part, by the same digits: 1/2.4, 1/119."""
    if ratio is None:
        return MISSING
    if ratio <= 0:
        return f"{ratio:.0f}×"
    less = ratio * 1.05 < 1
    told = 1 / ratio if less else ratio
    digits = f"{told:,.0f}" if told >= 9.95 else f"{told:.1f}"
    return f"1/{digits}" if less else f"{digits}×"


def interval(bounds: tuple[float, float] | None) -> str:
    """An interval of scores."""
    return MISSING if bounds is None else f"{score(bounds[0])}–{score(bounds[1])}"


def spanned(value: float | None, span: tuple[float, float] | None) -> str:
    """An average rank with its interval: `1.40 (1.00–2.20)`."""
    if value is None:
        return MISSING
    return f"{value:.2f}" + (f" ({span[0]:.2f}–{span[1]:.2f})" if span else "")


def quantity(value: float | None) -> str:
    """A positive number with about three significant digits and thousands parted: 8,312; 12.3."""
    if value is None:
        return MISSING
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}"
    if abs(value) >= 0.01 or value == 0:
        return f"{value:.2f}"
    return f"{value:.2g}"


def count(value: int | None) -> str:
    """A whole number, thousands parted."""
    return MISSING if value is None else f"{value:,}"


def percent(share: float | None) -> str:
    """A share, or a difference of two, as per cent; a part is never shown as nothing or as all."""
    if share is None:
        return MISSING
    if share < 0:
        return f"-{percent(-share)}"
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share * 100:.1f}%"


def percents(low: float, high: float) -> str:
    """The interval of a share, or of a difference of two, as per cent.

    >>> percents(0.1, 0.25), percents(-0.01, 0.02)
    ('10.0%–25.0%', '-1.0% … 2.0%')
    """
    return f"{percent(low)}{' … ' if low < 0 else '–'}{percent(high)}"


def whole_percent(share: float) -> str:
    """A share as whole per cent, for prose; a part is never shown as nothing, nor as all."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share * 100:.0f}%"


def whole_or_more(share: float) -> str:
    """A share that somebody set, as per cent, with as many digits as it has.

    >>> whole_or_more(0.05), whole_or_more(0.995)
    ('5%', '99.5%')
    """
    return f"{share * 100:.6g}%"


def agreement(share: float | None) -> str:
    """A share of rows decided alike: a demand lies at 99.5 %, so two digits after the point."""
    return MISSING if share is None else f"{share * 100:.2f}%"


def signed(value: float | None) -> str:
    """A difference of scores, its sign shown."""
    return MISSING if value is None else f"{value:+.4f}"


def duration(seconds: float | None, words: Words) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds is None:
        return MISSING
    if seconds < 119.5:
        return words("unit_seconds", n=quantity(seconds))
    whole = round(seconds)
    if whole < 7200:
        return words("unit_minutes", m=whole // 60, s=f"{whole % 60:02d}")
    minutes = round(seconds / 60)
    return words("unit_hours", h=f"{minutes // 60:,}", m=f"{minutes % 60:02d}")


def rate(per_second: float | None, words: Words) -> str:
    """Texts per second, with its unit."""
    return MISSING if per_second is None else words("unit_rps", n=quantity(per_second))


def milliseconds(value: float | None, words: Words) -> str:
    """A latency, with its unit."""
    return MISSING if value is None else words("unit_ms", n=quantity(value))


def size(value: float | None) -> str:
    """Bytes in the largest binary unit that keeps a digit before the point."""
    if value is None:
        return MISSING
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(amount) < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{amount:.1f} {unit}"


def parameters(value: float | None) -> str:
    """A number of parameters: 22.7M, 596M, 1.7B."""
    if value is None:
        return MISSING
    for scale, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= scale:
            amount = value / scale
            return f"{amount:.0f}{unit}" if amount >= 99.5 else f"{amount:.1f}{unit}"
    return f"{value:.0f}"


def p_value(value: float) -> str:
    """A p-value: `<.001`, `0.021`, `>.99`; near the level with as many digits as say which side
    of it is meant."""
    # Imported here: numbers are shown where nothing is computed with arrays.
    from suite.verdict.interval import LEVEL

    if value < 0.001:
        return "<.001"
    if value > 0.99:
        return ">.99"
    under = value < LEVEL
    shown = (f"{value:.{digits}f}" for digits in (3, 4, 5))
    told = next((text for text in shown if (float(text) < LEVEL) == under), None)
    return told or ("<.05" if under else "0.05")


def p_told(value: float) -> str:
    """A p-value in prose, with its sign: `< .001`, `= 0.021`, `> .99`."""
    text = p_value(value)
    return f"{text[0]} {text[1:]}" if text[0] in "<>" else f"= {text}"


def plain(value: Any) -> str:
    """Any JSON value in a table cell: floats shortened, mappings as `a=1, b=2`."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return settings(value)
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)


def settings(values: Mapping[str, Any]) -> str:
    """Hyperparameters in a line: `lr=2.1e-05, batch=32`. An `arm:` before a name is dropped."""
    told = (_told(name.rpartition(":")[2], value) for name, value in values.items())
    return ", ".join(f"{name}={value}" for name, value in told)


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A nested mapping as rows of dotted names and plain texts."""
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append(_told(f"{prefix}{name}", value))
    return rows


def _told(name: str, value: Any) -> tuple[str, str]:
    """A fact's name and its value; bytes in units that a person reads."""
    if name.endswith("_bytes") and isinstance(value, int | float | None):
        return name.removesuffix("_bytes"), size(value)
    return name, plain(value)


#: An absolute path with two names at least, of Unix or Windows, that is no part of a web address.
_PATH = re.compile(
    r"(?<![A-Za-z0-9_:/\\.~%-])(?:file://)?(?:[A-Za-z]:[\\/]|\\\\|/)"
    r"((?:[^\s/\\'\"<>|:,;]+[\\/]+)+[^\s/\\'\"<>|:,;]*)"
)


def pathless(text: str) -> str:
    """A message or a command without the absolute paths in it: of each only its last name stays.

    Where a file lay on one machine tells a reader nothing, and may tell who sat there.
    """
    return _PATH.sub(lambda found: re.split(r"[\\/]+", found[1].rstrip("/\\"))[-1], text)


def name(text: str, longest: int = 48) -> str:
    """A name from data in a sentence or a heading: one line, cut where too long.

    Marks that turn the direction of writing are taken out; a name in a script that runs from
    right to left is set apart, so that the words around it stay in order.
    """
    line = " ".join(text.translate(_TURNS).split())
    if len(line) > longest:
        line = f"{line[: longest - 1]}…"
    turned = any(unicodedata.bidirectional(character) in ("R", "AL") for character in line)
    return f"\u2068{line}\u2069" if turned else line
