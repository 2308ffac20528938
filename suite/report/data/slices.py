"""What arms score on parts of test: the table of the arm to take, and what of it is no chance."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.language import UNKNOWN
from suite.contracts.results import StudyResults
from suite.contracts.slices import CLASS_SIZE, FEWEST_ROWS, LANGUAGE, LENGTH, Drift, Slice, Slices
from suite.report import formats
from suite.report.words import Words
from suite.verdict.interval import LEVEL, ROWS_PER_CLASS
from suite.verdict.slicing import worst

#: Of a coin: what a classifier between two splits comes to where they do not differ.
COIN = 0.5
#: Classes that are named.
NAMED = 12


@dataclass(frozen=True)
class SliceRow:
    """A part's line: what it is, its rows, and what the arm scores there; "" where that is too few
    rows or nothing to compare with."""

    by: str
    value: str
    rows: int
    f1: float | None
    interval: tuple[float, float] | None
    right: str
    expected: str
    p: str
    real: bool


def arm_of(results: StudyResults) -> str | None:
    """The arm that is told of: the one to take."""
    verdict = results.verdict
    return verdict.recommended if verdict and results.slices else None


def slice_rows(results: StudyResults, words: Words) -> list[SliceRow]:
    """The table's lines, in the order in which parts were made; none without finals."""
    arm = arm_of(results)
    if arm is None or results.slices is None:
        return []
    return [_row(one, arm, words) for one in results.slices.slices]


def _row(one: Slice, arm: str, words: Words) -> SliceRow:
    by, value = by_of(one, words), value_of(one, words)
    score = next((score for score in one.scores if score.arm == arm), None)
    if score is None:
        return SliceRow(by, value, one.rows, None, None, "", "", "", real=False)
    return SliceRow(
        by=by,
        value=value,
        rows=one.rows,
        f1=score.macro_f1,
        interval=score.interval,
        right=formats.percent(score.right),
        expected=formats.percent(score.expected),
        p="" if score.p is None else formats.p_value(score.p),
        real=score.p is not None and score.p < LEVEL,
    )


def by_of(one: Slice, words: Words) -> str:
    """What rows are parted by, in words; a column by its name."""
    known = {
        LENGTH: words("slices_length"),
        LANGUAGE: words("slices_language"),
        CLASS_SIZE: words("slices_class_size"),
    }
    return formats.name(one.by) if one.column else known.get(one.by, formats.name(one.by))


def value_of(one: Slice, words: Words) -> str:
    """What they have in common."""
    if one.by == LANGUAGE and one.value == UNKNOWN and not one.column:
        return words("slices_no_language")
    return formats.name(one.value) or words("slices_none")


def slice_sentences(results: StudyResults, words: Words) -> list[str]:
    """What of it is no chance, and which classes nothing can be said of."""
    found = results.slices
    if found is None:
        return []
    said = [_compared(results, found, words)]
    if narrow := sum(any(score.narrow for score in one.scores) for one in found.slices):
        said.append(words("slices_narrow", n=narrow, least=formats.plain(ROWS_PER_CLASS)))
    said += [_drifted(one, words) for one in found.drift]
    if found.few:
        named = [
            words("slices_few_class", label=formats.name(label), train=train, test=test)
            for label, (train, test) in list(found.few.items())[:NAMED]
        ]
        said.append(
            words(
                "slices_few",
                n=len(found.few),
                least=FEWEST_ROWS,
                classes=words.join(named) + (" …" if len(found.few) > NAMED else ""),
            )
        )
    said += [
        words("slices_left_out", column=formats.name(column), n=left)
        for column, left in found.left_out.items()
    ]
    return said


def _compared(results: StudyResults, found: Slices, words: Words) -> str:
    """Which part is the weakest, or that none is known to be."""
    if weak := weak_slice(results, words):
        return weak
    compared = _counted(found)
    return words("slices_chance", n=compared) if compared else words("slices_not_compared")


def weak_slice(results: StudyResults, words: Words) -> str:
    """Where the arm to take falls furthest below what is expected, where that is no chance; else
    empty."""
    arm = arm_of(results)
    if arm is None or results.slices is None:
        return ""
    found = worst(results.slices.slices, arm, LEVEL)
    if found is None:
        return ""
    one, score = found
    told: dict[str, str | int] = {
        "arm": formats.name(arm),
        "value": value_of(one, words),
        "rows": one.rows,
        "p": formats.p_told(score.p or 0.0),
        "n": _counted(results.slices),
    }
    if score.elsewhere is not None:
        return words(
            "slices_weak_classes",
            f1=formats.score(score.macro_f1),
            elsewhere=formats.score(score.elsewhere),
            **told,
        )
    return words(
        "slices_weak",
        by=by_of(one, words),
        right=formats.percent(score.right),
        expected=formats.percent(score.expected),
        **told,
    )


def _counted(found: Slices) -> int:
    """Parts that were compared."""
    return sum(any(score.p is not None for score in one.scores) for one in found.slices)


def _drifted(one: Drift, words: Words) -> str:
    splits = {"one": words(f"split_{one.one}"), "other": words(f"split_{one.other}")}
    key = "slices_drift" if one.interval[0] > COIN else "slices_no_drift"
    return words(
        key, auroc=formats.score(one.auroc), interval=formats.interval(one.interval), **splits
    )
