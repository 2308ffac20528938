"""What is odd about the data: found when it is loaded, kept with the results, shown.

A leak between train and test, a label set twice over, a class without test rows: each makes a
number mean something else, so each is said.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from suite.contracts.rowfacts import Audit, SplitAudit
from suite.contracts.strategy import Rows
from suite.data import near
from suite.errors import counted

_NOT_WORDS = re.compile(r"[\W_]+")

#: From here on, the ratio of the largest class to the smallest is worth a warning.
IMBALANCE = 5.0

#: A score that one answer moves so far can't tell arms apart that are close: twice the margin
#: within which an arm is as good as the best.
TELLING = 0.02


def normalise(text: str) -> str:
    """A text without its case, spaces, punctuation and width: what near repeats share.

    A text of nothing but punctuation stays as it is.

    >>> normalise("Hello,  WORLD！") == normalise("hello world")
    True
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _NOT_WORDS.sub("", text.casefold()) or text


def audit(train: Rows, validation: Rows, test: Rows, labels: Sequence[str]) -> Audit:
    """The audit of three splits. Linear in the rows.

    100,000 rows of 260 characters take some 8 s and 150 MB on two cores, most of it for those that
    nearly repeat others.
    """
    splits = {"train": train, "validation": validation, "test": test}
    forms = {name: [normalise(t) for t in rows.texts] for name, rows in splits.items()}
    signed = {name: near.signatures(own[: near.MOST_ROWS]) for name, own in forms.items()}
    train_texts = set(train.texts)
    train_forms = set(forms["train"])
    found = Audit(
        splits={
            name: replace(
                _split(rows, forms[name], len(labels)),
                near_duplicates=int(near.repeated(signed[name]).sum()),
            )
            for name, rows in splits.items()
        },
        test_in_train=_inside(test.texts, train_texts),
        test_in_train_normalised=_inside(forms["test"], train_forms),
        validation_in_train=_inside(validation.texts, train_texts),
        test_near_train=_nearly(test, signed["test"], signed["train"]),
        validation_near_train=_nearly(validation, signed["validation"], signed["train"]),
        near_rows=near.MOST_ROWS if any(len(r) > near.MOST_ROWS for r in splits.values()) else None,
    )
    return replace(found, warnings=warnings(found, labels))


def near_train(train: Rows, test: Rows) -> list[bool]:
    """Which test rows train nearly holds, or holds outright; empty ones are counted elsewhere.

    Those beyond `near.MOST_ROWS` are taken for rows that it does not hold.
    """
    signed = [
        near.signatures([normalise(t) for t in rows.texts[: near.MOST_ROWS]])
        for rows in (train, test)
    ]
    flags = near.held(signed[1], signed[0])
    beyond = [False] * (len(test) - len(flags))
    return [bool(f) and bool(t.strip()) for f, t in zip(flags, test.texts, strict=False)] + beyond


def _nearly(rows: Rows, signed: near.Signatures, train: near.Signatures) -> int:
    flags = near.held(signed, train)
    return sum(1 for f, text in zip(flags, rows.texts, strict=False) if f and text.strip())


def _inside(texts: Sequence[str], known: set[str]) -> int:
    """How many of the texts are known; empty ones are counted elsewhere."""
    return sum(1 for text in texts if text in known and text.strip())


def _split(rows: Rows, forms: Sequence[str], classes: int) -> SplitAudit:
    counts = Counter(rows.labels)
    lengths = sorted(len(text) for text in rows.texts)
    labels_of: dict[str, int] = {}
    conflicting: set[str] = set()
    for text, label in zip(rows.texts, rows.labels, strict=True):
        if labels_of.setdefault(text, label) != label:
            conflicting.add(text)
    total = len(lengths)
    return SplitAudit(
        rows=total,
        empty=sum(1 for text in rows.texts if not text.strip()),
        exact_duplicates=total - len(labels_of),
        normalised_duplicates=total - len(set(forms)),
        conflicting_labels=len(conflicting),
        class_counts=[counts[index] for index in range(classes)],
        length_mean=sum(lengths) / total if total else 0.0,
        length_p50=_percentile(lengths, 50),
        length_p95=_percentile(lengths, 95),
        length_max=lengths[-1] if lengths else 0,
        length_quantiles=[_percentile(lengths, percent) for percent in range(0, 101, 5)]
        if lengths
        else [],
    )


def _percentile(ordered: Sequence[int], percent: int) -> int:
    """Nearest rank: the smallest value with at least this part of the values at or below it."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


def warnings(found: Audit, labels: Sequence[str]) -> list[str]:
    """What a reader must know before believing a number, one sentence each."""
    said: list[str] = []
    if found.test_in_train:
        said.append(f"{_texts(found.test_in_train, 'test')} also in train")
    more = found.test_in_train_normalised - found.test_in_train
    if more > 0:
        also = " more" if found.test_in_train else ""
        said.append(
            f"{_texts(more, f'{also} test'.strip())} also in train, but for case, spaces and "
            "punctuation"
        )
    if found.validation_in_train:
        said.append(f"{_texts(found.validation_in_train, 'validation')} also in train")
    for name, known, count in (
        ("test", found.test_in_train_normalised, found.test_near_train),
        ("validation", found.validation_in_train, found.validation_near_train),
    ):
        if count is not None and count > known:
            also = "more " if known else ""
            said.append(
                f"{_texts(count - known, f'{also}{name}')} nearly in train: a few words differ"
            )
    for name, split in found.splits.items():
        if split.empty:
            said.append(f"{_texts(split.empty, name)} empty")
        if split.conflicting_labels:
            count = split.conflicting_labels
            verb = "stands" if count == 1 else "stand"
            said.append(f"{_noun(count, name)} {verb} under more than one label")
        if split.rows and split.exact_duplicates / split.rows >= 0.01:
            verb = (
                "repeats an earlier one" if split.exact_duplicates == 1 else "repeat earlier ones"
            )
            said.append(f"{_noun(split.exact_duplicates, name)} {verb}")
        more = (split.near_duplicates or 0) - split.normalised_duplicates
        if split.rows and more / split.rows >= 0.01:
            verb = "nearly repeats an earlier one" if more == 1 else "nearly repeat earlier ones"
            said.append(f"{_noun(more, name)} {verb}")
    counts = found.splits["train"].class_counts
    present = [count for count in counts if count]
    if present and max(present) / min(present) >= IMBALANCE:
        big, small = max(present), min(present)
        said.append(
            f"the largest class of train ({labels[counts.index(big)]}, {big:,}) is "
            f"{big / small:.0f}× the smallest ({labels[counts.index(small)]}, {small:,})"
        )
    for name, split in found.splits.items():
        missing = [label for label, n in zip(labels, split.class_counts, strict=True) if not n]
        if missing:
            listed = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            verb = "class has" if len(missing) == 1 else "classes have"
            said.append(f"{len(missing)} {verb} no {name} row: {listed}")
    return [*said, *_weight(found.splits["test"], labels)]


def _weight(test: SplitAudit, labels: Sequence[str]) -> Iterator[str]:
    """How far one answer moves the score of a small test, or of one with a class of few rows.

    Where all are answered rightly but one, of the smallest class c, taken for the largest d, F1 is
    2(c - 1) / (2c - 1) of the one and 2d / (2d + 1) of the other.
    """
    present = sorted(count for count in test.class_counts if count)
    if not present:
        return
    small, large = present[0], present[-1]
    moved = (1 / (2 * small - 1) + 1 / (2 * large + 1)) / len(present)
    if moved >= TELLING:
        rows = counted(test.rows, "row")
        least = labels[test.class_counts.index(small)]
        of = "" if small * len(present) == test.rows else f", of '{least}' {small:,}"
        yield (f"test has {rows}{of}: its macro-F1 moves by {moved:.2f} when one answer changes")


def _noun(count: int, kind: str) -> str:
    return counted(count, f"{kind} text")


def _texts(count: int, kind: str) -> str:
    return f"{_noun(count, kind)} {'is' if count == 1 else 'are'}"
