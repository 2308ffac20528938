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

import numpy as np
from numpy.typing import NDArray

from suite.contracts.balancing import are_rare
from suite.contracts.rowfacts import Audit, SplitAudit
from suite.contracts.strategy import Rows
from suite.data import near
from suite.data.kept import batches
from suite.errors import counted

_NOT_WORDS = re.compile(r"[\W_]+")
#: The same of ASCII: small letters, and what is left out.
_LOWER = bytes(range(256)).lower()
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())

Hashes = NDArray[np.int64]

#: A score that one answer moves so far can't tell arms apart that are close: twice the margin
#: within which an arm is as good as the best.
TELLING = 0.02


def normalise(text: str) -> str:
    """A text without its case, spaces, punctuation and width: what near repeats share.

    A text of nothing but punctuation stays as it is.

    >>> normalise("Hello,  WORLD！") == normalise("hello world")
    True
    """
    if text.isascii():
        return text.encode().translate(_LOWER, _NO_LETTERS).decode() or text
    text = unicodedata.normalize("NFKC", text)
    return _NOT_WORDS.sub("", text.casefold()) or text


def audit(train: Rows, validation: Rows, test: Rows, labels: Sequence[str]) -> Audit:
    """The audit of three splits. Linear in the rows: each is read once, and leaves two hashes, its
    length and, of the first `near.MOST_ROWS` of a split, what it is compared by.

    100,000 rows of 260 characters take some 4 s and 60 MB on two cores, most of it for those that
    nearly repeat others.
    """
    splits = {"train": train, "validation": validation, "test": test}
    seen = {name: _Seen(rows) for name, rows in splits.items()}
    known = seen["train"]
    found = Audit(
        splits={
            name: replace(
                _split(own, rows.labels, len(labels)),
                near_duplicates=int(near.repeated(own.signed).sum()),
            )
            for (name, own), rows in zip(seen.items(), splits.values(), strict=True)
        },
        test_in_train=_inside(seen["test"].texts, known.texts, seen["test"].blank),
        test_in_train_normalised=_inside(seen["test"].forms, known.forms, seen["test"].blank),
        validation_in_train=_inside(
            seen["validation"].texts, known.texts, seen["validation"].blank
        ),
        test_near_train=_nearly(seen["test"], known),
        validation_near_train=_nearly(seen["validation"], known),
        near_rows=near.MOST_ROWS if any(len(r) > near.MOST_ROWS for r in splits.values()) else None,
    )
    return replace(found, warnings=warnings(found, labels))


class _Seen:
    """What an audit keeps of a split's texts: hashes of 64 bits in their place, for of ten million
    texts two agree by chance once in 400,000 audits."""

    def __init__(self, rows: Rows) -> None:
        size = len(rows)
        self.texts = np.empty(size, np.int64)
        self.forms = np.empty(size, np.int64)
        self.lengths = np.empty(size, np.int64)
        self.blank = np.zeros(size, bool)
        signed: list[near.Signatures] = []
        begin = 0
        for some in batches(rows.texts):
            end = begin + len(some)
            forms = [normalise(text) for text in some]
            self.texts[begin:end] = list(map(hash, some))
            self.forms[begin:end] = list(map(hash, forms))
            self.lengths[begin:end] = list(map(len, some))
            self.blank[begin:end] = [not text.strip() for text in some]
            if begin < near.MOST_ROWS:
                signed.append(near.signatures(forms[: near.MOST_ROWS - begin]))
            begin = end
        self.signed = np.concatenate([*signed, near.signatures(())])


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


def _nearly(rows: _Seen, train: _Seen) -> int:
    flags = near.held(rows.signed, train.signed)
    return int((flags & ~rows.blank[: len(flags)]).sum())


def _inside(hashes: Hashes, known: Hashes, blank: NDArray[np.bool_]) -> int:
    """How many of the texts are known; empty ones are counted elsewhere."""
    return int((np.isin(hashes, known) & ~blank).sum())


def _split(seen: _Seen, labels: Sequence[int], classes: int) -> SplitAudit:
    counts = Counter(labels)
    lengths = np.sort(seen.lengths)
    total = len(lengths)
    return SplitAudit(
        rows=total,
        empty=int(seen.blank.sum()),
        exact_duplicates=total - len(np.unique(seen.texts)),
        normalised_duplicates=total - len(np.unique(seen.forms)),
        conflicting_labels=_conflicting(seen.texts, np.asarray(labels, np.int64)),
        class_counts=[counts[index] for index in range(classes)],
        length_mean=int(lengths.sum()) / total if total else 0.0,
        length_p50=_percentile(lengths, 50),
        length_p95=_percentile(lengths, 95),
        length_max=int(lengths[-1]) if total else 0,
        length_quantiles=[_percentile(lengths, percent) for percent in range(0, 101, 5)]
        if total
        else [],
    )


def _conflicting(texts: Hashes, labels: NDArray[np.int64]) -> int:
    """How many texts stand under more than one label."""
    order = np.lexsort((labels, texts))
    texts, labels = texts[order], labels[order]
    other = (np.diff(texts) == 0) & (np.diff(labels) != 0)
    return len(np.unique(texts[1:][other]))


def _percentile(ordered: NDArray[np.int64], percent: int) -> int:
    """Nearest rank: the smallest value with at least this part of the values at or below it."""
    size = len(ordered)
    return int(ordered[max(0, -(-size * percent // 100) - 1)]) if size else 0


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
    if are_rare(counts):
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
