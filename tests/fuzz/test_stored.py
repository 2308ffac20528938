"""Values of every kind in the rows of a study, against whatever reads a storage.

Somewhere in one attribute of a study or a trial another value is put, or a key is taken away. Each
command then does what it is for or says why not; the study beside it is listed as before, and the
bad one can be deleted.
"""

import json
import sqlite3
from contextlib import closing

import pytest
from damages import FILE, GOOD, OF_OWN, OWN, healthy, tried
from hypothesis import given
from hypothesis import strategies as some
from test_damaged import COMMANDS, invoke, listed

from fuzz import STORED
from fuzz.test_readers import odd_text, values

#: Where attributes stand: table, key of a row, and which rows are the damaged study's.
TABLES = (
    ("study_user_attributes", "study_user_attribute_id", f"study_id = {OWN}"),
    ("study_system_attributes", "study_system_attribute_id", f"study_id = {OWN}"),
    ("trial_user_attributes", "trial_user_attribute_id", f"trial_id in {OF_OWN}"),
    ("trial_system_attributes", "trial_system_attribute_id", f"trial_id in {OF_OWN}"),
)
#: A key that is to go.
GONE = object()
odd_values = some.one_of(
    values,
    some.sampled_from([GONE, "NaN", float("nan"), float("inf"), -1, 2**63, "../../x", [], {}]),
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A healthy database in the working folder: its bytes, how the good study is listed, and every
    attribute of the other: (table, name of its key, its key, JSON)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("stored"))
        healthy()
        before, found = listed()[GOOD], []
        with closing(sqlite3.connect(FILE)) as opened:
            for table, key, own in TABLES:
                query = f"select {key}, value_json from {table} where {own}"
                found += [(table, key, *row) for row in opened.execute(query)]
        yield FILE.read_bytes(), before, found


@STORED
@given(data=some.data())
def test_whatever_stands_in_a_row_is_read_or_told(rows, data):
    content, before, attributes = rows
    table, key, row, text = data.draw(some.sampled_from(attributes))
    changed = data.draw(odd_text) if data.draw(some.integers(0, 9)) == 0 else _changed(data, text)

    def change(opened):
        opened.execute(f"update {table} set value_json = ? where {key} = ?", (changed, row))

    FILE.write_bytes(content)
    assert tried(change, COMMANDS, invoke, before) == []


def _changed(data, text):
    """A JSON text with another value somewhere in it; in a text that is JSON itself, within."""
    value = json.loads(text)
    if isinstance(value, str) and value[:1] in "[{" and value:
        return json.dumps(_changed(data, value))
    holder, at, inner = None, None, value
    while isinstance(inner, dict | list) and inner and data.draw(some.integers(0, 5)):
        holder = inner
        at = data.draw(
            some.sampled_from([*inner] if isinstance(inner, dict) else range(len(inner)))
        )
        inner = holder[at]
    new = data.draw(odd_values)
    if holder is None:
        return json.dumps(None if new is GONE else new)
    if new is GONE:
        del holder[at]
    else:
        holder[at] = new
    return json.dumps(value)
