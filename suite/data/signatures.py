"""What a file is by its first bytes, where its name says something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from suite.errors import DataError

#: First bytes -> what begins so, the formats that it may be called by, and what to do with it.
_BINARY = (
    (b"\x1f\x8b", "gzip", (), "If it is a packed table, let its name end in .gz, once for each "
     "time it was packed."),
    (b"\x28\xb5\x2f\xfd", "zstd", (), "If it is a packed table, let its name end in .zst."),
    (b"PK\x03\x04", "a zip archive, as workbooks are too", ("xlsx",), "Call a workbook .xlsx; "
     "take rows out of an archive."),
    (b"PAR1\x15", "Parquet", ("parquet",), "Let its name end in .parquet."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of the old kind (.xls) or another document "
     "of Office", (), "Save it as .xlsx or as CSV."),
    (b"SQLite format 3\0", "an SQLite database", (), "Write its table as CSV."),
    (b"%PDF-", "a PDF", (), "Rows are wanted, for example as CSV."),
    (b"\x89PNG\r\n", "a picture", (), "Rows are wanted, for example as CSV."),
    (b"\xff\xd8\xff", "a picture", (), "Rows are wanted, for example as CSV."),
    (b"\x89HDF\r\n", "HDF5", (), "Write its table as CSV or Parquet."),
    (b"\x93NUMPY", "an array of NumPy", (), "Write the rows as CSV or Parquet."),
    (b"\x80\x04\x95", "a pickle", (), "Write the rows as CSV or Parquet."),
)  # fmt: skip
#: How text begins that is no CSV -> what it is, and what to do with it.
_TEXTS = (
    (rb'\{\s*"|\[\s*[{\["]', "JSON", "Let its name end in .jsonl or .json."),
    (rb"(?i)<(!doctype html|html|\?xml|table)", "HTML or XML", "Write the rows as CSV."),
    (rb"__label__[^\s,;|]+[ \t]", "fastText's lines", "Let its name end in .txt."),
)

#: Bytes that are looked at.
LOOKED = 512


def check(first: bytes, kind: str, where: str) -> None:
    """
    Args:
        first: how the file begins, unpacked.
        kind: the format that its name says.

    Raises:
        DataError: it is of another.
    """
    for what, fix in _others(first, kind):
        raise DataError(
            f"by how it begins this is {what}, and not what its name says", where=where, fix=fix
        )


def _others(first: bytes, kind: str) -> Iterator[tuple[str, str]]:
    for begin, what, kinds, fix in _BINARY:
        if first.startswith(begin) and kind not in kinds:
            yield what, fix
    if first[257:262] == b"ustar" and b"\0" in first[:257]:
        yield "a tar archive", "Take the file of rows out of it."
    if kind != "csv":
        return
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, what, fix in _TEXTS:
        if re.match(pattern, text):
            yield what, fix
