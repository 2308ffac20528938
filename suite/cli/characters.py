"""Texts of others as characters and nothing else: what steers a terminal or hides is its code."""

from __future__ import annotations

import re

#: Characters that steer a terminal (C0 but tab and newline, DEL, C1), turn the direction of what
#: follows, are not seen, or cannot be written (halves of characters). The two joiners that
#: Persian, Indian scripts and emoji need are left.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = str.maketrans({"\n": "\\n", "\t": "\\t"})


def visible(text: str) -> str:
    """A text in which nothing steers a terminal or hides: such characters stand as their codes.

    >>> visible("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return _HIDDEN.sub(_code, text)


def one_line(text: str) -> str:
    """The same on one line and in one cell: newlines and tabs stand as `\\n` and `\\t`."""
    return visible(text).translate(_BREAKS)


def exact(json_text: str) -> str:
    """JSON with what `visible` shows as escapes of JSON's: it is read as the same value."""
    return _HIDDEN.sub(_json_code, json_text)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _json_code(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
