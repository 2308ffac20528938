"""What models answered to rows that they had not seen: kept with a study, and read back."""

from __future__ import annotations

import numpy as np
import pytest

from suite.contracts.strategy import Rows
from suite.data import answered
from suite.errors import DataError

ROWS = Rows(("one", "two", "three"), (0, 1, 1))


def test_a_file_of_probabilities_is_read_as_it_was_written_or_not_at_all(tmp_path):
    shares = np.array([[0.2, 0.8], [0.0, 0.0], [0.99996, 0.00004]], np.float32)
    file = tmp_path / "made" / "file"
    known = answered.write(file, shares, "validation", ROWS)
    assert (known.which, known.rows, known.classes, len(known.digest)) == ("validation", 3, 2, 16)
    found = answered.read(file, known)
    assert found.dtype == np.float32 and np.abs(found - shares).max() <= 0.0005
    assert not found[1].any() and found[[0, 2]].any(axis=1).all()
    content = file.read_bytes()
    for damaged in (content[:-1], content + b"x", b""):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match="changed since"):
            answered.read(file, known)
    file.unlink()
    with pytest.raises(DataError, match="no such file"):
        answered.read(file, known)


def test_of_a_hundred_thousand_classes_no_answer_is_still_told_from_the_even_one(tmp_path):
    even = np.full((1, 100_000), 1e-5, np.float32)
    known = answered.write(tmp_path / "file", even, "test", Rows(("a",), (0,)))
    assert answered.read(tmp_path / "file", known).all()
