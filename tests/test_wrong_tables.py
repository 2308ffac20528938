"""Tables with one thing wrong: told with the place and what would do, or mended and counted."""

import gzip
import io
import json
import tarfile
from decimal import Decimal

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tickets

from suite.config.task import load_task
from suite.data import spellings, tables
from suite.data.draft import draft
from suite.data.load import load
from suite.data.texts import TextFile
from suite.errors import DataError

ROWS = [row for row in tickets.tickets(260, 7) if all(row.values())][:200]
PAIRS = [(row["body"], row["team"]) for row in ROWS]


def csv_text(rows=ROWS):
    """Fields without a comma, so that nothing needs quotes."""
    lines = [",".join(value.replace(",", "") for value in row.values()) for row in rows]
    return "\n".join(["subject,body,team", *lines]) + "\n"


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(path):
    """What is said of the rows: what was found, or why they are refused."""
    try:
        return "\n".join(draft("mail", path).told)
    except DataError as error:
        return f"refused: {error}"


def test_shards_of_other_columns_are_refused(tmp_path):
    for at, name in enumerate(("body", "text")):
        rows = [{name: text, "team": team} for text, team in PAIRS]
        file = tmp_path / "data" / f"train-0000{at}-of-00002.parquet"
        file.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), file)
    said = told(tmp_path)
    assert "train-00001-of-00002.parquet: its columns are text, team" in said
    assert "where the shards before have body, team" in said


@pytest.mark.parametrize(
    "odd", ["orders\0", "\x01orders", "orders\x1b", "orders\u202c", "orders\ufe0f"]
)
def test_what_nobody_sees_in_a_label_is_no_class(odd):
    assert spellings.spell(odd) == "orders"
    merged = spellings.Merged()
    for value in ("orders", "orders", odd):
        merged.add(value)
    (note,) = merged.notes()
    assert note.startswith("1 label is spelled otherwise") and note.endswith("as 'orders' (1)")


def test_what_spreadsheets_write_for_an_error_is_no_class(tmp_path):
    for value in ("#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "\0"):
        assert spellings.no_label(value)
    rows = [row | {"team": "#REF!"} if i % 9 == 0 else row for i, row in enumerate(ROWS)]
    said = told(put(tmp_path / "t.csv", csv_text(rows)))
    assert "  6 classes: " in said and "23 rows without text or label left out" in said


def test_classes_called_as_nothing_are_told(tmp_path):
    rows = [
        row | {"team": ("None", "-")[i % 2]} if i % 10 < 2 else row for i, row in enumerate(ROWS)
    ]
    said = told(put(tmp_path / "t.csv", csv_text(rows)))
    assert "'-' (20), 'None' (20) are classes here: if rows without a label are meant" in said
    assert "here: if rows" not in told(put(tmp_path / "u.csv", csv_text()))


def test_truth_values_beside_numbers_are_refused(tmp_path):
    labels = [True, 1, False, 0]
    lines = [json.dumps({"text": t, "label": labels[i % 4]}) for i, (t, _) in enumerate(PAIRS)]
    said = told(put(tmp_path / "t.jsonl", "\n".join(lines)))
    for fine in ({"true": 1, "false": 2}, {"0": 1, "1": 2}, {"0": 1, "true": 2, "maybe": 2}):
        assert spellings.settle_case(fine, None, "")[1] == []
    assert "labels are truth values and numbers: '0' (50), '1' (50), 'false' (50)" in said


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ("Tickets of 2024,,\n", "line 1: the first line has one cell: a title"),
        ("a,b,c\n", "the first row holds names of columns (subject, body)"),
        ("# exported in 2024\n", "line 2: 3 fields where the first line has 1"),
    ],
)
def test_what_stands_above_the_names_is_told(tmp_path, above, expected):
    said = told(put(tmp_path / "t.csv", above + csv_text()))
    assert (expected in said and "above" in said) or "Take the title out" in said


def test_another_mark_between_fields_is_asked_for(tmp_path):
    said = told(put(tmp_path / "t.csv", csv_text().replace(",", "^")))
    assert "there is one column" in said and "name it with --delimiter" in said
    odd = put(tmp_path / "u.csv", csv_text().replace(",", "^") + "a, b^c^orders\n")
    assert "name it with --delimiter" in told(odd)


def test_a_bom_in_the_middle_is_no_text(tmp_path):
    lines = csv_text().splitlines(keepends=True)
    path = put(tmp_path / "t.csv", "\ufeff" + "".join([*lines[:9], "\ufeff", *lines[9:]]))
    found = tables.read_file(path, lambda columns: columns)
    assert not any("\ufeff" in value for value in found.columns["subject"])
    twice = put(tmp_path / "u.csv", ("\ufeff" + csv_text()) * 2)
    assert "line 202: the first line comes again" in told(twice)
    with pytest.raises(DataError, match="line 202: the first line comes again"):
        list(TextFile(str(twice), columns=["body"]))


def test_what_nobody_sees_around_a_name_is_not_of_it(tmp_path):
    text = csv_text().replace("subject,body,team", "\u200bsubject,body\u200b,team\u00a0", 1)
    found = tables.read_file(put(tmp_path / "t.csv", text), lambda columns: columns)
    assert list(found.columns) == ["subject", "body", "team"]


def packed_tar(text):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo("t.csv")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.csv", json.dumps([{"text": "a", "label": "b"}]), "JSON"),
        ("t.csv", '{"text": "a, b", "label": "c"}\n' * 9, "JSON"),
        ("t.csv", "<html><body><table>", "HTML"),
        ("t.csv", "__label__a one two, three\n__label__b four\n", "fastText's lines"),
        ("t.csv", gzip.compress(csv_text().encode()), "gzip"),
        ("t.csv.gz", gzip.compress(gzip.compress(csv_text().encode())), "gzip"),
        ("t.csv.gz", packed_tar(csv_text().encode()), "a tar archive"),
        ("t.csv", b"%PDF-1.7\n\xff\xfe", "a PDF"),
        ("t.csv", b"\x89PNG\r\n\x1a\n\0\0", "a picture"),
        ("t.csv", b"SQLite format 3\0" + bytes(99), "an SQLite database"),
        ("t.csv", b"PK\x03\x04" + bytes(99), "a zip archive"),
        ("t.jsonl", b"PAR1\x15\x04", "Parquet"),
        ("t.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "of the old kind (.xls)"),
    ],
)
def test_what_is_something_else_than_its_name_says(tmp_path, name, content, expected):
    path = put(tmp_path / name, content)
    said = told(path)
    assert "by how it begins this is " in said and expected in said and str(path) in said
    with pytest.raises(DataError, match="by how it begins"):  # and the same where it is predicted
        list(TextFile(str(path)))


def test_a_text_may_begin_as_anything(tmp_path):
    text = '{"a": 1}\n<html>\n__label__\n'
    assert list(TextFile(str(put(tmp_path / "t.txt", text)))) == text.splitlines()


@pytest.mark.parametrize(
    "document",
    [
        {"body": [t for t, _ in PAIRS], "team": [k for _, k in PAIRS]},
        {"body": {str(i): t for i, (t, _) in enumerate(PAIRS)},
         "team": {str(i): k for i, (_, k) in enumerate(PAIRS)}},
        {str(i): {"body": t, "team": k} for i, (t, k) in enumerate(PAIRS)},
        {"data": [{"body": t, "team": k} for t, k in PAIRS]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("indent", [None, 1])
def test_a_document_of_columns_or_rows_is_read(tmp_path, document, indent):
    path = put(tmp_path / "t.json", json.dumps(document, indent=indent))
    found = tables.read_file(path, lambda columns: columns)
    assert list(zip(found.columns["body"], found.columns["team"], strict=True)) == PAIRS


def test_lists_a_line_stay_rows(tmp_path):
    lines = '{"text": ["a"], "label": ["b"]}\n\n{"text": ["c"], "label": ["d"]}\n'
    found = tables.read_file(put(tmp_path / "t.jsonl", lines), lambda columns: columns)
    assert found.columns == {"text": [["a"], ["c"]], "label": [["b"], ["d"]]}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [{"text": {"a": t}, "team": k} for t, k in PAIRS],
            "text: its values are lists or objects",
        ),
        ([{"messages": [{"role": "user"}]} for _ in PAIRS], "messages: its values are lists"),
        ([{"body": "one text", "team": k} for _, k in PAIRS], "body: its value is the same"),
        ([{"body": "one text", "team": "a"}], "there is one row"),
    ],
)
def test_why_no_column_holds_texts(tmp_path, rows, expected):
    said = told(put(tmp_path / "t.jsonl", "\n".join(map(json.dumps, rows))))
    assert expected in said and "--text team" not in said


def test_a_txt_that_is_not_read_says_how_it_is_written(tmp_path):
    lines = "".join(f"{text} __label__{team}\n" for text, team in PAIRS)
    assert "has its label before it" in told(put(tmp_path / "t.txt", lines))


def test_blank_lines_are_no_header(tmp_path):
    assert told(put(tmp_path / "t.csv", "  \n \n")).startswith(
        f"refused: {tmp_path}/t.csv: no rows"
    )
    found = tables.read_file(put(tmp_path / "u.csv", "  \n\n" + csv_text()), lambda names: names)
    assert list(found.columns) == ["subject", "body", "team"]


def test_exact_numbers_are_labels(tmp_path):
    rows = {"text": [t for t, _ in PAIRS], "label": [Decimal(i % 3) for i in range(200)]}
    kind = pa.schema([("text", pa.string()), ("label", pa.decimal128(9, 2))])
    pq.write_table(pa.table(rows, kind), tmp_path / "t.parquet")
    path = put(tmp_path / "mail.yaml", draft("mail", tmp_path / "t.parquet").text)
    found = load(load_task(path), path)
    assert found.facts.rows.test > 0 and set(found.train.labels) == {0, 1, 2}


def test_a_note_in_the_first_sheet_is_passed_over(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["made in 2024"])
    sheet = book.create_sheet("rows")
    for row in [("body", "team"), *PAIRS]:
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    assert "sheet 'rows', not 'Sheet'" in told(tmp_path / "t.xlsx")


def test_files_of_a_folder_that_are_no_split_are_told(tmp_path):
    for name in ("train", "holdout"):
        put(tmp_path / f"{name}.csv", csv_text())
    assert "not read: holdout.csv" in told(tmp_path)
    for name in ("valid", "dev"):
        put(tmp_path / f"{name}.csv", csv_text())
    assert "dev.csv and valid.csv could both be meant" in told(tmp_path)
