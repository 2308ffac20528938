"""Tables as people have them: one file whose splits are carved, every format, every spelling."""

import csv
import datetime
import gzip
import io
import json
import tempfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from suite.config.task import load_task
from suite.contracts.task import Data, Reading, Task
from suite.data import check, delimited, draft, spellings, tables
from suite.data import load as data
from suite.data.room import Room
from suite.data.values import spelled
from suite.errors import DataError

SENTENCES = [f"text number {i} of {'a shop' if i % 2 else 'a school'}" for i in range(60)]


def make_task(labels=("sad", "glad"), **source):
    return Task.model_validate(
        {
            "name": "moods",
            "title": "Moods",
            "language": "en",
            "labels": [{"name": label} for label in labels],
            "data": {"licence": "ours"} | source,
        }
    )


def load(folder, task, **options):
    return data.load(task, folder / "moods.yaml", **options)


def refusal(folder, task, **options):
    with pytest.raises(DataError) as caught:
        load(folder, task, **options)
    return str(caught.value)


def write_csv(path, texts=SENTENCES):
    lines = [f"{text},{('sad', 'glad')[i % 2]}" for i, text in enumerate(texts)]
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return path


# --- one table ------------------------------------------------------------------------------


def test_one_table_is_carved_into_three_splits(tmp_path):
    write_csv(tmp_path / "mail.csv")
    found = load(tmp_path, make_task(file="mail.csv"))
    assert found.facts.source == "file mail.csv"
    assert found.facts.rows.test == 12  # a fifth
    assert sorted(found.train.texts + found.validation.texts + found.test.texts) == sorted(
        SENTENCES
    )
    assert set(found.test.labels) == {0, 1}
    assert load(tmp_path, make_task(file="mail.csv")).facts.fingerprint == found.facts.fingerprint
    half = load(tmp_path, make_task(file="mail.csv", test={"share": 0.5, "seed": 1}))
    assert half.facts.rows.test == 30


def test_a_folder_without_a_test_is_carved_where_the_task_says_so(tmp_path):
    write_csv(tmp_path / "train.csv")
    assert "no file for test" in refusal(tmp_path, make_task(folder="."))
    found = load(tmp_path, make_task(folder=".", test={"share": 0.2}))
    assert found.facts.rows.test == 12
    (tmp_path / "test.csv").write_text("text,label\nother,sad\n")
    found = load(tmp_path, make_task(folder=".", test={"share": 0.2}))
    assert found.facts.rows.test == 12
    assert "test.csv is not read: data.test carves test" in found.facts.audit.warnings[0]


def test_a_file_stands_in_for_a_task_of_one_table(tmp_path):
    write_csv(tmp_path / "mail.csv")
    other = write_csv(tmp_path / "other.csv", SENTENCES[:30])
    found = load(tmp_path, make_task(file="mail.csv"), data=other)
    assert sum([found.facts.rows.train, found.facts.rows.validation, found.facts.rows.test]) == 30


@pytest.mark.parametrize(
    "source, told",
    [
        ({"files": {"train": "a.csv"}}, "files names no test"),
        ({"files": {"train": "a", "test": "b"}, "test": {}}, "leave one away"),
        ({"file": "a.csv", "folder": "b"}, "not folder and file"),
        ({"file": "a.csv", "reading": {"encoding": "klingon"}}, "is no encoding"),
        ({"file": "a.csv", "reading": {"encoding": "rot13"}}, "no encoding of texts"),
        ({"file": "a.csv", "reading": {"delimiter": '"'}}, "separates no fields"),
    ],
)
def test_what_a_source_contradicts(source, told):
    with pytest.raises(ValueError, match=told):
        Data.model_validate({"licence": "ours"} | source)


# --- what people write, read back -----------------------------------------------------------

#: Every character that some file of rows can hold: of halves of characters none can.
characters = some.characters(exclude_categories=["Cs"])
#: What the encodings below share, and texts must survive.
plain = some.characters(codec="ascii", min_codepoint=32)


def read(path, pick=lambda columns: columns, **reading):
    return tables.read_file(path, pick, reading=Reading(**reading))


def texts_of(alphabet, **sizes):
    return some.lists(some.text(alphabet, **sizes), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    texts=texts_of(characters, max_size=40),
    mark=some.sampled_from(delimited.DELIMITERS),
    encoding=some.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    packed=some.sampled_from(["", ".gz", ".zst"]),
    all_quoted=some.booleans(),
)
def test_what_the_standard_writer_writes_is_read_back(texts, mark, encoding, packed, all_quoted):
    written = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    rows = csv.writer(written, delimiter=mark, quoting=quoting)
    rows.writerow(["text", "label", "n"])
    rows.writerows([text, "yes" if i % 2 else "no", i] for i, text in enumerate(texts))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.csv{packed}"
        path.write_bytes(PACK[packed](written.getvalue().encode(encoding)))
        found = read(path)
    assert found.found.dialect == delimited.Dialect(mark)
    # A byte order mark that begins a row is of files put one after another, and no text's.
    assert found.columns["text"] == [text.lstrip("\ufeff") for text in texts]
    assert found.columns["n"] == [str(i) for i in range(len(texts))]


def zstd(content):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


@settings(max_examples=40, deadline=None)
@given(texts=texts_of(characters, max_size=40), packed=some.sampled_from(list(PACK)))
def test_other_formats_are_read_back(texts, packed):
    labels = [("yes", "no")[i % 2] for i in range(len(texts))]
    items = [{"text": t, "label": one} for t, one in zip(texts, labels, strict=True)]
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(items), parquet)
    lined = [" ".join(text.split()) for text in texts]
    made = {
        "jsonl": "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items).encode(),
        "json": json.dumps(items).encode("utf-16"),
        "parquet": parquet.getvalue(),
        "txt": "".join(f"__label__{o} {t}\n" for o, t in zip(labels, lined)).encode(),
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, content in made.items():
            path = Path(folder) / f"rows.{kind}{packed}"
            path.write_bytes(PACK[packed](content))
            columns = read(path).columns
            assert columns == {"text": lined if kind == "txt" else texts, "label": labels}


@settings(max_examples=40, deadline=None)
@given(texts=texts_of(some.sampled_from('ab\\"\n\t ,;é')), mark=some.sampled_from([",", ";"]))
def test_escaped_quotes_are_read_back(texts, mark):
    written = io.StringIO(newline="")
    rows = csv.writer(
        written, delimiter=mark, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL
    )
    # One row is enough to tell that a mark is escaped, and not doubled.
    texts = ['she said "no"', *texts]
    rows.writerows([["text", "label"], *([text, "x"] for text in texts)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        path.write_text(written.getvalue(), newline="")
        found = read(path)
    assert found.found.dialect == delimited.Dialect(mark, "escaped")
    assert found.columns["text"] == texts


SAID = {
    "gb18030": ["物流太慢了，包装也破损了", "退款一直没有到账，请处理", "客服很好，问题解决了"],
    "big5": ["物流太慢了,包裝也破損了", "退款一直沒有到帳,請盡快處理", "客服態度很好,問題解決了"],
    "cp932": ["荷物が届かないので返金してください", "とても良い商品でした", "説明書がありません"],
    "cp949": ["배송이 너무 느려요 환불해 주세요", "상품이 아주 좋습니다", "설명서가 없어요"],
    "cp1252": ["Die Lieferung war schön", "Le café était très agréable", "El niño comió mañana"],
    "cp1251": ["Доставка была быстрой, спасибо", "Верните деньги, пожалуйста", "Нет инструкции"],
    "utf-16-le": ["plain words", "物流太慢了", "très agréable"],
    "utf-16-be": ["plain words", "物流太慢了", "très agréable"],
}  # fmt: skip


@pytest.mark.parametrize("encoding", SAID)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_encodings_are_found(tmp_path, encoding, kind):
    texts = SAID[encoding]
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        content = "text,label\n" + "".join(f'"{text}",x\n' for text in texts)
    else:
        content = "".join(f'{{"text": "{text}", "label": "x"}}\n' for text in texts)
    path.write_bytes(content.encode(encoding))
    found = read(path)
    assert found.columns["text"] == texts
    assert found.found.encoding.name == encoding
    assert read(path, encoding=encoding).columns["text"] == texts


def test_mixed_encodings_are_told_with_the_line(tmp_path):
    path = tmp_path / "rows.csv"
    lines = ["text,label", *(f"物流太慢了{i},x" for i in range(9))]
    content = [line.encode() for line in lines]
    content[6] = "退款一直没有到账，请处理,x".encode("gb18030")
    path.write_bytes(b"\n".join(content) + b"\n")
    message = failure(path)
    assert "line 7: mixed encodings: this line is GB18030, where 8 other lines are UTF-8" in message


def failure(path, pick=lambda columns: columns, **reading):
    with pytest.raises(DataError) as caught:
        read(path, pick, **reading)
    return str(caught.value)


def written(path, content):
    path.write_text(content, encoding="utf-8", newline="")
    return path


def test_what_was_found_is_said(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("text;label\na, b;x\n".encode("utf-8-sig"))
    assert str(read(path).found) == "CSV: ';' between fields, UTF-8 with BOM"
    written(path, 'text\tlabel\n"Well," she said\tx\nb "c" d\ty\n')
    found = read(path)
    assert (
        str(found.found) == "CSV: tabs between fields, quotation marks are part of the texts, UTF-8"
    )
    assert found.columns["text"] == ['"Well," she said', 'b "c" d']


GOOD = "text,label\n" + "".join(f"text {i},{('yes', 'no')[i % 2]}\n" for i in range(20))
ODD = {
    "more fields": ("one, two,no\n", "line 22: 3 fields where the first line has 2"),
    "fewer fields": ("one\n", "line 22: 1 field where the first line has 2"),
    "an open quote": ('"one,no\n', "line 22: a quotation mark is opened and never closed"),
    "a quote closed by another": (
        '"one,no\ntwo,no\nthree",yes\n',
        "line 22: a quotation mark is opened here, and closed only in line 24",
    ),
    "a quote closed by the next": (
        '"one,no\n"two",no\n',
        "line 22: a quotation mark is opened here, and closed only in line 23",
    ),
    "words after a quote": ('"one" two,no\n', "line 22: cannot be read: ',' expected after '\"'"),
    "the header again": ("text,label\n", "line 22: the first line comes again"),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_row_is_an_error_or_left_out_and_counted(tmp_path, kind):
    odd, told = ODD[kind]
    path = written(tmp_path / "rows.csv", GOOD + odd + "last,no\n")
    assert told in failure(path)
    found = read(path, skip_bad_rows=True)
    assert found.columns["text"][:20] == [f"text {i}" for i in range(20)]
    assert found.columns["text"][-1] == "last"
    assert found.found.skipped.count == 1
    (note,) = found.found.notes(str(path))
    assert note.startswith("1 row of rows.csv was left out: line 22: ")


def test_many_bad_rows_are_listed_in_part(tmp_path):
    found = read(written(tmp_path / "rows.csv", GOOD + "a,b,c\n" * 30), skip_bad_rows=True)
    (note,) = found.found.notes(found.where)
    assert note.startswith("30 rows of rows.csv were left out") and note.endswith("and 20 more")


def test_a_text_of_several_lines_is_a_text(tmp_path):
    path = written(tmp_path / "rows.csv", GOOD + '"one, two\nthree, four\n\nfive",no\n')
    assert read(path).columns["text"][-1] == "one, two\nthree, four\n\nfive"


def test_nul_is_kept(tmp_path):
    path = written(tmp_path / "rows.csv", "text,label\na\0b,x\n\0,y\n")
    assert read(path).columns["text"] == ["a\0b", "\0"]


def test_columns_without_a_name_are_called_by_their_place(tmp_path):
    path = written(tmp_path / "rows.csv", ",text,label\n0,a,x\n1,b,y\n")
    assert read(path).columns == {"column_1": ["0", "1"], "text": ["a", "b"], "label": ["x", "y"]}


def test_excel_s_line_of_the_delimiter_is_no_header(tmp_path):
    path = written(tmp_path / "rows.csv", "sep=;\ntext;label\na,b;x\n")
    assert read(path).columns == {"text": ["a,b"], "label": ["x"]}
    assert "line 4: 1 field" in failure(written(path, "sep=;\ntext;label\na,b;x\nc\n"))


def test_a_pointer_to_a_file_is_not_its_rows(tmp_path):
    path = written(tmp_path / "rows.csv", "version https://git-lfs.github.com/spec/v1\noid a:b\n")
    assert "git lfs pull" in failure(path)


def test_two_columns_of_one_name(tmp_path):
    path = written(tmp_path / "rows.csv", "text,text,label\na,b,x\n")
    assert "2 columns are called 'text'" in failure(path)
    assert read(path, lambda columns: ["label"]).columns == {"label": ["x"]}


def test_a_missing_header_is_noticed(tmp_path):
    content = GOOD.partition("\n")[2]
    path = written(tmp_path / "rows.csv", content)
    message = failure(path)
    assert "line 1: the first line looks like a row" in message and "text,label" in message
    with pytest.raises(delimited.NoHeader):
        read(path)


def test_fasttext_lines_without_one_label(tmp_path):
    path = written(tmp_path / "rows.txt", "__label__a one\n__label__b __label__c two\nthree\n")
    assert "line 2: more than one label" in failure(path)
    found = read(path, skip_bad_rows=True)
    assert found.columns == {"text": ["one"], "label": ["a"]}
    assert found.found.skipped.count == 2
    assert "lines of text without labels" in failure(written(path, "one\ntwo\n"))
    assert read(written(path, "text\tlabel\none\tx\n")).columns == {"text": ["one"], "label": ["x"]}


def test_a_bomb_in_any_packing_is_refused(tmp_path):
    content = b"text,label\n" + (b"a" * 1000 + b",x\n") * 60_000
    path = tmp_path / "rows.csv.zst"
    path.write_bytes(zstd(content))
    with pytest.raises(DataError, match="expand to more than"):
        tables.read_file(path, lambda columns: columns, Room(2**24))
    path.write_bytes(zstd(content)[:-5])
    path.write_bytes(zstd(GOOD.encode())[:-5])
    assert "the zstd file is truncated or damaged" in failure(path)
    path.write_bytes(b"no")
    assert "the zstd file is truncated or damaged" in failure(path)


# --- spreadsheets ---------------------------------------------------------------------------


def workbook(path, rows, **others):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for name, more in others.items():
        extra = book.create_sheet(name)
        for row in more:
            extra.append(row)
    return book, sheet, path


def saved(made):
    made[0].save(made[2])
    return made[2]


def test_a_spreadsheet_is_read_as_it_shows(tmp_path):
    day = datetime.datetime(2024, 1, 31)
    rows = [["text", None, "label", "day"], ["=one", 1, True, day], ["b ", 2.5, False, None]]
    made = workbook(tmp_path / "rows.xlsx", [], Second=rows)
    made[0]["Second"]["A2"].data_type = "s"
    found = read(saved(made))
    assert found.columns["text"] == ["=one", "b "]
    assert found.columns["column_2"] == [1, 2.5]
    assert [spelled(day) for day in found.columns["day"]] == ["2024-01-31", None]
    assert found.found.sheet == "Second"
    assert str(found.found) == "Excel workbook: sheet 'Second', not 'Sheet'"


def test_what_a_spreadsheet_hides_is_refused(tmp_path):
    path = tmp_path / "rows.xlsx"
    made = workbook(path, [["text", None, "label"], ["a", "b", "x"]])
    made[1].merge_cells("A1:B1")
    assert "row 1: cells of the header are merged" in failure(saved(made))
    made = workbook(path, [["Tickets of 2024"], ["text", "label"], ["a", "x"]])
    assert "a title, and not the names of columns" in failure(saved(made))
    made = workbook(path, [["text", "label"], ["=1+1", "x"]])
    assert "cell A2: a formula without a stored result: =1+1" in failure(saved(made))
    path.write_bytes(b"PK no")
    assert "not an Excel workbook" in failure(path)
    made = workbook(path, [["text", "label"], ["a" * 30_000, "x"]] + [["b" * 30_000, "y"]] * 900)
    saved(made)
    with pytest.raises(DataError, match=r"takes more than|expand to more than"):
        tables.read_file(path, lambda columns: columns, Room(2**20))


# --- layouts --------------------------------------------------------------------------------


def shard(path, start, stop, names=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    items = [{"text": SENTENCES[i], "label": i % 2} for i in range(start, stop)]
    pq.write_table(pa.Table.from_pylist(items), path)


@pytest.mark.parametrize("inside", ["", "data", "plain_text"])
def test_the_hub_s_layout_is_read_with_all_its_shards(tmp_path, inside):
    home = tmp_path / "rows"
    shard(home / inside / "train-00000-of-00002.parquet", 0, 30)
    shard(home / inside / "train-00001-of-00002.parquet", 30, 40)
    shard(home / inside / "test-00000-of-00001-0123456789abcdef.parquet", 40, 60)
    (home / "README.md").write_text("rows")
    found = load(tmp_path, make_task(folder="rows"))
    kept = found.facts.rows
    assert (kept.train + kept.validation, kept.test) == (40, 20)
    assert set(found.train.texts + found.validation.texts) == set(SENTENCES[:40])
    (home / inside / "train-00001-of-00002.parquet").unlink()
    assert "part 2 of 2 of train is missing" in refusal(tmp_path, make_task(folder="rows"))


def test_what_save_to_disk_left_is_read(tmp_path):
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["glad", "sad"])}
    )
    splits = {
        name: datasets.Dataset.from_list(
            [{"text": SENTENCES[i], "label": i % 2} for i in some_rows], features=features
        )
        for name, some_rows in (("train", range(40)), ("test", range(40, 60)))
    }
    datasets.DatasetDict(splits).save_to_disk(tmp_path / "rows", num_shards={"train": 2, "test": 1})
    found = load(tmp_path, make_task(folder="rows"))
    assert found.test.texts == tuple(SENTENCES[40:])
    assert found.test.labels == tuple(1 - i % 2 for i in range(40, 60))  # by name, not by number
    one = load(tmp_path, make_task(file="rows/train"))
    assert sum((one.facts.rows.train, one.facts.rows.validation, one.facts.rows.test)) == 40


def test_a_folder_a_class_is_read(tmp_path):
    for split, count in (("train", 12), ("test", 4)):
        for label in ("sad", "glad", "unsup"):
            place = tmp_path / "rows" / split / label
            place.mkdir(parents=True)
            for i in range(count):
                (place / f"{i}_7.txt").write_text(f"  {split} {label} {i}\n\nend \n")
    found = load(tmp_path, make_task(folder="rows"))
    assert found.facts.rows.test == 8
    assert found.test.texts[4] == "  test sad 0\n\nend \n"
    assert found.test.labels == (1,) * 4 + (0,) * 4
    table = tables.read_file(tmp_path / "rows" / "train", lambda columns: columns)
    assert table.columns["file"][:3] == ["glad/0_7.txt", "glad/1_7.txt", "glad/2_7.txt"]
    assert str(table.found) == "a folder of texts for each class: not 'unsup'"


def test_bad_rows_that_are_left_out_are_told_with_the_results(tmp_path):
    write_csv(tmp_path / "mail.csv")
    with open(tmp_path / "mail.csv", "a") as file:
        file.write("one, two,sad\n")
    assert "line 62: 3 fields" in refusal(tmp_path, make_task(file="mail.csv"))
    task = make_task(file="mail.csv", reading={"skip_bad_rows": True})
    assert (
        load(tmp_path, task)
        .facts.audit.warnings[0]
        .startswith("1 row of mail.csv was left out: line 62: 3 fields")
    )


# --- one class, spelled in several ways -----------------------------------------------------


def labelled(folder, values, kind="jsonl"):
    """A file of one row for each label, in pairs of different texts."""
    items = [{"text": SENTENCES[i % 60] + str(i), "label": v} for i, v in enumerate(values)]
    if kind == "csv":
        with open(folder / "mail.csv", "w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, ["text", "label"])
            rows.writeheader()
            rows.writerows(items)
    else:
        lines = [json.dumps(item) + "\n" for item in items]
        (folder / "mail.jsonl").write_text("".join(lines))
    return f"mail.{kind}"


def all_labels(found):
    return sorted(found.train.labels + found.validation.labels + found.test.labels)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_labels_of_several_types_are_one_class(tmp_path, kind):
    file = labelled(tmp_path, [1, 1.0, "1", "1.0", " 1 ", 2, 2.0, "2", 2, 2] * 4, kind)
    found = load(tmp_path, make_task(["1", "2"], file=file))
    assert all_labels(found) == [0] * 20 + [1] * 20
    note = found.facts.audit.warnings[0]
    assert "spelled otherwise than the others of the class, and were merged" in note
    assert "'1.0' as '1'" in note


@pytest.mark.parametrize(
    "odd", ["caf\u0065\u0301", "café\u200b", "\u00a0café", "ｃａｆé", "café ", "\ufeffcafé"]
)
def test_labels_that_look_alike_are_one_class(tmp_path, odd):
    file = labelled(tmp_path, ["café", "café", odd, "tea", "tea"] * 6, "csv")
    found = load(tmp_path, make_task(["café", "tea"], file=file))
    assert all_labels(found) == [0] * 18 + [1] * 12
    assert found.facts.audit.warnings[0].startswith("6 labels are spelled otherwise")


def test_truth_values_are_one_class(tmp_path):
    file = labelled(tmp_path, [True, "True", "TRUE", "true", False, "false"] * 5)
    found = load(tmp_path, make_task(["true", "false"], file=file))
    assert all_labels(found) == [0] * 20 + [1] * 10


def test_a_task_that_names_both_spellings_means_both(tmp_path):
    file = labelled(tmp_path, ["1", "1.0"] * 12, "csv")
    found = load(tmp_path, make_task(["1", "1.0"], file=file))
    assert all_labels(found) == [0] * 12 + [1] * 12
    assert found.facts.audit.warnings[0] == (
        "the task has '1' and '1.0' as 2 classes, which differ in their spelling alone"
    )


def test_labels_that_differ_by_case_are_asked_for(tmp_path):
    file = labelled(tmp_path, ["tech", "tech", "Tech", "news"] * 8, "csv")
    task = make_task(["tech", "news"], file=file)
    message = refusal(tmp_path, task)
    assert "labels that differ by case alone: 'tech' (16) and 'Tech' (8)" in message
    assert "--merge-case" in message and "--keep-case" in message
    found = load(tmp_path, make_task(["tech", "news"], file=file, reading={"case": "merge"}))
    assert all_labels(found) == [0] * 24 + [1] * 8
    assert "8 labels merged with the same in another case" in found.facts.audit.warnings
    keep = make_task(["tech", "Tech", "news"], file=file, reading={"case": "keep"})
    assert all_labels(load(tmp_path, keep)) == [0] * 16 + [1] * 8 + [2] * 8


def test_case_is_settled_by_the_commonest():
    counts = {"tech": 3, "Tech": 5, "news": 9}
    with pytest.raises(spellings.CaseDiffers) as caught:
        spellings.settle_case(counts, None, "rows.csv")
    assert caught.value.groups == [{"Tech": 5, "tech": 3}]
    one, notes = spellings.settle_case(counts, "merge", "rows.csv")
    assert one == {"tech": "Tech", "Tech": "Tech", "news": "news"} and len(notes) == 1
    assert spellings.settle_case(counts, "keep", "")[0] == {name: name for name in counts}


@pytest.mark.parametrize(
    "none", ["", " ", "NaN", "nan", "NA", "null", "\u200b", None, float("nan")]
)
def test_what_is_no_label(none):
    assert spellings.no_label(none)
    assert not spellings.no_label("none") and not spellings.no_label(0)


@pytest.mark.parametrize("value", ["-1", -1, "", None, "?", float("nan")])
def test_a_test_without_labels_is_told(tmp_path, value):
    for split, labels in (("train", [0, 1] * 20), ("test", [value] * 10)):
        items = [{"text": SENTENCES[i % 60] + split, "label": v} for i, v in enumerate(labels)]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(i) + "\n" for i in items))
    for labels in (["sad", "glad"], ["sad", "glad", "-1"]):
        message = refusal(tmp_path, make_task(labels, folder="."))
        assert "test.jsonl: test is unlabelled: all 10 of its rows" in message
        assert "data: {test: {share: 0.2}}" in message
    found = load(tmp_path, make_task(folder=".", test={"share": 0.25}))
    assert found.facts.rows.test == 10


@pytest.mark.parametrize("pair", [("train", "test"), ("train", "dev"), ("dev", "test")])
def test_one_split_serves_one_purpose(tmp_path, pair):
    start = {"train": 0, "dev": 30, "test": 45}
    for split, first in start.items():
        size = 30 if split == "train" else 15
        if split == pair[1]:
            first, size = start[pair[0]], 15
        write_csv(tmp_path / f"{split}.csv", SENTENCES[first : first + size])
    if "train" in pair:
        first = load(tmp_path, make_task(folder=".")).facts.audit.warnings[0]
    else:
        first = refusal(tmp_path, make_task(folder="."))
    assert "all 15 rows of " in first and "one split serves two purposes" in first


def test_texts_may_be_numbers_and_dates(tmp_path):
    day = datetime.date(2024, 1, 1)
    days = [day + datetime.timedelta(days=i) for i in range(40)]
    table = pa.table({"text": days, "n": [i / 2 for i in range(40)], "label": [0, 1] * 20})
    pq.write_table(table, tmp_path / "rows.parquet")
    found = load(tmp_path, make_task(file="rows.parquet"))
    assert "2024-01-03" in found.train.texts + found.validation.texts + found.test.texts
    found = load(tmp_path, make_task(file="rows.parquet", text=["n"]))
    assert {"0", "0.5"} <= set(found.train.texts + found.validation.texts + found.test.texts)


# --- drafts of it ---------------------------------------------------------------------------


def rows_of(folder, split, labels, start=0):
    items = [
        {"text": SENTENCES[(start + i) % 60] + split, "label": v} for i, v in enumerate(labels)
    ]
    folder.mkdir(exist_ok=True)
    (folder / f"{split}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))


def drafted(folder, **said):
    found = draft.draft("mail", folder, said=draft.Said(**said))
    (folder / "mail.yaml").write_text(found.text, encoding="utf-8")
    task = load_task(folder / "mail.yaml")
    return task, data.load(task, folder / "mail.yaml"), found.told


@pytest.mark.parametrize("value", [-1, None, ""])
def test_a_draft_takes_no_class_from_a_test_without_labels(tmp_path, value):
    rows_of(tmp_path, "train", [0, 1, 2] * 20)
    rows_of(tmp_path, "test", [value] * 30)
    with pytest.raises(spellings.Unlabelled, match="--test-share"):
        drafted(tmp_path)
    task, found, _ = drafted(tmp_path, share=0.2)
    assert task.label_names == ["0", "1", "2"] and found.facts.rows.test == 12


def test_a_draft_of_labels_that_differ_by_case(tmp_path):
    for split in ("train", "test"):
        rows_of(tmp_path, split, ["tech", "tech", "Tech", "news", "news", "News"] * 10)
    with pytest.raises(spellings.CaseDiffers):
        drafted(tmp_path)
    task, found, _ = drafted(tmp_path, reading=Reading(case="merge"))
    assert (task.label_names, task.data.reading.case) == (["news", "tech"], "merge")
    assert found.test.labels.count(0) == 30
    task, _, _ = drafted(tmp_path, reading=Reading(case="keep"))
    assert task.label_names == ["News", "Tech", "news", "tech"]


def test_what_serves_two_purposes_is_the_first_line_of_a_check(tmp_path):
    for split in ("train", "test"):
        write_csv(tmp_path / f"{split}.csv")
    drafted(tmp_path)
    first = check.check(tmp_path / "mail.yaml")[0]
    assert first.level == "warning" and "one split serves two purposes" in first.message
