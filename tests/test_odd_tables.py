"""Tables that were read wrongly without a word: look-alike letters, merged cells, links, rules."""

import gzip
import io
import json

import openpyxl
import pytest
import tickets
from test_wrong_tables import ROWS, csv_text, put, told

from suite.contracts.task import Reading
from suite.data import own, spellings, tables
from suite.data.delimited import Skipped
from suite.data.draft import Said, draft
from suite.data.lines import find_encoding
from suite.data.readers import json_rows
from suite.data.room import Room
from suite.data.texts import TextFile
from suite.errors import DataError

CHINESE = "您好，我的订单还没有收到，请帮忙查询一下。退款什么时候能到账？"


def columns(path, **reading):
    return tables.read_file(path, lambda names: names, reading=Reading(**reading))


def sheet(path, rows, merged):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def test_letters_that_look_alike_are_asked_as_case_is(tmp_path):
    odd = [
        row | {"team": row["team"].replace("o", "\u043e").replace("e", "\u0435")} if i % 4 else row
        for i, row in enumerate(ROWS)
    ]
    path = put(tmp_path / "t.csv", csv_text(odd))
    said = told(path)
    assert said.startswith("refused") and "by case, or by letters that only look alike" in said
    assert "--merge-case" in said and "\\u0435" in said
    merged = draft("mail", path, said=Said(reading=Reading(case="merge")))
    assert f"{len(tickets.TEAMS)} classes" in "\n".join(merged.told)


def test_letters_of_one_script_are_no_other_class():
    # Capitals of Cyrillic look like Latin ones whose small letters do not.
    assert spellings.by_case({"СПОРТ": 2, "спорт": 3, "Вес": 1, "Bec": 1, "sport": 1}) == [
        {"спорт": 3, "СПОРТ": 2},
        {"Bec": 1, "Вес": 1},
    ]
    assert spellings.by_case({"вода": 1, "бода": 1, "α": 1, "β": 1}) == []


def test_cells_merged_downwards_are_filled_and_counted(tmp_path):
    rows = [["text", "team"]] + [[f"words {i}", "xy"[i // 3 % 2]] for i in range(9)]
    path = sheet(tmp_path / "t.xlsx", rows, ["B2:B4", "B5:B7"])
    table = columns(path)
    assert table.columns["team"] == [*"xxxyyyxxx"]
    (note,) = table.found.notes(table.where)
    assert note in told(path)
    assert note == "4 cells of t.xlsx are merged with the one above, and have its value"


def test_cells_merged_across_are_refused_by_their_place(tmp_path):
    rows = [["text", "team"]] + [[f"words {i}", "xy"[i % 2]] for i in range(9)]
    with pytest.raises(DataError, match="A3:B3 are merged across columns") as caught:
        columns(sheet(tmp_path / "t.xlsx", rows, ["A3:B3"]))
    assert "sheet 'Sheet'" in str(caught.value.where)
    beside = [[*row, None, "note"] for row in rows]
    beside[0][2:] = ["more", "remark"]
    assert columns(sheet(tmp_path / "u.xlsx", beside, ["C3:C4"])).columns["more"] == [None] * 9


def test_merged_cells_are_of_their_own_sheet(tmp_path):
    book = openpyxl.Workbook()
    data = book.create_sheet("data", 0)  # its part is the second, the sheet the first
    for row in [["text", "team"]] + [[f"words {i}", "xy"[i // 2 % 2]] for i in range(8)]:
        data.append(row)
    data.merge_cells("B2:B3")
    book.save(tmp_path / "t.xlsx")
    assert columns(tmp_path / "t.xlsx").columns["team"] == [*"xxyyxxyy"]


def test_links_out_of_a_folder_of_classes_are_refused(tmp_path):
    for team in ("orders", "press"):
        for at in range(3):
            put(tmp_path / "rows" / team / f"{at}.txt", f"{team} {at}")
    put(tmp_path / "other" / "secret.txt", "of somebody else")
    within = tmp_path / "rows" / "press" / "9.txt"
    within.symlink_to(tmp_path / "rows" / "press" / "1.txt")
    assert len(columns(tmp_path / "rows").columns["text"]) == 7
    link = tmp_path / "rows" / "orders" / "8.txt"
    link.symlink_to(tmp_path / "other" / "secret.txt")
    with pytest.raises(DataError, match="a symbolic link out of the folder") as caught:
        columns(tmp_path / "rows")
    assert caught.value.where == str(link)
    link.unlink()
    (tmp_path / "rows" / "other").symlink_to(tmp_path / "other")
    with pytest.raises(DataError, match="a symbolic link out of the folder"):
        columns(tmp_path / "rows")


def test_the_rule_of_a_markdown_table_is_no_row(tmp_path):
    body = "".join(f"| {row['subject']} | {row['team']} |\n" for row in ROWS)
    table = columns(put(tmp_path / "t.csv", f"| text | team |\n|:---|---:|\n{body}"))
    assert list(table.columns) == ["text", "team"]
    assert table.columns["team"][0] == ROWS[0]["team"] and len(table) == len(ROWS)
    assert str(table.found).startswith("a Markdown table: ")
    plain = columns(put(tmp_path / "u.csv", f"text | team\n--- | ---\n{body.replace('| ', '', 1)}"))
    assert "---" not in plain.columns["text"]


def test_texts_of_fasttexts_form_are_predicted_without_their_labels(tmp_path):
    path = put(tmp_path / "t.txt", "__label__a first text\n\n__label__b\tsecond\nno label\n")
    assert list(TextFile(str(path))) == ["first text", "", "second", "no label"]
    plain = put(tmp_path / "u.txt", "about __label__x\n__label__a as it is\n")
    assert list(TextFile(str(plain))) == ["about __label__x", "__label__a as it is"]


def test_a_txt_with_the_models_columns_is_a_table(tmp_path):
    path = put(tmp_path / "t.txt", "label\ttext\na\tfirst\nb\tsecond\n")
    assert list(TextFile(str(path))) == ["first", "second"]
    assert list(TextFile(str(put(tmp_path / "u.txt", "text\nfirst\n")))) == ["text", "first"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"text": "a", "label": "x"}\n{"text": "a", "text": "b", "label": "x"}\n', "line 2"),
        ('[{"text": "a", "label": "x"},\n {"label": "a", "text": "b", "label": "x"}]\n', ""),
        ('{"text": "a", "text": "b", "label": "x"}\n{"text": "c", "label": "y"}\n', "line 1"),
    ],
)
def test_a_key_that_stands_twice_is_told(tmp_path, content, line):
    path = put(tmp_path / "t.jsonl", content)
    with pytest.raises(DataError, match="an object has the key") as caught:
        columns(path)
    assert str(caught.value.where).endswith(line or "t.jsonl") and caught.value.fix


def test_bad_lines_of_json_are_left_out_where_asked():
    good = [json.dumps({"text": f"t{i}", "label": "ab"[i % 2]}) for i in range(4)]
    content = "\n".join(["{'text': 'x'}", good[0], "[1, 2]", good[1], '{"text": ', *good[2:]])
    skipped = Skipped()
    rows = json_rows(io.BytesIO(content.encode()), "t.jsonl", Room(), skipped=skipped)
    assert [row["text"] for _, row in rows] == ["t0", "t1", "t2", "t3"]
    assert skipped.count == 3 and skipped.listed[0].startswith("t.jsonl, line 1: not JSON")


def test_utf16_of_chinese_without_a_mark_is_found():
    lines = "".join(f"{CHINESE[:8]},一{CHINESE[i % 9 :]}{i},订单\n" for i in range(300))
    for name in ("utf-16-le", "utf-16-be"):
        assert find_encoding(io.BytesIO(lines.encode(name)), "t.csv", Room()).name == name
    zeros = lines.encode("gb18030").replace("单".encode("gb18030"), b"\0\0", 40)
    with pytest.raises(DataError, match="not UTF-8"):
        find_encoding(io.BytesIO(zeros), "t.csv", Room())
    assert find_encoding(io.BytesIO(b"a,b\n" + b"\0x,y\n" * 90), "t.csv", Room()).name == "utf-8"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", ""),
        ("t.csv", "text,label\n"),
        ("t.jsonl", "[]"),
        ("t.csv", " \n\n"),
        ("t.tsv", "\n"),
    ],
)
def test_a_file_without_rows_says_what_would_do(tmp_path, name, content):
    with pytest.raises(DataError) as caught:
        draft("mail", put(tmp_path / name, content))
    assert caught.value.what in ("no rows", "the file is empty") and caught.value.fix


def piped(monkeypatch, tmp_path, content, room=None):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    return own.source_of("-", None, room)


def test_standard_input_is_called_after_what_is_packed(monkeypatch, tmp_path):
    lines = "\n".join(json.dumps({"text": f"t{i}", "label": "ab"[i % 2]}) for i in range(9))
    for content, name in (
        (gzip.compress(lines.encode()), "stdin.jsonl.gz"),
        (gzip.compress(csv_text().encode()), "stdin.csv.gz"),
        (gzip.compress(b"__label__a text\n"), "stdin.txt.gz"),
        (b"__label__a text\n", "stdin.txt"),
    ):
        assert piped(monkeypatch, tmp_path, content).name == name
    with pytest.raises(DataError, match="truncated or damaged"):
        piped(monkeypatch, tmp_path, gzip.compress(lines.encode())[:-9][:20])


def test_no_more_of_standard_input_is_kept_than_can_be_read(monkeypatch, tmp_path):
    with pytest.raises(DataError, match=r"standard input takes more than 2\.0 MB") as caught:
        piped(monkeypatch, tmp_path, b"text,label\n" + b"a,b\n" * 10**6, Room(2 * 10**6))
    assert "--max-memory" in caught.value.fix
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
