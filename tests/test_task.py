"""Task files: the schema, hostile YAML, the published schemas, and `task new` / `task check`."""

import json
from pathlib import Path

import pytest
import yaml
from conftest import effort
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from suite import paths
from suite.cli import schemas
from suite.config import yamlfile
from suite.config.task import find_task, load_task
from suite.contracts.task import Task, default_prompt
from suite.data import check as task_check
from suite.data import draft as task_draft
from suite.data import draft_text
from suite.data import load as data
from suite.data.spellings import no_label, spell
from suite.errors import DataError, SuiteError, TaskError, YamlError

SHARED = Path(__file__).parents[2] / "shared" / "data"

GOOD = """\
name: moods
title: Moods
language: en
labels:
  - name: sad
  - name: glad
    display: Glad
    values: [7, happy]
data:
  folder: rows
  licence: ours
"""


def refusal(text, model=Task):
    with pytest.raises(YamlError) as caught:
        yamlfile.validate(text, model, "moods.yaml")
    return str(caught.value)


# --- the schema -----------------------------------------------------------------------------


def test_a_task_with_its_defaults():
    task = yamlfile.validate(GOOD, Task, "moods.yaml")
    assert task.label_names == ["sad", "glad"]
    assert [label.shown for label in task.labels] == ["sad", "Glad"]
    assert task.labels[1].values == [7, "happy"]
    assert (task.validation.share, task.validation.seed) == (0.1, 0)
    assert (task.max_tokens, task.latency_bound_ms, task.class_weights) == (256, 100, "none")
    assert task.data.text == ["text"]
    assert task.data.label == "label"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("name: moods", "name: My Moods", "line 1: name: 'My Moods' is no name"),
        (
            "language: en",
            "language: French",
            "line 3: language: 'French' is no language code",
        ),
        ("title: Moods", "title: ''", "line 2: title"),
        ("  - name: glad", "  - name: sad", "'sad' stands for both 'sad' and 'sad'"),
        ("[7, happy]", "[7, sad]", "'sad' stands for both 'sad' and 'glad'"),
        ("[7, happy]", "7", "line 8: labels.1.values"),
        ("  - name: sad\n", "", "labels: list should have at least 2 items"),
        ("  folder: rows\n", "", "name one source (hub, files, folder or file), none is named"),
        (
            "  folder: rows",
            "  folder: rows\n  hub: {id: a/b}",
            "name one source (hub, files, folder or file), not hub and folder",
        ),
        ("  folder: rows", "  hub: {id: ab}", "a Hub id is owner/name"),
        ("  folder: rows", "  hub: {id: a/b, revision: v1}", "a commit of 40 hex digits"),
        ("  licence: ours\n", "", "'data.licence' is missing"),
        ("  licence: ours", "  licence: ours\nmax_tokens: many", "line 12: max_tokens"),
        ("  licence: ours", "  licence: ours\nmax_tokens: 4", "greater than or equal to 8"),
        ("  licence: ours", "  licence: ours\nvalidation: {share: 1}", "validation.share"),
        ("  licence: ours", "  licence: ours\nout_of_scope: odd", "'odd' is not among the labels"),
        ("  licence: ours", "  licence: ours\nlatency_bound_ms: .inf", "finite"),
        ("  licence: ours", "  licence: ours\nlatency_bound_ms: .nan", "not nan"),
    ],
)
def test_contradictions_name_key_and_line(old, new, expected):
    assert old in GOOD
    message = refusal(GOOD.replace(old, new))
    assert expected in message
    assert message.startswith("moods.yaml, line ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD + "lables: []\n", "line 12: unknown key 'lables'\nDid you mean 'labels'?"),
        (GOOD.replace("licence", "license"), "unknown key 'license'\nDid you mean 'licence'?"),
        (GOOD.replace("display", "dispay"), "unknown key 'dispay'\nDid you mean 'display'?"),
        (
            GOOD.replace("  folder: rows", "  hub: {id: a/b, revison: x}"),
            "Did you mean 'revision'?",
        ),
    ],
)
def test_unknown_keys_name_the_nearest(text, expected):
    assert expected in refusal(text)


# --- hostile YAML ---------------------------------------------------------------------------

BILLION = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

HOSTILE = {
    "exploding anchors": (BILLION, "line 1: anchors and aliases"),
    "alias in a value": (GOOD + "description: *x\n", "line 12: anchors and aliases"),
    "brackets": ("name: " + "[" * 400_000, "nested deeper than 30 levels"),
    "braces": ("{a: " * 100_000, "nested deeper than 30 levels"),
    "steps": ("".join("  " * i + f"k{i}:\n" for i in range(60)), "nested deeper than 30 levels"),
    "tab": ("name: a\n\ttitle: b\n", "line 2: a tab is used for indentation\nIndent with spaces."),
    "tab in a block": (GOOD + "validation:\n\tshare: 0.1\n", "line 13: a tab is used"),
    "twice": (GOOD + "name: other\n", "line 12: the key 'name' stands twice"),
    "twice inside": (GOOD + "validation: {seed: 1, seed: 2}\n", "the key 'seed' stands twice"),
    "yes label": (GOOD.replace("name: sad", "name: yes"), "line 5: labels.0.name: YAML reads yes"),
    "off label": (GOOD.replace("name: sad", "name: off"), "quote the label"),
    "bare labels": (
        GOOD.replace("- name: sad", "- sad"),
        "keys with values are expected, not 'sad'",
    ),
    "python object": (
        GOOD + "description: !!python/object/apply:os.system ['touch owned']\n",
        "line 12: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
    ),
    "python name": (
        GOOD + "description: !!python/name:os.system\n",
        "line 12: could not determine",
    ),
    "own tag": (GOOD + "description: !secret {a: 1}\n", "the tag '!secret' is not allowed"),
    "set": (GOOD + "description: !!set {a}\n", "is not allowed"),
    "merge": (GOOD + "<<: {title: other}\n", "unknown key '<<'"),
    "list": ("- a\n", "the file must hold keys with values"),
    "text": ("hello", "the file must hold keys with values"),
    "nothing": ("# a comment\n", "the file is empty"),
    "two documents": (GOOD + "---\n" + GOOD, "another document"),
    "key of lists": ("{[1, 2]: 3}", "a key must be a plain word"),
    "colon": (GOOD + "description: a: b\n", "line 12: mapping values are not allowed here\nA text"),
    "open quote": (GOOD + 'description: "a\n', "unexpected end of stream"),
    "control": ("name: a\x07\n", "not valid YAML"),
    "huge number": (GOOD + f"max_tokens: {'9' * 5000}\n", "line 12: '9999"),
    "no date": (GOOD + "description: 2020-99-99\n", "line 12: '2020-99-99': month must be"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_yaml_is_one_short_message_at_once(kind, folder):
    text, expected = HOSTILE[kind]
    spent, message = effort(lambda: refusal(text))
    assert spent < 100
    assert expected in message
    assert message.startswith("moods.yaml")
    assert len(message) < 500
    assert list(folder.iterdir()) == []


def test_files_that_are_no_small_utf8_text(tmp_path):
    file = tmp_path / "moods.yaml"

    def message():
        with pytest.raises(YamlError) as caught:
            load_task(file)
        return str(caught.value)

    assert message() == f"{file}: no such file"
    file.write_bytes(b"name: a\n" * 1_300_000)
    assert "the file has 10,400,000 bytes; at most 1,000,000 are read" in message()
    file.write_bytes(GOOD.replace("Moods", "心情").encode("gb18030"))
    assert "not UTF-8 (byte 19)" in message()
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_task(file).title == "Moods"
    file.unlink()
    file.mkdir()
    assert "this is a folder" in message()


def test_quoted_yes_and_numbers_are_labels():
    text = GOOD.replace("name: sad", "name: 'yes'").replace("name: glad", "name: 5")
    assert yamlfile.validate(text, Task, "x").label_names == ["yes", "5"]


@pytest.mark.parametrize(
    "spelled", ["1e5", "1.0e-5", "1E5", "007", "1.50", "1_000", "10:30", "0x1F", "5", ".5", "-1"]
)
def test_a_number_where_a_text_is_wanted_is_the_text_as_written(spelled):
    text = GOOD.replace("name: sad", f"name: {spelled}").replace("[7, happy]", f"[7, a{spelled}]")
    text = text.replace("title: Moods", f"title: {spelled}")
    task = yamlfile.validate(text, Task, "x")
    assert (task.label_names, task.title) == ([spelled, "glad"], spelled)
    assert task.labels[1].values == [7, f"a{spelled}"]
    values = yamlfile.validate(GOOD.replace("happy", f"{spelled}"), Task, "x").labels[1].values
    assert values[1] == (int(spelled) if spelled in ("5", "-1") else spelled)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_task_or_a_yaml_error(text):
    with pytest.raises(YamlError):
        yamlfile.validate(text, Task, "x")


# --- finding --------------------------------------------------------------------------------


def test_tasks_are_found_by_name_and_own_ones_win(folder):
    names = paths.yaml_files("tasks")
    assert "agnews" in names
    with pytest.raises(TaskError) as caught:
        find_task("agnew")
    assert "Did you mean 'agnews'?" in str(caught.value)
    (folder / "tasks").mkdir()
    own = folder / "tasks" / "agnews.yaml"
    own.write_text(GOOD.replace("moods", "agnews"))
    assert find_task("agnews")[1] == own
    own.write_text(GOOD)
    with pytest.raises(YamlError, match="'moods' in a file called agnews"):
        find_task("agnews")
    (folder / "mine.yaml").write_text(GOOD)
    assert find_task("./mine.yaml")[0].name == "moods"


@pytest.mark.parametrize("name", sorted(paths.yaml_files("tasks")))
def test_shipped_tasks_are_whole(name):
    file = paths.yaml_files("tasks")[name]
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../suite/config/schemas/task.schema.json"
    assert (file.parent / first.split("$schema=")[1]).resolve().is_file()
    task, _ = find_task(name)
    assert task.language in task.prompt
    hub = task.data.hub
    assert hub is None or not hub.pinned or hub.revision_from
    assert hub is not None or task.data.note, "a task without a source says where to get its rows"
    assert all(reference.source for reference in task.references)


# --- published schemas ----------------------------------------------------------------------


def test_the_published_schemas_fit_the_models():
    for name, content in schemas.texts().items():
        file = schemas.FOLDER / name
        assert file.read_text(encoding="utf-8") == content, "run: python -m suite.cli.schemas"
    task = schemas.task_schema()
    assert task["additionalProperties"] is False
    assert set(task["required"]) == {"name", "title", "language", "labels", "data"}
    assert "trials" in schemas.results_schema()["properties"]
    assert "arms" in schemas.recipe_schema()["required"]


def test_schemas_are_written_whole(tmp_path):
    written = schemas.write(tmp_path / "new")
    assert [path.name for path in written] == [
        "task.schema.json", "recipe.schema.json", "results.schema.json", "report.schema.json",
        "across.schema.json",
    ]  # fmt: skip
    assert json.loads(written[0].read_text())["title"] == "A task of suite"
    (tmp_path / "file").write_text("")
    with pytest.raises(SuiteError, match="cannot be written"):
        schemas.write(tmp_path / "file")


# --- task new -------------------------------------------------------------------------------


def write_rows(folder, rows, test=None, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, items in {"train": rows, "test": test or rows[:40], **files}.items():
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def drafted(folder, name="drafted"):
    """A draft, its task, its findings and its data."""
    file = folder.parent / f"{name}.yaml"
    text = task_draft.draft(name, folder, task_file=file).text
    file.write_text(text, encoding="utf-8")
    return text, load_task(file), task_check.check(file), data.load(load_task(file), file)


def levels(findings):
    return sorted({finding.level for finding in findings})


def test_a_draft_passes_the_check(tmp_path):
    rows = [
        {"body": f"a rather long text about thing {i}", "kind": ["b", "a", "c"][i % 3], "id": i}
        for i in range(90)
    ]
    text, task, findings, found = drafted(write_rows(tmp_path / "rows", rows))
    assert text.startswith("# yaml-language-server: $schema=")
    assert Path(text.splitlines()[0].split("$schema=")[1]).is_file()
    assert (task.data.text, task.data.label) == (["body"], "kind")
    assert task.label_names == ["a", "b", "c"]
    assert (task.language, task.max_tokens) == ("en", 32)
    assert task.prompt == {"en": default_prompt("en")}
    assert "validation: {share: 0.1, seed: 0}" in text
    assert found.train.labels.count(0) == 27
    assert levels(findings) == ["note", "ok", "warning"]  # test texts also in train; licence
    assert "data.licence is not filled in" in [f.message for f in findings]


def test_a_chinese_draft_with_numbers_and_labels_json(tmp_path):
    rows = [{"text": f"这是第{i}段足够长的中文文本" * 4, "label": i % 2} for i in range(40)]
    folder = write_rows(
        tmp_path / "rows", rows, dev=[{**row, "text": row["text"][::-1]} for row in rows[:8]]
    )
    (folder / "labels.json").write_text('["负面", "正面"]', encoding="utf-8")
    text, task, _, found = drafted(folder)
    assert (task.language, task.label_names, task.max_tokens) == ("zh", ["负面", "正面"], 64)
    assert task.prompt == {"zh": default_prompt("zh")}  # what a task without one would ask
    assert "validation: {" not in text
    assert found.facts.rows.validation == 8


def test_numbers_without_names_say_so_and_keep_their_place(tmp_path):
    rows = [{"text": f"a text of some length {i}", "label": i % 5 + 1} for i in range(100)]
    text, task, _, found = drafted(write_rows(tmp_path / "rows", rows))
    assert "# The data only numbers its classes" in text
    assert task.label_names == ["1", "2", "3", "4", "5"]
    # Whoever renames the classes keeps the data readable: the numbers stand under values.
    renamed = text.replace('name: "1"', "name: awful").replace('name: "5"', "name: great")
    task = yamlfile.validate(renamed, Task, "x")
    again = data.load(task, tmp_path / "drafted.yaml")
    assert again.test.labels == found.test.labels == tuple(i % 5 for i in range(40))


def test_names_that_stand_beside_numbers_are_used(tmp_path):
    names = ["sport", "art", "law"]
    rows = [
        {"text": f"quite a long text {i}", "label": i % 3, "label_text": names[i % 3]}
        for i in range(60)
    ]
    _, task, _, found = drafted(write_rows(tmp_path / "rows", rows))
    assert (task.data.label, task.label_names) == ("label", names)
    assert found.test.labels[:3] == (0, 1, 2)


def test_out_of_scope_files_are_noticed(tmp_path):
    rows = [{"text": f"a question about things {i}", "label": i % 2} for i in range(60)]
    folder = write_rows(tmp_path / "rows", rows, oos_test=[{"text": "eh", "label": 2}])
    (folder / "labels.json").write_text('["order", "refund", "oos"]')
    _, task, _, found = drafted(folder)
    assert task.out_of_scope == "oos"
    assert found.test.labels[-1] == 2
    (folder / "labels.json").unlink()
    _, task, _, found = drafted(folder)
    assert (task.label_names, task.out_of_scope) == (["0", "1", "out_of_scope"], "out_of_scope")
    assert found.test.labels[-1] == 2


def test_imbalance_and_other_texts_are_mentioned(tmp_path):
    rows = [
        {
            "title": f"a headline of a kind, no. {i}",
            "text": f"{i} " + "long " * 30,
            "reply": f"an answer that is no heading, no. {i}",
            "label": "ab"[i < 9],
        }
        for i in range(99)
    ]
    text, task, _, _ = drafted(write_rows(tmp_path / "rows", rows))
    assert task.data.text == ["title", "text"]
    assert "# Also texts: reply." in text
    assert task.imbalance == "largest class of train 90 rows, smallest 9"


def test_a_relative_folder_stays_relative_to_the_file(folder):
    rows = [{"text": f"a text of some length {i}", "label": "ab"[i % 2]} for i in range(40)]
    write_rows(folder / "rows", rows)
    file = folder / "tasks" / "mine.yaml"
    text = task_draft.draft("mine", Path("rows"), task_file=file).text
    assert yamlfile.validate(text, Task, "x").data.folder == "../rows"
    assert yamlfile.validate(
        task_draft.draft("mine", Path("rows")).text, Task, "x"
    ).data.folder == str(folder / "rows")


def test_what_cannot_be_drafted(tmp_path):
    rows = [{"text": f"text {i}", "label": "ab"[i % 2]} for i in range(20)]
    folder = write_rows(tmp_path / "rows", rows)
    with pytest.raises(TaskError, match="no name for a task"):
        task_draft.draft("My Task", folder)
    with pytest.raises(DataError, match="no such file or folder"):
        task_draft.draft("mine", tmp_path / "nowhere")
    write_rows(folder, [{"text": f"text {i}", "id": i} for i in range(20)])
    with pytest.raises(DataError, match="as many values as rows: 20"):
        task_draft.draft("mine", folder)
    write_rows(folder, [{"x": i % 2, "y": i} for i in range(20)])
    with pytest.raises(DataError, match="no column holds texts"):
        task_draft.draft("mine", folder)
    (folder / "train.jsonl").unlink()
    with pytest.raises(DataError, match="no file for train"):
        task_draft.draft("mine", folder)


NASTY = [
    "yes", "No", "on", "null", "~", "true", "5", "1e3", "0x1F", "1_000", "12:30:45",
    "2020-01-01", "NaN", ".inf", " padded ",
    "a: b", "a #b", "# a", "- a", "? a", "! a", "& a", "* a", "| a", "> a", "% a", "@ a", "` a",
    "'a'", '"a"', "it's", "{a}", "[a]", "a, b", "a\\b", "a\nb", "a\tb", "=", "<<", ".", "...",
    "---", "中文：标签", "é", "🙂", "a\u2028b", "a\x85b", "\ufeffa", "\x7f", "a\x00b", "x" * 300,
    "Sci/Tech",
]  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_every_label_survives_the_yaml(name):
    assert yaml.safe_load(f"- name: {draft_text.quoted(name)}\n") == [{"name": name}]
    assert "\n" not in draft_text.quoted(name)


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=40).filter(lambda t: t.isprintable() or "\n" in t))
@example("key: value # comment")
def test_any_label_survives_the_yaml(name):
    text = f"labels:\n  - name: {draft_text.quoted(name)}\n    values: [1]\n"
    assert yaml.safe_load(text) == {"labels": [{"name": name, "values": [1]}]}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(
        st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=12)).filter(
            lambda t: not no_label(spell(t)) and t.encode("utf-8", "ignore").decode() == t
        ),
        min_size=2,
        max_size=6,
        unique_by=lambda t: spell(t).casefold(),
    )
)
@example(names=["yes", "no"])
@example(names=["1.0", "2.0", "x"])
def test_a_draft_of_nasty_labels_reads_its_own_data(tmp_path, names):
    rows = [
        {"text": f"a text of some length, number {i}", "label": names[i % len(names)]}
        for i in range(60)
    ]
    folder = write_rows(tmp_path / "rows", rows)
    text = task_draft.draft("nasty", folder).text
    task = yamlfile.validate(text, Task, "nasty.yaml")
    assert sorted(task.label_names) == sorted({spell(name) for name in names})
    found = data.load(task, tmp_path / "nasty.yaml")
    assert [task.label_names[i] for i in found.test.labels] == [
        spell(row["label"]) for row in rows[:40]
    ]


# --- task check -----------------------------------------------------------------------------


def messages(findings, level):
    return [finding.message for finding in findings if finding.level == level]


def test_check_says_what_a_task_lacks(tmp_path):
    file = tmp_path / "other.yaml"
    file.write_text(GOOD.replace("  folder: rows", "  hub: {id: nobody/nothing}"))
    findings = task_check.check(file)
    assert "nobody/nothing is not pinned (revision main)" in messages(findings, "warning")[0]
    notes = messages(findings, "note")
    assert "only as moods.yaml is it found by name" in notes[0]
    assert notes[1] == (
        "no prompt in the task's language (en): zero_shot and sft ask the usual question"
    )
    assert notes[2] == "the rows are not on this machine: not checked"


def test_check_reads_the_rows_where_they_are(tmp_path):
    rows = [{"text": f"text {i} " + "word " * (i % 3) * 200, "label": i % 2} for i in range(60)]
    new = [{"text": f"new {i}", "label": i % 2} for i in range(6)]
    write_rows(tmp_path / "rows", rows, test=[*rows[:3], *new[:2]], dev=new[2:])
    (tmp_path / "moods.yaml").write_text(GOOD.replace("[7, happy]", "[7]"))
    findings = task_check.check(tmp_path / "moods.yaml")
    assert "60 train, 4 validation, 5 test rows; fingerprint" in messages(findings, "ok")[1]
    assert messages(findings, "warning") == [
        "3 test texts are also in train",
        "test has 5 rows, of 'glad' 2: its macro-F1 moves by 0.24 when one answer changes",
    ]
    assert "longer than max_tokens (256)" in messages(findings, "note")[-1]


def test_check_turns_every_defect_into_a_finding(tmp_path):
    file = tmp_path / "moods.yaml"
    file.write_text(GOOD + "lables: 1\n")
    (only,) = task_check.check(file)
    assert only.level == "error"
    assert "Did you mean 'labels'?" in only.message
    file.write_text(GOOD)
    assert "is not here" in messages(task_check.check(file), "warning")[0]
    write_rows(tmp_path / "rows", [{"text": "a", "label": "odd"}] * 9)
    assert "'odd' is not among" in messages(task_check.check(file), "error")[0]
    given = write_rows(tmp_path / "given", [{"text": f"t{i}", "label": i % 2} for i in range(20)])
    assert messages(task_check.check(file, given), "error") == []


@pytest.mark.parametrize("name", ["chnsenticorp", "clinc150", "20newsgroups_bare"])
def test_real_folders_are_drafted(name, tmp_path):
    if not (SHARED / name).is_dir():
        pytest.skip(f"the development data ({name}) is not here")
    file = tmp_path / "mine.yaml"
    file.write_text(task_draft.draft("mine", SHARED / name, task_file=file).text, encoding="utf-8")
    task = load_task(file)
    names = json.loads((SHARED / name / "labels.json").read_text(encoding="utf-8"))
    assert task.label_names == names
    assert task.language == ("zh" if name == "chnsenticorp" else "en")
    assert (task.out_of_scope == "oos") is (name == "clinc150")
    assert messages(task_check.check(file), "error") == []
