"""Tables as wide as the terminal: one line a row, numbers whole, the least important columns gone.

A column says when it leaves and how its cells may be shortened; a plain column of rich's gets a
rule by its place and its side (`_rule`). What left is told below the table. In a pipe nothing is
left out: `console.print_table` writes every cell there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich import table
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from suite.cli.characters import visible

#: Cells between two columns.
GAP = 2
#: A name, and a text, keep so many cells before a column leaves; the last that stay, so many.
NAME, TEXT, LEAST = 24, 16, 8
#: Where a shortened name is cut, as a share of it, until no two names look alike.
_CUTS = (0.5, 0.35, 0.65, 0.2, 0.8, 0.05, 0.95)

#: What stands together on a line: a wide character or a word, with the marks around it.
_WIDE = "\u2e80-\u303f\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_OPENS, _CLOSES = "（“‘《【", "，。；：、！？）”’》】…"
_PIECES = re.compile(f"[{_OPENS}]*(?:[^\\s{_WIDE}{_OPENS}{_CLOSES}]+|[{_WIDE}])?[{_CLOSES}]*\\s*")

Cut = Literal["never", "middle", "end"]


@dataclass
class Column(table.Column):
    """A column that knows when it may be left out, and how its cells may be shortened.

    Args:
        leaves: the highest leaves first; 0 stays.
        cut: numbers `never`, names in the `middle`, texts at the `end`.
    """

    leaves: int = 0
    cut: Cut = "end"


def number(header: str, leaves: int = 0) -> Column:
    """A column of numbers: on the right, whole."""
    return Column(header, justify="right", leaves=leaves, cut="never")


def name(header: str, leaves: int = 0) -> Column:
    """A column of names: shortened in the middle, where two are seldom different."""
    return Column(header, leaves=leaves, cut="middle")


def text(header: str, leaves: int = 0) -> Column:
    """A column of words: shortened at the end."""
    return Column(header, leaves=leaves, cut="end")


def word(header: str, leaves: int = 0) -> Column:
    """A column of single words, such as a state: whole."""
    return Column(header, leaves=leaves, cut="never")


@dataclass(frozen=True)
class _Wide:
    """A column in cells: what it takes whole, what it can do with, and when it leaves."""

    whole: int
    least: int
    leaves: int
    cut: Cut


def chosen(columns: Sequence[_Wide], width: int) -> list[int]:
    """Which columns stay in so many cells, in their order."""
    stay = list(range(len(columns)))
    while sum(columns[i].least for i in stay) + GAP * (len(stay) - 1) > width:
        last = max(stay, key=lambda i: (columns[i].leaves, i))
        if not columns[last].leaves:
            break
        stay.remove(last)
    return stay


def widths(columns: Sequence[_Wide], width: int) -> list[int]:
    """How many cells each gets: numbers their own, then names, then texts, as far as it goes."""
    given = [column.least for column in columns]
    left = width - sum(given) - GAP * (len(columns) - 1)
    if left < 0:  # The last columns that may not leave: what can be shortened is shortened more.
        for i, column in enumerate(columns):
            if column.cut != "never":
                less = min(-left, given[i] - min(given[i], LEAST))
                given[i] -= less
                left += less
    for kind in ("middle", "end"):
        while left > 0:
            short = [i for i, c in enumerate(columns) if c.cut == kind and given[i] < c.whole]
            if not short:
                break
            # The shortest first, so that two names end up as long as each other.
            least = min(short, key=lambda i: given[i])
            given[least] += 1
            left -= 1
    return given


def shortened(texts: Sequence[str], width: int, cut: Cut) -> list[str]:
    """Texts of at most so many cells. Names stay as different as they were, where that can be."""
    if cut == "never":
        return list(texts)
    if cut == "end":
        return [_cut(one, width, width - 1) for one in texts]
    different = len(set(texts))
    first: list[str] = []
    for share in _CUTS:
        found = [_cut(one, width, round(share * (width - 1))) for one in texts]
        if len(set(found)) == different:
            return found
        first = first or found
    return first


def _cut(one: str, width: int, head: int) -> str:
    """A text with `…` in place of what stands behind `head` cells, so that it fits."""
    if cell_len(one) <= width:
        return one
    start = _taken(one, head)
    rest = _taken(one[::-1], width - 1 - cell_len(start))
    return f"{start}…{rest[::-1]}"


def _taken(one: str, cells: int) -> str:
    """The beginning of a text, as far as it fits."""
    used, end = 0, 0
    for end, character in enumerate(one):
        used += cell_len(character)
        if used > cells:
            return one[:end]
    return one


def wrapped(prose: str, width: int) -> list[str]:
    """Sentences as lines of at most so many cells.

    Lines end between words, and between wide characters, which no space parts; a line begins with
    no mark that closes something, and ends with none that opens it. A word that is longer than a
    line is cut nowhere.
    """
    lines, line, used = [], "", 0
    for piece in filter(None, _PIECES.findall(prose)):
        cells = cell_len(piece.rstrip())
        if line and used + cells > width:
            lines.append(line.rstrip())
            line, used = "", 0
        line += piece
        used += cell_len(piece)
    return [*lines, line.rstrip()]


def _rule(place: int, column: table.Column) -> tuple[int, Cut]:
    """When a column leaves and how it is cut; of a plain one, by its place and its side."""
    if isinstance(column, Column):
        return column.leaves, column.cut
    if column.justify == "right":
        return place, "never"
    return place, "middle" if place == 0 else "end"


class Fitted:
    """A table that is drawn as wide as there is room.

    Args:
        whole: the table.
        left_out: says which headings were left out; nothing is said without it.
    """

    def __init__(
        self, whole: table.Table, left_out: Callable[[list[str], int], str] | None = None
    ) -> None:
        self.table = whole
        self.left_out = left_out

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        """The heading, a rule, and a line a row."""
        cells = [[_line(column.header), *map(_line, column.cells)] for column in self.table.columns]
        wide = [self._wide(i, column) for i, column in enumerate(cells)]
        stay = chosen(wide, options.max_width)
        given = widths([wide[i] for i in stay], options.max_width)
        for i, width in zip(stay, given, strict=True):
            whole = cells[i]
            short = shortened([cell.plain for cell in whole[1:]], width, wide[i].cut)
            heading = shortened(
                [whole[0].plain], width, "never" if wide[i].cut == "never" else "end"
            )
            for cell, told in zip(whole, [*heading, *short], strict=True):
                if told != cell.plain:
                    cell.plain = told
                space = width - cell_len(told)
                if self.table.columns[i].justify == "right":
                    cell.pad_left(max(0, space))
                else:
                    cell.pad_right(max(0, space))
        rule = "─" * (sum(given) + GAP * (len(given) - 1))
        for row in range(len(self.table.rows) + 1):
            line = Text(" " * GAP, end="").join([cells[i][row] for i in stay])
            line.rstrip()
            line.no_wrap, line.overflow, line.end = True, "ignore", "\n"
            if row == 0:
                line.stylize("bold")
            yield line
            if row == 0:
                yield Text(rule, no_wrap=True, overflow="ignore")
        gone = [cells[i][0].plain for i in range(len(cells)) if i not in stay]
        if gone and self.left_out is not None:
            told = self.left_out(gone, options.max_width)
            yield Text("\n".join(wrapped(told, options.max_width)), "dim")

    def _wide(self, place: int, column: Sequence[Text]) -> _Wide:
        leaves, cut = _rule(place, self.table.columns[place])
        whole = max(cell_len(cell.plain) for cell in column)
        heading = cell_len(column[0].plain)
        least = {"never": whole, "middle": min(whole, NAME), "end": min(whole, TEXT)}[cut]
        return _Wide(whole, max(least, min(heading, whole)), leaves, cut)


def _line(cell: Any) -> Text:
    """A cell on one line, its style kept."""
    shown = cell.copy() if isinstance(cell, Text) else Text(str(cell))
    told = visible(" ".join(shown.plain.split()))
    if told != shown.plain:
        shown.plain = told
    shown.end = ""
    return shown
