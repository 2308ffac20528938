"""One class, spelled in several ways: what is the same class, what is none, and what is asked.

1, 1.0 and "1" are one class, as are True and TRUE, "tech" and " tech " with a no-break space, one
accent written in two ways, or with a zero-width space in it: nobody means two. By case alone, as
in `tech` and `Tech`, or by a letter of another script that looks the same, as in `sport` with a
Cyrillic o, somebody may, and it is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from suite.data.kept import by_value
from suite.data.values import is_missing, spelled
from suite.errors import DataError, counted

#: Characters without width, which are seen by nobody: joiners, marks of order, a BOM, soft hyphens,
#: variants of a picture; and what steers a terminal, NUL above all, but for white space.
_UNSEEN = dict.fromkeys(
    [
        *map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0e\ufe0f"),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *(code for code in (*range(0x20), *range(0x7F, 0xA0)) if not chr(code).isspace()),
    ]
)
_POINT_ZERO = re.compile(r"([+-]?\d{1,15})\.0+")
_TRUTHS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}
#: How tables write that there is no value.
_NONE = frozenset({
    "", "nan", "NaN", "NA", "N/A", "n/a", "null", "NULL", "Null", "<NA>",
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!",  # of spreadsheets
})  # fmt: skip
#: What some write for it, and others for a class.
_DOUBTFUL = frozenset({"none", "nil", "-", "--", "---", "?", ".", "n.a.", "missing", "undefined"})

#: Spellings that are remembered, at most.
_MOST_KNOWN = 10_000

#: Letters of Cyrillic and Greek that look as a Latin one does, in the same case: those of Unicode's
#: table of confusables (UTS 39) that keyboards have.
_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТУХҮаеѕіјорсухһ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυ",
    "ABESIJKMHOPCTYXYaesijopcyxh" + "ABEZHIKMNOPTYXaikvopu",
)

Case = Literal["merge", "keep"]


class CaseDiffers(DataError):
    """Labels that differ by case or look-alike letters alone, and nobody said whether they are one
    class or several.

    `groups` has them, each spelling with its rows, the commonest first.
    """

    def __init__(self, groups: Sequence[Mapping[str, int]], where: str) -> None:
        some = [
            " and ".join(f"{_seen_apart(name, group)} ({count:,})" for name, count in group.items())
            for group in groups[:5]
        ]
        more = f"; and {len(groups) - 5} more" if len(groups) > 5 else ""
        letters = ", or by letters that only look alike," if _looked(groups) else ""
        super().__init__(
            f"labels that differ by case{letters} alone: {'; '.join(some)}{more}",
            where=where,
            fix="--merge-case makes one class of them, --keep-case keeps them apart; in a task: "
            "data: {reading: {case: merge}}, or keep.",
        )
        self.groups = [dict(group) for group in groups]


class Unlabelled(DataError):
    """A split whose rows have no label, though the column is there."""

    def __init__(self, split: str, rows: int, value: str | None, where: str) -> None:
        every = "its one row has" if rows == 1 else f"all {rows:,} of its rows have"
        has = "no label" if value is None else f"the label '{value}', which train has not"
        super().__init__(
            f"{split} is unlabelled: {every} {has}",
            where=where,
            fix="Have test carved from train: --test-share 0.2, or in the task, "
            "data: {test: {share: 0.2}}."
            if split == "test"
            else "Leave the file away: validation is then carved from train.",
        )
        self.split = split


def spell(value: Any) -> str:
    """A raw label as text, the same for every way to write the class.

    >>> [spell(one) for one in (3, 3.0, " 3.0", "ｔｅｃｈ\u200b", "caf\u0065\u0301", "TRUE", True)]
    ['3', '3', '3', 'tech', 'café', 'true', 'true']
    """
    text = value if isinstance(value, str) else (spelled(value) or str(value))
    if not text.isascii() or not text.isprintable():
        text = unicodedata.normalize("NFKC", text.translate(_UNSEEN))
    text = " ".join(text.split())
    if (whole := _POINT_ZERO.fullmatch(text)) is not None:
        text = whole[1]
    return _TRUTHS.get(text, text)


def no_label(value: Any) -> bool:
    """Whether a cell of labels is empty: null, NaN, blank, or what tables write for that."""
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            return value.strip() in _NONE
        return value.translate(_UNSEEN).strip() in _NONE
    return is_missing(value)


def doubtful(name: str) -> bool:
    """Whether a class is called as some call a row that has none."""
    return name.casefold() in _DOUBTFUL


class Merged:
    """Counts the ways in which classes are written."""

    def __init__(self) -> None:
        self._ways: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, value: Any, rows: int = 1) -> str:
        """A label that so many more rows have; how it is spelled."""
        name = spell(value)
        self._ways[name][value if isinstance(value, str) else repr(value)] += rows
        return name

    @property
    def counts(self) -> dict[str, int]:
        """Rows by spelling."""
        return {name: ways.total() for name, ways in self._ways.items()}

    def notes(self) -> list[str]:
        """What was merged, for those who read results."""
        several = {
            name: ways
            for name, ways in self._ways.items()
            if len({_shown(way) for way in ways}) > 1
        }
        if not several:
            return []
        rows, some = 0, []
        for ways in several.values():
            (most, _), *others = ways.most_common()
            rows += sum(count for _, count in others)
            some += [f"{_shown(way)} as {_shown(most)} ({count:,})" for way, count in others]
        more = f", and {len(some) - 5} more" if len(some) > 5 else ""
        return [
            f"{counted(rows, 'label')} {'is' if rows == 1 else 'are'} spelled otherwise than the "
            f"others of the class, and {'was' if rows == 1 else 'were'} merged: "
            f"{', '.join(some[:5])}{more}"
        ]


def _seen_apart(name: str, group: Mapping[str, int]) -> str:
    """A spelling in quotes; where another of its group looks the same, with its letters' codes."""
    same = any(name != other and name.translate(_ALIKE) == other for other in group) or any(
        name != other and name == other.translate(_ALIKE) for other in group
    )
    if not same or name.isascii():
        return f"'{name}'"
    return "'" + "".join(f"\\u{ord(c):04x}" if ord(c) in _ALIKE else c for c in name) + "'"


def _shown(way: str) -> str:
    """A spelling whose unseen characters are seen."""
    return "'" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in way) + "'"


def settle_case(
    counts: Mapping[str, int], case: Case | None, where: str
) -> tuple[dict[str, str], list[str]]:
    """Spelling -> the one that stands for its class, and what is to be said of it.

    Args:
        counts: rows by spelling.
        case: what was said of spellings that differ by case, or look-alike letters, alone.

    Raises:
        CaseDiffers: some do, and nothing was said.
        DataError: truth values stand beside the numbers that mean them.
    """
    _check_truths(counts, where)
    groups = by_case(counts)
    if not groups or case == "keep":
        return {name: name for name in counts}, []
    if case is None:
        raise CaseDiffers(groups, where)
    one = {name: name for name in counts}
    for group in groups:
        one |= dict.fromkeys(group, next(iter(group)))
    merged = sum(sum(list(group.values())[1:]) for group in groups)
    return one, [merged_note(merged, groups)]


def merged_note(rows: int, groups: Iterable[Iterable[str]]) -> str:
    """What is said of labels that were merged because somebody said so."""
    letters = " or in letters that look alike" if _looked(groups) else ""
    return f"{counted(rows, 'label')} merged with the same in another case{letters}"


def _looked(groups: Iterable[Iterable[str]]) -> bool:
    """Whether some differ by more than case."""
    return any(len(set(map(str.casefold, group))) > 1 for group in groups)


def _check_truths(counts: Mapping[str, int], where: str) -> None:
    """
    Args:
        counts: rows by spelling.

    Raises:
        DataError: truth values stand beside the numbers that mean them.
    """
    truths = {"true", "false"}
    if counts.keys() <= truths | {"0", "1"} and counts.keys() & truths and counts.keys() - truths:
        some = ", ".join(f"'{name}' ({count:,})" for name, count in sorted(counts.items()))
        raise DataError(
            f"labels are truth values and numbers: {some}",
            where=where,
            fix="Write them in one way: true and false, or 1 and 0.",
        )


def alike(name: str) -> tuple[str, str]:
    """Two forms of a spelling; what shares one of them with it differs by case, or by letters that
    look alike, alone. (Small letters need not look alike where their capitals do.)"""
    return name.casefold(), name.translate(_ALIKE).casefold()


def by_case(counts: Mapping[str, int]) -> list[dict[str, int]]:
    """The spellings that are `alike`, together, the commonest first."""
    together: dict[str, list[str]] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        met = [together[form] for form in alike(name) if form in together]
        group = met[0] if met else []
        for other in met[1:]:
            if other is not group:
                group += other
                together |= {form: group for one in other for form in alike(one)}
        group.append(name)
        together |= dict.fromkeys(alike(name), group)
    groups = {id(group): group for group in together.values() if len(group) > 1}
    return [
        {name: counts[name] for name in sorted(group, key=lambda name: (-counts[name], name))}
        for group in groups.values()
    ]


def speller() -> Callable[[Any], str | None]:
    """`spell` that remembers the texts it met; None for what is no label."""
    known: dict[str, str | None] = {}

    def spelled_once(value: Any) -> str | None:
        if isinstance(value, str) and value in known:
            return known[value]
        name = None if no_label(value) else spell(value)
        if isinstance(value, str) and len(known) < _MOST_KNOWN:
            known[value] = name
        return name

    return spelled_once


def spellings(*columns: Sequence[Any]) -> Counter[str | None]:
    """How often labels come, as `spell` has them; None stands for none."""
    found: Counter[str | None] = Counter()
    spelled_once = speller()
    for column in columns:
        for value, rows in by_value(column):
            found[spelled_once(value)] += rows
    return found


def check_labelled(labels: Mapping[str, Counter[str | None]], where: Mapping[str, str]) -> None:
    """
    Args:
        labels: of each split, as `spellings` has them.

    Raises:
        Unlabelled: test or validation have none, or one and the same that train has not.
    """
    known = set(labels["train"]) - {None}
    for split in ("test", "validation"):
        distinct = labels.get(split, Counter())
        rows = distinct.total()
        if len(distinct) != 1 or distinct.keys() <= known or not known:
            continue
        # A single row, or classes that have no row in train, may well be what they say.
        value = next(iter(distinct))
        if value is None or value in ("-1", "-100") or (rows > 1 and len(known) > 1):
            raise Unlabelled(split, rows, value, where[split])
