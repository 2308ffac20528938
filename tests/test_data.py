"""Rows from files, folders and the Hub's caches; splits, fingerprints, audits, snapshots."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import effort

from suite.config.task import load_task
from suite.contracts import rowfacts
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.data import load as data
from suite.data import snapshot, tables
from suite.data.audit import audit, normalise
from suite.data.labels import Labels
from suite.data.splits import carve_validation, nested_order
from suite.errors import DataError, StorageError

SHARED = Path(__file__).parents[2] / "shared" / "data"
REVISION = "0123456789abcdef0123456789abcdef01234567"


def make_task(labels=("sad", "glad"), **changes):
    fields = {
        "name": "moods",
        "title": "Moods",
        "language": "en",
        "labels": [label if isinstance(label, dict) else {"name": label} for label in labels],
        "data": {"folder": "rows", "licence": "ours"},
    }
    return Task.model_validate(fields | changes)


def rows(count, classes=2, start=0):
    return [{"text": f"text number {start + i}", "label": i % classes} for i in range(count)]


def jsonl(items):
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode()


def write(folder, **files):
    """train_jsonl=bytes -> folder/train.jsonl"""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        stem, _, suffix = name.partition("__")
        (folder / f"{stem}.{suffix.replace('_', '.')}").write_bytes(content)
    return folder


def good(folder, **files):
    default = {
        "train__jsonl": jsonl(rows(40)),
        "dev__jsonl": jsonl(rows(10, start=100)),
        "test__jsonl": jsonl(rows(20, start=200)),
    }
    kept = {
        name: content
        for name, content in default.items()
        if not any(name.split("__")[0] == other.split("__")[0] for other in files)
    }
    return write(folder, **kept, **files)


#: What is said of the twenty rows of `good`'s test.
TWENTY = "test has 20 rows: its macro-F1 moves by 0.05 when one answer changes"


def beyond_numbers(found):
    """The warnings but for those that rows told apart by a number alone are near each other."""
    return [warning for warning in found.facts.audit.warnings if "nearly" not in warning]


def load(folder, task=None, **options):
    return data.load(task or make_task(), folder / "task.yaml", data=folder, **options)


def refusal(folder, task=None, **options):
    with pytest.raises(DataError) as caught:
        load(folder, task, **options)
    return str(caught.value)


# --- formats --------------------------------------------------------------------------------


def parquet_bytes(items, tmp_path):
    file = tmp_path / "made.parquet"
    pq.write_table(pa.Table.from_pylist(items), file)
    return file.read_bytes()


def csv_bytes(items):
    return ("text,label\n" + "".join(f"{r['text']},{r['label']}\n" for r in items)).encode()


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "json"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_rows(tmp_path, suffix, packed):
    reference = load(good(tmp_path / "jsonl"))
    make = {
        "jsonl": jsonl,
        "csv": csv_bytes,
        "parquet": lambda items: parquet_bytes(items, tmp_path),
        "json": lambda items: json.dumps(items).encode(),
    }[suffix]
    pack = gzip.compress if packed else bytes
    end = f"{suffix}_gz" if packed else suffix
    folder = write(
        tmp_path / "other",
        **{
            f"train__{end}": pack(make(rows(40))),
            f"val__{end}": pack(make(rows(10, start=100))),
            f"test__{end}": pack(make(rows(20, start=200))),
        },
    )
    found = load(folder)
    assert found.facts.fingerprint == reference.facts.fingerprint
    assert found.train == reference.train
    assert (found.facts.rows.train, found.facts.rows.validation, found.facts.rows.test) == (
        40, 10, 20,
    )  # fmt: skip
    assert found.facts.source == f"folder {folder}"
    assert found.facts.sample is False


def test_a_path_with_pattern_letters_is_read(tmp_path):
    folder = good(tmp_path / "set[1] *?")
    assert len(load(folder).test) == 20
    (folder / "test.jsonl").rename(folder / "test.v[2]*.JSONL")
    assert len(load(folder).test) == 20


def test_csv_texts_stay_what_they_are(tmp_path):
    items = [("NA", "sad"), ("null", "glad"), ('"a, ""b""\nc"', "sad"), ("007", "glad")]
    text = "text,label\n" + "".join(f"{a},{b}\n" for a, b in items)
    found = load(good(tmp_path, test__csv=text.encode()))
    assert found.test == Rows(("NA", "null", 'a, "b"\nc', "007"), (0, 1, 0, 1))


def test_texts_that_look_like_something_else_are_texts(tmp_path):
    dates = [{"text": f"2020-01-{i + 1:02d}", "label": i % 2, "at": "2020"} for i in range(20)]
    found = load(good(tmp_path / "a", test__jsonl=jsonl(dates)))
    assert found.test.texts[0] == "2020-01-01"
    nul = [{"text": "a\0b", "label": 1}]
    assert load(good(tmp_path / "b", test__jsonl=jsonl(nul))).test.texts == ("a\0b",)
    assert load(good(tmp_path / "c", test__csv=b"text,label\na\0b,1\n")).test.texts == ("a\0b",)


def test_json_that_is_one_document(tmp_path):
    items = rows(4)
    columns = {name: [row[name] for row in items] for name in ("text", "label")}
    frame = {name: {str(i): row[name] for i, row in enumerate(items)} for name in columns}
    written = [
        json.dumps(items), json.dumps(items, indent=2), json.dumps(columns, indent=2),
        json.dumps(frame, indent=1),
    ]  # fmt: skip
    for place, text in enumerate(written):
        found = load(good(tmp_path / str(place), test__json=text.encode()))
        assert found.test == Rows(tuple(r["text"] for r in items), (0, 1, 0, 1))


def test_csv_of_every_line_end(tmp_path):
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["text,label", "a,0", '"b\rc",1', "", "d,0", ""])
        assert load(good(tmp_path / repr(end), test__csv=text.encode())).test == Rows(
            ("a", "b\rc", "d"), (0, 1, 0)
        )


def test_files_named_in_the_task_are_relative_to_it(tmp_path):
    good(tmp_path / "here")
    files = {"train": "here/train.jsonl", "test": "here/test.jsonl"}
    task = make_task(data={"files": files, "licence": "ours"})
    found = data.load(task, tmp_path / "task.yaml")
    assert found.facts.source == "files here/train.jsonl, here/test.jsonl"
    assert (found.facts.rows.train, found.facts.rows.validation) == (36, 4)


def test_data_wins_over_the_tasks_own_source(tmp_path):
    good(tmp_path / "given")
    found = data.load(make_task(), tmp_path / "task.yaml", data=tmp_path / "given")
    assert len(found.train) == 40
    with pytest.raises(DataError, match="no such folder"):
        data.load(make_task(), tmp_path / "task.yaml")


def test_columns_are_joined_and_a_missing_half_is_left_out(tmp_path):
    train = [{"title": f"t{i}", "body": f"b{i}", "kind": ["sad", "glad"][i % 2]} for i in range(20)]
    test = [
        {"title": "t", "body": None, "kind": "sad"},
        {"title": "u", "body": "v", "kind": "glad"},
    ]
    folder = write(tmp_path / "rows", train__jsonl=jsonl(train), test__jsonl=jsonl(test))
    columns = {"text": ["title", "body"], "join": " | ", "label": "kind"}
    task = make_task(data={"folder": "rows", "licence": "ours", **columns})
    found = data.load(task, folder.parent / "task.yaml")
    assert found.test == Rows(("t", "u | v"), (0, 1))


def test_a_stand_in_folder_may_call_its_columns_text_and_label(tmp_path):
    task = make_task(data={"folder": "x", "licence": "ours", "text": ["query"], "label": "intent"})
    found = load(good(tmp_path), task)
    assert beyond_numbers(found) == [
        "the files have no column query and intent: text and label are read instead",
        TWENTY,
    ]


def test_split_names_of_a_tasks_own_folder(tmp_path):
    write(tmp_path / "rows", fit__jsonl=jsonl(rows(20)), held__jsonl=jsonl(rows(6, start=50)))
    splits = {"train": "fit", "test": "held"}
    task = make_task(data={"folder": "rows", "licence": "ours", "splits": splits})
    assert len(data.load(task, tmp_path / "task.yaml").test) == 6


def test_nothing_is_left_on_disk_and_no_home_is_needed(tmp_path):
    folder = good(tmp_path / "rows")
    script = (
        "import sys, pathlib; from suite.data import load as data\n"
        "from suite.contracts.task import Task\n"
        "t = Task.model_validate({'name':'m','title':'m','language':'en',"
        "'labels':[{'name':'sad'},{'name':'glad'}],'data':{'folder':'rows','licence':'x'}})\n"
        "d = data.load(t, pathlib.Path(sys.argv[1]) / 't.yaml')\n"
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules\n"
        "print(d.facts.fingerprint)\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {
        **os.environ, "HOME": "/proc/nowhere", "TMPDIR": str(scratch), "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    for name in ("HF_HOME", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == load(folder).facts.fingerprint
    assert list(scratch.iterdir()) == []


# --- labels ---------------------------------------------------------------------------------


def indices(task, values, names=None):
    labels = Labels(task, names, "labels.json")
    labels.settle(set(values))
    return [labels.index(value) for value in values], labels.notes


@pytest.mark.parametrize(
    ("labels", "values", "expected"),
    [
        (("sad", "glad"), ["0", "1"], [0, 1]),
        (("sad", "glad"), ["glad", "sad"], [1, 0]),
        (("sad", "glad"), ["glad", "0"], [1, 0]),
        (("sad", "glad"), ["1.0"], [1]),
        (("sad", "glad"), ["2", "bad"], [None, None]),
        # Stars: numbers that are names stay names; the same names, counted from 0, are positions.
        (("1", "2", "3"), ["1", "3"], [0, 2]),
        (("1", "2", "3"), ["0", "2"], [0, 2]),
        # 0 is no star and 3 no position: nothing is guessed.
        (("1", "2", "3"), ["0", "3"], [None, 2]),
        (({"name": "a", "values": [100]}, {"name": "b", "values": [101]}), ["101", "100"], [1, 0]),
        (({"name": "a", "values": [100]}, {"name": "b", "values": [101]}), ["0", "1"], [0, 1]),
        (({"name": "a", "values": ["0:a"]}, {"name": "b"}), ["0:a", "b"], [0, 1]),
    ],
)
def test_labels_by_name_value_or_position(labels, values, expected):
    assert indices(make_task(labels), values)[0] == expected


def test_labels_json_in_another_order_maps_by_name():
    assert indices(make_task(), ["0", "1"], ["glad", "sad"]) == ([1, 0], [])


def test_labels_json_with_other_spellings_under_values():
    task = make_task(({"name": "sad", "values": ["0:s"]}, {"name": "glad", "values": ["1:g"]}))
    assert indices(task, ["0", "1"], ["1:g", "0:s"]) == ([1, 0], [])


def test_labels_json_with_unknown_names_goes_by_order_and_says_so():
    found, notes = indices(make_task(), ["0", "1", "froh"], ["traurig", "froh"])
    assert found == [0, 1, 1]
    assert notes == [
        "labels.json names 2 of the classes otherwise than the task (traurig, froh); "
        "their order is taken to be the task's"
    ]


def test_labels_json_with_more_classes_than_the_task(tmp_path):
    folder = good(tmp_path, labels__json=json.dumps(["glad", "sad", "odd"]).encode())
    assert load(folder).test.labels[:2] == (1, 0)
    write(folder, test__jsonl=jsonl([{"text": "t", "label": 2}]))
    message = refusal(folder)
    assert "row 1: the label 2 is 'odd' in labels.json" in message
    write(folder, labels__json=json.dumps(["x", "y", "z"]).encode())
    assert "labels.json: 3 classes, none of them among the task's 2" in refusal(folder)
    write(folder, labels__json=b'{"a": 1}')
    assert "not a list of names" in refusal(folder)


def test_a_number_outside_names_the_row_and_the_labels(tmp_path):
    bad = [*rows(6), {"text": "x", "label": 7}]
    message = refusal(good(tmp_path, test__jsonl=jsonl(bad)))
    assert f"{tmp_path}/test.jsonl, row 7: the label 7 is not among the task's 2" in message
    assert "0 sad, 1 glad" in message


def test_a_name_outside_names_the_nearest(tmp_path):
    bad = [{"text": "a", "label": "sad"}, {"text": "b", "label": "glda"}]
    message = refusal(good(tmp_path, test__jsonl=jsonl(bad)))
    assert "row 2: the label 'glda'" in message
    assert "Did you mean 'glad'?" in message


def test_minus_one_means_an_unlabelled_split(tmp_path):
    message = refusal(good(tmp_path, test__jsonl=jsonl([{"text": "a", "label": -1}])))
    assert "test is unlabelled: its one row has the label '-1', which train has not" in message


def test_classes_declared_in_a_parquet_file_go_by_name(tmp_path):
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_dict(
        {"text": ["a", "b", "c"], "label": [0, 1, 0]},
        features=datasets.Features(
            {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["glad", "sad"])}
        ),
    )
    folder = good(tmp_path / "rows", test__jsonl=jsonl(rows(4)))
    (folder / "test.jsonl").unlink()
    made.to_parquet(folder / "test.parquet")
    assert load(folder).test.labels == (1, 0, 1)
    by_order = load(folder, make_task(("low", "high")))
    assert by_order.test.labels == (0, 1, 0)
    assert "otherwise than the task (glad, sad)" in by_order.facts.audit.warnings[0]


def test_out_of_scope_files_are_appended(tmp_path):
    task = make_task(("sad", "glad", "neither"), out_of_scope="neither")
    folder = good(
        tmp_path,
        oos_train__jsonl=jsonl([{"text": f"hm {i}"} for i in range(3)]),
        oos_dev__jsonl=jsonl([{"text": "well", "label": 99}]),
        oos_test__csv=b"text\nso\nhow\n",
    )
    found = load(folder, task)
    assert found.facts.rows == rowfacts.Rows(43, 11, 22)
    assert found.test.labels[-2:] == (2, 2)
    assert found.test.texts[-2:] == ("so", "how")
    assert found.validation.texts[-1] == "well"
    # Without validation of its own, the oos validation rows join train before it is carved.
    (folder / "dev.jsonl").unlink()
    carved = load(folder, task)
    assert len(carved.train) + len(carved.validation) == 44
    # A task that names no such class reads none of them.
    assert load(folder).facts.rows.test == 20


# --- refusals -------------------------------------------------------------------------------


def test_missing_files_list_what_was_found(tmp_path):
    folder = write(tmp_path / "rows", train__jsonl=jsonl(rows(9)), tset__jsonl=jsonl(rows(4)))
    message = refusal(folder)
    assert f"{folder}: no file for test" in message
    assert "Found: train.jsonl, tset.jsonl." in message
    assert "no such folder" in refusal(tmp_path / "nowhere")
    assert "not a folder" in refusal(folder / "train.jsonl")


def test_two_files_for_one_split(tmp_path):
    message = refusal(good(tmp_path, train__jsonl=jsonl(rows(9)), train__csv=csv_bytes(rows(9))))
    assert "train.csv and train.jsonl could both be meant" in message


def test_a_missing_column_names_those_present(tmp_path):
    bad = [{"txt": "a", "label": 0}]
    message = refusal(good(tmp_path, test__jsonl=jsonl(bad)))
    assert "test.jsonl: no column 'text'" in message
    assert "Did you mean 'txt'? Available: label, txt." in message


DAMAGED = {
    "empty": ("test__jsonl", b"", "test.jsonl: the file is empty"),
    "blank": ("test__jsonl", b"\n\n", "test.jsonl: no rows"),
    "header only": ("test__csv", b"text,label\n", "test.csv: no rows"),
    "not JSON": (
        "test__jsonl",
        b'{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n{"text": "c", "label":\n',
        "test.jsonl, line 3: not JSON",
    ),
    "no object": (
        "test__jsonl",
        b'{"text":"a","label":0}\n3\n',
        "line 2: a number where an object",
    ),
    "encoding": (
        "test__jsonl",
        '{"text":"a","label":0}\n{"text":"中文","label":1}\n'.encode("gb18030"),
        "test.jsonl, line 2: not UTF-8",
    ),
    "encoding csv": (
        "test__csv",
        "text,label\na,0\n中文,1\n".encode("gb18030"),
        "test.csv, line 3: not UTF-8",
    ),
    "truncated": (
        "test__jsonl_gz",
        gzip.compress(jsonl(rows(500)))[:-40],
        "test.jsonl.gz: the gzip file is truncated or damaged",
    ),
    "truncated csv": (
        "test__csv_gz",
        gzip.compress(csv_bytes(rows(500)))[:-40],
        "test.csv.gz: the gzip file is truncated or damaged",
    ),
    "not gzip": ("test__jsonl_gz", jsonl(rows(5)), "not gzip, though its name ends in .gz"),
    "no header": ("test__csv", b"a fine day,1\nb,0\n", "must name its columns"),
    "other marks": ("test__csv", b"text^label\na^1\n", "No other mark stands between fields"),
    "fields": ("test__csv", b"text,label\na,1\nb, c,0\n", "test.csv, line 3: 3 fields where"),
    "quote": ("test__csv", b'text,label\na,1\n"b,0\n', "opened and never closed"),
    "no parquet": ("test__parquet", b"PAR1 or not", "test.parquet: not a Parquet file"),
    "null text": (
        "test__jsonl",
        b'{"text":"a","label":0}\n{"text":null,"label":1}\n',
        "test.jsonl, row 2: the text is null",
    ),
    "null label": (
        "test__jsonl",
        b'{"text":"a","label":0}\n{"text":"b"}\n',
        "test.jsonl, row 2: the label is null",
    ),
    "empty label": ("test__csv", b"text,label\na,1\nb,\n", "test.csv, row 2: the label is empty"),
    "too few": ("test__csv", b"text,label\na,1\nb\n", "line 3: 1 field where the first line has 2"),
    "list label": ("test__jsonl", b'{"text":"a","label":[1]}\n', "row 1: the label is a list"),
    "number text": ("test__jsonl", b'{"text":[3.5],"label":0}\n', "'text' is a list, not a text"),
    "deep": ("test__jsonl", b'{"text":' + b"[" * 50_000, "test.jsonl, line 1: not JSON: nested"),
    "deep beside": (
        "test__jsonl",
        b'{"text":"a","label":0,"m":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}\n",
        "test.jsonl, line 1: not JSON: nested deeper than 200 levels",
    ),
    "digits": (
        "test__jsonl",
        b'{"text":"a","label":' + b"9" * 5000 + b"}\n",
        "test.jsonl, line 1: not JSON: a number of thousands of digits",
    ),
    "fields of more": ("test__csv", b"text,label\na,1,b\nc,0,d\n", "line 2: 3 fields where"),
    "half a character": (
        "test__jsonl",
        b'{"text":"a \\ud800","label":0}\n',
        "test.jsonl, row 1: half of a character",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_one_message_with_its_place(tmp_path, kind, capfd):
    name, content, expected = DAMAGED[kind]
    message = refusal(good(tmp_path, **{name: content}))
    assert expected in message
    assert str(tmp_path) in message
    assert "Traceback" not in message
    assert "Failed to" not in "".join(capfd.readouterr())


def test_an_encoding_that_could_be_several_is_asked_for(tmp_path):
    content = '{"text":"中文","label":1}\n'.encode("gb18030")
    assert "data.reading.encoding, for example gb18030" in refusal(
        good(tmp_path, test__jsonl=content)
    )


def test_what_is_no_classification_problem(tmp_path):
    one = [{"text": f"t{i}", "label": 1} for i in range(9)]
    assert "the one label of train's 9 rows is 'glad'" in refusal(
        good(tmp_path / "one", train__jsonl=jsonl(one))
    )
    many = make_task([f"c{i}" for i in range(30)])
    message = refusal(good(tmp_path / "few", train__jsonl=jsonl(rows(20))), many)
    assert "train has 20 rows for 30 classes" in message
    tiny = good(tmp_path / "tiny", train__jsonl=jsonl(rows(2)))
    (tiny / "dev.jsonl").unlink()
    assert "too few to set some aside for validation" in refusal(tiny)


# --- splits ---------------------------------------------------------------------------------


def grouped(*counts):
    """Rows grouped by class, as published files often are."""
    texts, labels = [], []
    for label, count in enumerate(counts):
        texts += [f"class {label} text {i}" for i in range(count)]
        labels += [label] * count
    return Rows(tuple(texts), tuple(labels))


def counts(found, classes):
    return [found.labels.count(label) for label in range(classes)]


def test_validation_is_stratified_and_disjoint():
    train, validation = carve_validation(grouped(100, 40, 3, 2, 1), share=0.1, seed=0)
    assert counts(validation, 5) == [10, 4, 1, 0, 0]
    assert counts(train, 5) == [90, 36, 2, 2, 1]
    assert not set(train.texts) & set(validation.texts)


def test_validation_depends_on_the_seed_and_nothing_else():
    # Literal rows: the split must be the same on every machine and every library version.
    _, validation = carve_validation(grouped(10, 10), share=0.2, seed=0)
    assert validation.texts == (
        "class 0 text 0", "class 0 text 3", "class 1 text 1", "class 1 text 8",
    )  # fmt: skip
    _, other = carve_validation(grouped(10, 10), share=0.2, seed=1)
    assert other != validation


def test_near_repeats_are_not_split_between_train_and_validation():
    texts = tuple(f"Same Text {i // 4}{'!' * (i % 4)}" for i in range(80))
    source = Rows(texts, tuple(i // 40 for i in range(80)))
    train, validation = carve_validation(source, share=0.1, seed=3)
    assert len(validation) == 8
    assert not {normalise(t) for t in train.texts} & {normalise(t) for t in validation.texts}
    # A class of nothing but one text still leaves train some.
    same = Rows(("x",) * 10 + ("y",) * 10, (0,) * 10 + (1,) * 10)
    train, validation = carve_validation(same, share=0.1, seed=0)
    assert counts(train, 2) == [9, 9]


def test_every_prefix_of_train_is_stratified_and_nested(tmp_path):
    source = grouped(500, 100, 10, 1)
    order = nested_order(source, seed=0)
    assert sorted(order) == list(range(611))
    assert sorted(source.take(order[:4]).labels) == [0, 1, 2, 3]
    for size in (61, 122, 300):
        found = counts(source.take(order[:size]), 4)
        for got, whole in zip(found, (500, 100, 10, 1), strict=True):
            assert abs(got - max(1, size * whole / 611)) <= 2


def test_train_rows_are_nested_and_leave_validation_alone(tmp_path):
    folder = write(
        tmp_path,
        train__jsonl=jsonl(rows(200, classes=2)),
        test__jsonl=jsonl(rows(20, start=1000)),
    )
    whole, more, less = (load(folder, train_rows=n) for n in (None, 100, 30))
    assert whole.validation == more.validation == less.validation
    assert less.train == more.train.take(range(30)) == whole.train.take(range(30))
    assert counts(less.train, 2) == [15, 15]
    assert (whole.facts.train_rows_of, less.facts.train_rows_of) == (None, 180)
    assert len({found.facts.fingerprint for found in (whole, more, less)}) == 3
    assert "fewer than the 2 classes" in refusal(folder, train_rows=1)
    assert "more than train has without validation: 180" in refusal(folder, train_rows=181)


def test_two_loads_agree_and_a_changed_row_shows(tmp_path):
    first = load(good(tmp_path / "a"))
    assert load(good(tmp_path / "b")).facts.fingerprint == first.facts.fingerprint
    changed = rows(20, start=200)
    changed[7]["label"] = 1 - changed[7]["label"]
    second = load(good(tmp_path / "c", test__jsonl=jsonl(changed)))
    assert second.facts.fingerprint != first.facts.fingerprint
    assert len(first.facts.fingerprint) == 16


def test_a_fingerprint_tells_where_one_text_ends():
    a, b = Rows(("ab", "c"), (0, 1)), Rows(("a", "bc"), (0, 1))
    assert snapshot.fingerprint(a, a, a) != snapshot.fingerprint(b, a, a)
    assert snapshot.fingerprint(a, b, a) != snapshot.fingerprint(b, a, a)


# --- audit ----------------------------------------------------------------------------------


def test_the_audit_counts_what_is_odd():
    train = Rows(
        ("Hello, world", "hello world!", "twice", "twice", "both", "both", " ", *"abcdefgh"),
        (0, 0, 0, 0, 0, 1, 0, *[0] * 8),
    )
    validation = Rows(("twice", "new"), (0, 1))
    test = Rows(("HELLO WORLD", "both", "a", "fresh"), (0, 1, 0, 1))
    found = audit(train, validation, test, ["low", "high", "odd"])
    split = found.splits["train"]
    assert (split.rows, split.empty, split.exact_duplicates) == (15, 1, 2)
    assert (split.normalised_duplicates, split.conflicting_labels) == (3, 1)
    assert split.class_counts == [14, 1, 0]
    assert (split.length_p50, split.length_p95, split.length_max) == (1, 12, 12)
    assert split.length_mean == pytest.approx((12 + 12 + 5 + 5 + 4 + 4 + 1 + 8) / 15)
    assert (found.test_in_train, found.test_in_train_normalised) == (2, 3)
    assert found.validation_in_train == 1
    assert found.truncated == {}
    assert found.warnings == [
        "2 test texts are also in train",
        "1 more test text is also in train, but for case, spaces and punctuation",
        "1 validation text is also in train",
        "1 train text is empty",
        "1 train text stands under more than one label",
        "2 train texts repeat earlier ones",
        "the largest class of train (low, 14) is 14× the smallest (high, 1)",
        "1 class has no train row: odd",
        "1 class has no validation row: odd",
        "1 class has no test row: odd",
        "test has 4 rows: its macro-F1 moves by 0.27 when one answer changes",
    ]


def test_clean_data_has_no_warnings(tmp_path):
    assert beyond_numbers(load(good(tmp_path))) == [TWENTY]
    many = good(tmp_path / "more", test__jsonl=jsonl(rows(100, start=200)))
    assert beyond_numbers(load(many)) == []


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Ｈｅｌｌｏ，世界！", "hello世界"),
        ("  a\tb\n", "ab"),
        ("Straße", "strasse"),
        ("?!", "?!"),
        ("snake_case", "snakecase"),
        ("", ""),
    ],
)
def test_normalised_texts(text, form):
    assert normalise(text) == form


def test_a_large_set_is_audited_in_seconds():
    big = Rows(
        tuple(
            f"a headline about {i}, as long as headlines are, and its lead" for i in range(60_000)
        ),
        tuple(i % 4 for i in range(60_000)),
    )
    spent, _ = effort(lambda: audit(big, big, big, list("abcd")))
    assert spent < 200


# --- snapshot -------------------------------------------------------------------------------


def test_a_snapshot_comes_back_whole(tmp_path):
    weird = Rows(("", "line\nbreak", "emoji 🙂", "中文"), (0, 1, 0, 1))
    made = data.describe(weird, weird, weird, ["a", "b"], source="here")
    data.write_snapshot(tmp_path / "kept", made)
    assert data.read_snapshot(tmp_path / "kept") == made
    assert data.read_split(tmp_path / "kept", "test") == weird
    again = data.describe(weird, weird, weird.take([0, 1]), ["a", "b"], source="there")
    data.write_snapshot(tmp_path / "kept", again)
    assert data.read_snapshot(tmp_path / "kept") == again
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_snapshot_keeps_what_rows_are_called(tmp_path):
    """Ids come back with a split, change no fingerprint, and an older snapshot has none."""
    lines = [f"T{i},some words {i},{'ab'[i % 2]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["ticket,text,label", *lines]))
    source = {"file": "t.csv", "licence": "ours", "test": {"share": 0.2}}
    named = make_task(labels=["a", "b"], data={**source, "id": "ticket"})
    made = data.load(named, tmp_path / "t.yaml")
    plain = data.load(make_task(labels=["a", "b"], data=source), tmp_path / "t.yaml")
    assert made.facts.fingerprint == plain.facts.fingerprint and plain.test.ids is None
    ids = [f"T{text.split()[-1]}" for text in made.test.texts]
    assert list(made.test.ids or ()) == ids
    data.write_snapshot(tmp_path / "kept", made)
    assert data.read_split(tmp_path / "kept", "test") == made.test
    assert data.read_train_validation(tmp_path / "kept")[0].ids is None
    data.write_snapshot(tmp_path / "old", plain)
    assert data.read_split(tmp_path / "old", "test").ids is None


def test_train_and_validation_are_read_without_test(tmp_path):
    made = load(good(tmp_path / "rows"))
    data.write_snapshot(tmp_path / "kept", made)
    (tmp_path / "kept" / "test.parquet").unlink()
    assert data.read_train_validation(tmp_path / "kept") == (made.train, made.validation)
    with pytest.raises(DataError, match="damaged"):
        data.read_snapshot(tmp_path / "kept")


def test_a_changed_snapshot_is_refused(tmp_path):
    made = load(good(tmp_path / "rows"))
    kept = tmp_path / "kept"
    data.write_snapshot(kept, made)
    table = pq.read_table(kept / "train.parquet").slice(1)
    pq.write_table(table, kept / "train.parquet")
    for read in (data.read_snapshot, data.read_train_validation):
        with pytest.raises(DataError, match="changed since it was created"):
            read(kept)
    assert data.read_split(kept, "test") == made.test
    facts = json.loads((kept / "facts.json").read_text())
    facts["facts"]["fingerprint"] = "0" * 16
    (kept / "facts.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="changed since it was created"):
        data.read_split(kept, "test")
    (kept / "facts.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        data.read_split(kept, "test")
    with pytest.raises(DataError, match="not there"):
        data.read_snapshot(tmp_path / "elsewhere")


def test_a_snapshot_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    made = load(good(tmp_path / "rows"))
    with pytest.raises(StorageError, match="cannot be kept"):
        data.write_snapshot(tmp_path / "file" / "kept", made)


# --- the Hub --------------------------------------------------------------------------------


def hub_task(**hub):
    source = {"id": "owner/Moods", "revision": REVISION, **hub}
    return make_task(data={"hub": source, "licence": "ours"})


def never():
    raise AssertionError("the Hub was asked though the rows are here")


@pytest.fixture
def hub_home(tmp_path, monkeypatch):
    """Empty caches in place of this machine's."""
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    return tmp_path


def snapshot_folder(home, revision=REVISION):
    return home / "hub" / "datasets--owner--Moods" / "snapshots" / revision


def test_the_hubs_file_cache_is_read_at_the_revision(hub_home, tmp_path):
    good(snapshot_folder(hub_home))
    (snapshot_folder(hub_home) / "dev.jsonl").unlink()
    good(snapshot_folder(hub_home, "f" * 40), test__jsonl=jsonl(rows(3)))
    found = data.load(hub_task(), tmp_path / "t.yaml", hub_reachable=never)
    assert found.facts.source == f"Hub owner/Moods@{REVISION}"
    assert found.facts.rows == rowfacts.Rows(36, 4, 20)


def test_the_hubs_parquet_is_unpacked_a_few_rows_at_a_time(hub_home, tmp_path):
    import pyarrow
    import pyarrow.parquet

    from suite.data import tables

    count = 100_000  # in one group: 100 MB, of a few hundred bytes
    place = pyarrow.array([0] * count, pyarrow.int32())
    text = pyarrow.DictionaryArray.from_arrays(place, pyarrow.array(["x" * 1000]))
    pyarrow.parquet.write_table(pyarrow.table({"text": text}), tmp_path / "train.parquet")
    with tables.quiet_datasets():
        import datasets

        found = datasets.load_dataset(str(tmp_path), streaming=True, cache_dir=str(tmp_path / "c"))
        before = pyarrow.total_allocated_bytes()
        rows_read = iter(found["train"])
        assert next(rows_read)["text"] == "x" * 1000
        assert pyarrow.total_allocated_bytes() - before < 10**7
        del rows_read


def test_files_inside_a_repository(hub_home, tmp_path):
    write(snapshot_folder(hub_home), a__jsonl=jsonl(rows(20)), b__jsonl=jsonl(rows(6)))
    task = hub_task(files={"train": "a.jsonl", "test": "b.jsonl"})
    found = data.load(task, tmp_path / "t.yaml", hub_reachable=never)
    assert (len(found.train) + len(found.validation), len(found.test)) == (20, 6)


def test_unpinned_means_what_the_cache_calls_main(hub_home, tmp_path):
    good(snapshot_folder(hub_home))
    refs = hub_home / "hub" / "datasets--owner--Moods" / "refs"
    refs.mkdir()
    (refs / "main").write_text(REVISION)
    found = data.load(hub_task(revision="main"), tmp_path / "t.yaml", hub_reachable=never)
    assert len(found.test) == 20


def test_the_prepared_cache_is_read_at_the_revision(hub_home, tmp_path):
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["glad", "sad"])}
    )
    good(hub_home / "origin")
    made = datasets.load_dataset(
        "json",
        data_files={s: str(hub_home / "origin" / f"{s}.jsonl") for s in ("train", "test")},
        cache_dir=str(hub_home / "build"),
        features=features,
    )
    # As `datasets` lays it out: owner___name/config/version/revision.
    target = hub_home / "datasets" / "owner___moods" / "default" / "0.0.0" / REVISION
    origin = Path(made["train"].cache_files[0]["filename"]).parent
    target.mkdir(parents=True)
    for file in origin.iterdir():
        if file.is_file():
            (target / file.name.replace("json-", "moods-")).write_bytes(file.read_bytes())
    found = data.load(hub_task(), tmp_path / "t.yaml", hub_reachable=never)
    assert found.test.labels[:2] == (1, 0)
    with pytest.raises(tables.HubUnavailable):
        data.load(hub_task(revision="e" * 40), tmp_path / "t.yaml", hub_reachable=lambda: False)


def test_neither_cached_nor_reachable(hub_home, tmp_path):
    asked = []
    with pytest.raises(data.HubUnavailable) as caught:
        data.load(hub_task(), tmp_path / "t.yaml", hub_reachable=lambda: asked.append(1) or False)
    assert asked == [1]
    assert "owner/Moods is not in the local Hub cache" in str(caught.value)
    # A folder with a part of the files is as good as none.
    write(snapshot_folder(hub_home), train__jsonl=jsonl(rows(9)))
    with pytest.raises(data.HubUnavailable):
        data.load(hub_task(), tmp_path / "t.yaml", hub_reachable=lambda: False)


def stand_in(monkeypatch, answer):
    """Answers in the Hub's place, for `owner/Moods` alone."""
    import datasets

    real, calls = datasets.load_dataset, []

    def load_dataset(path, *args, **options):
        if path != "owner/Moods":
            return real(path, *args, **options)
        calls.append(options)
        return answer()

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return calls


def test_the_hub_is_asked_for_the_pinned_revision(hub_home, tmp_path, monkeypatch):
    import datasets

    def answer():
        return datasets.DatasetDict(
            train=datasets.Dataset.from_list(rows(20)), test=datasets.Dataset.from_list(rows(4))
        )

    calls = stand_in(monkeypatch, answer)
    task = hub_task(config="plain")
    found = data.load(task, tmp_path / "t.yaml", hub_reachable=lambda: True)
    assert calls == [{"name": "plain", "revision": REVISION, "data_files": None}]
    assert len(found.test) == 4
    splits = {"train": "train", "test": "tset"}
    wrong = make_task(
        data={"hub": {"id": "owner/Moods", "revision": REVISION}, "licence": "x", "splits": splits}
    )
    with pytest.raises(DataError) as caught:
        data.load(wrong, tmp_path / "t.yaml", hub_reachable=lambda: True)
    assert "no split 'tset'" in str(caught.value)
    assert "Did you mean 'test'?" in str(caught.value)


def test_a_wrong_name_is_no_reason_to_fall_back(hub_home, tmp_path, monkeypatch):
    import datasets

    def answer():
        raise datasets.exceptions.DatasetNotFoundError("Dataset 'owner/Moods' doesn't exist")

    stand_in(monkeypatch, answer)
    with pytest.raises(DataError, match="doesn't exist") as caught:
        data.load(hub_task(), tmp_path / "t.yaml", hub_reachable=lambda: True)
    assert not isinstance(caught.value, data.HubUnavailable)


def test_a_hub_that_falls_silent_is_unavailable(hub_home, tmp_path, monkeypatch):
    def answer():
        raise ConnectionError("Couldn't reach 'owner/Moods' on the Hub")

    stand_in(monkeypatch, answer)
    with pytest.raises(data.HubUnavailable, match="stopped answering"):
        data.load(hub_task(), tmp_path / "t.yaml", hub_reachable=lambda: True)


# --- real sets ------------------------------------------------------------------------------


def real(folder, task_name):
    if not (SHARED / folder).is_dir():
        pytest.skip(f"the development data ({folder}) is not here")
    file = Path(__file__).parents[1] / "tasks" / f"{task_name}.yaml"
    return data.load(load_task(file), file, data=SHARED / folder)


def test_real_agnews_is_the_same_twice():
    first, second = real("ag_news", "agnews"), real("ag_news", "agnews")
    assert first == second
    assert first.facts.rows == rowfacts.Rows(24_210, 2_691, 7_600)
    assert first.facts.audit.test_in_train == 0


def test_real_clinc_keeps_its_out_of_scope_rows():
    found = real("clinc150", "clinc150")
    assert found.facts.rows == rowfacts.Rows(15_100, 3_100, 5_500)
    task = load_task(Path(__file__).parents[1] / "tasks" / "clinc150.yaml")
    assert found.test.labels.count(task.label_names.index("oos")) == 1_000


def test_real_iflytek_goes_by_its_numbered_names():
    found = real("iflytek_fewclue", "iflytek")
    names = load_task(Path(__file__).parents[1] / "tasks" / "iflytek.yaml").label_names
    sizes = found.facts.audit.splits["test"].class_counts
    assert (sizes[names.index("打车")], sizes[names.index("其他")]) == (2, 30)
    assert found.facts.rows.test == 1_749
