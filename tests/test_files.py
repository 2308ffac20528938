"""Files of others: no pipe, no device, JSON to a bounded depth; what a full disk is told as."""

import errno
import json
import os
import socket

import pytest

from suite import files
from suite.config import yamlfile
from suite.contracts.task import Task
from suite.errors import DataError, ReportError, StorageError, YamlError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 200 + "]" * 200, False),
        ("[" * 201 + "]" * 201, True),
        ('{"a":' * 201 + "1" + "}" * 201, True),
        ("[[]" * 5000, True),
        ("[]," * 5000, False),
        (json.dumps(["[" * 900, '"[\\"' * 900]), False),
        ('"' + '\\"[' * 50_000, False),
        ("[" * 201, True),
    ],
)
def test_the_depth_of_json_is_counted_outside_its_texts(text, expected):
    assert files.nested_deeper(text) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 50_000, "nested deeper than 200 levels"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested deeper than 200 levels"),
        ("9" * 5000, "a number of thousands of digits"),
        (b"\xff", "can't decode byte 0xff"),
        ("{", "Expecting property name"),
    ],
)
def test_what_is_no_json_is_told_in_one_line(text, words):
    with pytest.raises(files.NotJson, match=words) as caught:
        files.parse_json(text)
    assert "\n" not in str(caught.value)


def test_json_is_what_it_says():
    assert files.parse_json(b'\xef\xbb\xbf{"a": [1, "[", 1e3]}') == {"a": [1, "[", 1000.0]}


@pytest.fixture
def odd(tmp_path):
    """Things with a name that are no regular files."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "device").symlink_to("/dev/zero")
    bound = socket.socket(socket.AF_UNIX)
    os.chdir(tmp_path)  # a socket's name has at most a hundred characters
    bound.bind("socket")
    yield tmp_path
    bound.close()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pipe", "this is a pipe, not a file"),
        ("folder", "this is a folder, not a file"),
        ("device", "this is a device, not a file"),
        ("socket", "this is a socket, not a file"),
        ("circle", "symbolic links that lead in a circle"),
        ("gone", "no such file"),
        ("folder/pipe/more", "no such file"),
        ("a" * 300, "the name is too long"),
        ("a\0b", "a file's name cannot hold a NUL"),
    ],
)
def test_only_regular_files_are_opened(odd, monkeypatch, name, words):
    for read in (lambda path: files.opened(path, DataError).__enter__(),
                 lambda path: files.size(path, DataError)):  # fmt: skip
        with pytest.raises(DataError, match=words) as caught:
            read(odd / name)
        assert name.partition("\0")[0] in str(caught.value)
    with pytest.raises(YamlError, match=words):
        yamlfile.load(odd / name, Task)


def test_a_pipe_that_took_a_files_place_is_not_waited_for(tmp_path, monkeypatch):
    file = tmp_path / "rows"
    file.write_bytes(b"")
    real = os.open

    def swapped(path, flags):
        file.unlink()
        os.mkfifo(file)
        return real(path, flags)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(DataError, match="this is a pipe"):
        files.opened(file, DataError).__enter__()


def test_a_name_that_is_no_text_is_refused_where_it_is_stored():
    with pytest.raises(DataError, match="not UTF-8"):
        files.named("a\udcff", DataError)


def test_a_file_that_grew_is_read_to_its_bound(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 101)
    assert len(files.read_small(tmp_path / "a", 101, DataError)) == 101
    with pytest.raises(DataError, match="has 101 bytes; at most 100 are read"):
        files.read_small(tmp_path / "a", 100, DataError)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_of_a_full_disk_it_is_told_what_is_left_there(tmp_path, number):
    trouble = OSError(number, os.strerror(number))
    told = files.reason(trouble, tmp_path / "a" / "b")
    assert told.endswith(" MB free there)") and "Errno" not in told
    assert files.is_full(trouble)
    readonly = OSError(errno.EROFS, "Read-only file system")
    assert files.reason(readonly, tmp_path) == "Read-only file system"
    assert not files.is_full(readonly)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("title: !!int ''", "no int"),
        ("title: !!float ''", "no float"),
        ("title: !!bool maybe", "no bool"),
        ("title: !!timestamp maybe", "no timestamp"),
        ("max_tokens: " + "9" * 5000, "a number too large"),
        ("max_tokens: 0x" + "f" * 5000, "a number too large"),
        ("max_tokens: 9223372036854775808", "a number too large"),
        ("max_tokens: 1" + ":59" * 3000, "a number too large"),
    ],
)
def test_values_that_are_not_what_their_tag_says_are_yaml_errors(line, words):
    with pytest.raises(YamlError) as caught:
        yamlfile.validate(line, Task, "t.yaml")
    assert words in str(caught.value) and "t.yaml, line " in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_number_of_any_length_is_a_text_where_a_text_is_wanted():
    for written in ("9" * 30, "9" * 5000, "0x" + "f" * 5000):
        value, _ = yamlfile.parse(f"title: {written}", "t.yaml", Task)
        assert value == {"title": written}


def test_a_draft_takes_a_files_place_only_when_it_is_whole(tmp_path):
    file = tmp_path / "folder" / "kept.txt"
    with files.whole(file) as draft:
        draft.write_text("first")
        assert not file.exists()
    with pytest.raises(KeyError), files.whole(file) as draft:
        draft.write_text("half")
        raise KeyError
    assert [(f.name, f.read_text()) for f in file.parent.iterdir()] == [("kept.txt", "first")]
    with pytest.raises(StorageError, match="cannot be written"), files.whole(file / "below") as _:
        raise AssertionError("there is no such folder")


def test_a_new_file_leaves_one_that_another_made_meanwhile(tmp_path):
    file = tmp_path / f"{'球' * 80}.db"  # a name of 243 bytes: its draft's has no more
    with files.whole(file, new=True) as draft:
        draft.write_text("first")
    with (
        pytest.raises(ReportError, match="not made: File exists") as told,
        files.whole(file, ReportError, what="not made", fix="other", new=True) as draft,
    ):
        draft.write_text("second")
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [(file.name, "first")]
    assert told.value.fix == "other"
