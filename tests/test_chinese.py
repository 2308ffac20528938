"""A Chinese page is Chinese: a study with every kind of warning and refusal, its words counted."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from fluent.syntax import FluentParser, ast
from report_studies import BERT, EN, ZH, benched, trial

from suite.contracts.results import Arm, Published
from suite.contracts.rowfacts import Audit
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.data.audit import audit
from suite.data.check import check_text
from suite.data.draft import draft
from suite.data.load import load
from suite.errors import DataError
from suite.report.charts import STUDY_CHARTS
from suite.report.charts.chart import Drawn, StudyScene
from suite.report.data.spoken import spoken
from suite.report.pages.across_page import render_across
from suite.report.pages.export import to_json, to_markdown
from suite.report.pages.page import render_page
from suite.report.words import LOCALE
from suite.study.create import _parts

#: Refusals, retirements and failures as rooms say them, and those of earlier versions.
REFUSALS = (
    "full fine-tuning of qwen3-4b (4,022M parameters) needs about 32.2 GB; this machine has 25.3 "
    "GB and no GPU; a GPU or a smaller model would help",
    "its weights (google-bert/bert-base-cased) are not in the local cache and the Hub is out of "
    "reach (did not answer within 10 s); --model bert-base-cased=PATH names a local folder instead",
    "151 classes are more than the 26 that option codes can name; use linear_head",
    "one trial would take about 341 s, above the budget of 60 s; --force keeps it",
    "LLaMA-Factory, which does the training, is not installed: pip install llamafactory",
)
FAILURES = (
    "3 failures in a row, the last: memory ran out: 15.2 GiB; a smaller batch, fewer tokens or "
    "LoRA needs less",
    "stopped after max_trial_seconds = 600",
    "the child ended with exit code 1 and without a result",
)
#: What readers say of files and labels, beside what the audit finds.
NOTES = (
    "all 40 rows of validation are rows of train: one split serves two purposes",
    "3 validation rows are rows of test",
    "2 labels are spelled otherwise than the others of the class, and were merged: "
    "'World ' as 'World' (2)",
    "12 labels merged with the same in another case",
    "37 rows are left out: 30 without label and 7 without text",
    "test has 6 rows, of 'World' 2: its macro-F1 moves by 0.17 when one answer changes",
    "2 rows of train.csv were left out: line 7: 4 fields where the first line has 3",
)
#: What stands in Latin letters in Chinese too: metrics, units, methods, tools, words of files.
KEPT = set(
    """F1 p50 p90 p95 p99 p ms s min h GB MB MiB GiB KiB TiB B M k GPU CPU LoRA Hub token bfloat16
    UTC Optuna MLPerf LoadGen SingleStream Offline Server Holm Friedman Nemenyi PED-ANOVA JavaScript
    JSON CSV Python PyTorch OpenVINO LLaMA-Factory HTTP suite TPE zero_shot linear_head probe sft
    batch max_trial_seconds force model AURC""".split()
)


def everything():
    """A study in which everything is said that can be said of data, arms, trials and engines."""
    leaky = ["the same", "the same", "Another one", "", "third", *(f"text {i}" for i in range(40))]
    train = Rows(leaky, [0, 1, 0, 0, 1, *[0] * 40])
    found = audit(train, Rows(["the same", "the same", ""], [0, 1, 0]),
                  Rows(["the same", "another ONE!", "x", ""], [0, 0, 0, 0]),
                  ["World", "Sports", "Nobody"])  # fmt: skip
    base = benched()
    trials = [*base.trials, *(
        trial(20 + i, BERT, None, 1.0, state="FAIL", error=why, checkpoints=[])
        for i, why in enumerate(FAILURES))]  # fmt: skip
    arms = [*base.arms, *(
        Arm(f"qwen3-4b/sft{i}", trials=0, family="decoder", refused=why)
        for i, why in enumerate(REFUSALS)),
        Arm("gte/probe", trials=3, family="encoder", retired=FAILURES[0])]  # fmt: skip
    bench = [replace(row, reason=row.reason and "this PyTorch has no 8-bit kernels for this CPU")
             for row in base.bench]  # fmt: skip
    return replace(
        base, arms=arms, trials=trials, bench=bench, labels=["World", "Sports", "Nobody"],
        data=replace(base.data, audit=Audit(**(vars(base.data.audit) | {
            "warnings": [*NOTES, *found.warnings]}))),
        references=[Published("paper-net", "accuracy", 0.93, "https://example.org/a",
                              "its metric is accuracy; tested on 7,600 rows, ours on 200")],
        environment={"python": "3.11.7", "cpu": {"usable": 2.0}, "memory": {"total_bytes": 2**34}},
        allocation="equal", sampler="TPE, 10 random trials first, seed 7",
        pruner="median, within the arm", bounds={"min_rps": 1.0, "max_train_seconds": 900.0},
        latency_bound_ms=100.0, target_trials=12, test_openings=2,
    )  # fmt: skip


def told_words(page):
    """The Latin words that a person sees, outside scripts, commands and names."""
    text = re.sub(r"<(script|style|code|pre|kbd|noscript)\b.*?</\1>", " ", page, flags=re.S)
    text = re.sub(r"<[^>]+>", " ", text.replace("<wbr>", ""))
    text = re.sub(r"&\w+;|&#\d+;|https?://\S+", " ", text)
    text = re.sub(
        r"\b\d{4}-\d\d-\d\d[T\d:]*Z?|\b[0-9a-f]{16}\b", " ", text
    )  # moments, fingerprints
    return re.findall(r"[A-Za-z][A-Za-z0-9_.+-]*", text)


def names_of(results):
    """Names: of arms, models, hyperparameters, classes, files, packages, the task's own text."""
    flat = json.dumps(
        [[a.arm for a in results.arms], results.labels, results.title, results.task, results.study,
         results.recipe, results.command, [t.params for t in results.trials],
         [t.circumstances for t in results.trials], results.budget, results.data.source,
         [r.model for r in results.references], results.environment,
         [[b.engine, b.precision, b.host, b.versions] for b in results.bench],
         "minilm google-bert bert-base-cased PATH pip install llamafactory TPE median accuracy "
         "train.csv compiler n_arms img src onerror document.title owned script x"],
    )  # fmt: skip
    return set(re.findall(r"[A-Za-z][\w.+-]*", flat))


@pytest.mark.parametrize("kind", ["page", "across", "markdown"])
def test_a_chinese_page_has_no_latin_word_but_names(kind):
    found = everything()
    other = replace(found, study="later", finals=[])
    made = {
        "page": lambda: render_page(found, ZH),
        "across": lambda: render_across([found, other], ["a.html", "b.html"], ZH),
        "markdown": lambda: re.sub(r"```.*?```|`[^`]*`", " ", to_markdown(found, ZH), flags=re.S),
    }[kind]()
    names = names_of(found) | {"later"}
    left = [
        word for word in told_words(made)
        if word not in KEPT and word not in names and word.strip(".+-") not in KEPT | names
    ]  # fmt: skip
    assert left == []


def told_in(value, key=""):
    """The texts of a figure that a person sees, on it or beside a point."""
    if isinstance(value, str):
        if key in ("text", "name", "title", "hovertemplate", "ticktext"):
            yield re.sub(r"<[^>]+>|%\{[^}]*\}", " ", value)
    elif isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else ((key, part) for part in value)
        for name, part in parts:
            yield from told_in(part, name)


def test_a_chinese_chart_has_no_latin_word_but_names():
    found = spoken(everything(), ZH)
    allowed = names_of(found) | KEPT
    left = {}
    for chart in Drawn.of(STUDY_CHARTS, StudyScene.of(found, ZH)).all():
        figure = json.loads(chart.figure.to_json())
        figure["layout"].pop("template", None)
        for text in (chart.title, chart.about, *map(str, chart.columns), *told_in(figure)):
            words = set(re.findall(r"[A-Za-z][A-Za-z0-9_.+-]*", text))
            if strange := {word for word in words if word.strip(".+-") not in allowed}:
                left.setdefault(chart.name, set()).update(strange)
    assert left == {}


def test_every_warning_and_refusal_of_the_study_is_chinese():
    before, after = everything(), spoken(everything(), ZH)
    assert spoken(before, EN) is before
    said = [*after.data.audit.warnings, *(a.refused or a.retired or "是" for a in after.arms),
            *(t.error or "是" for t in after.trials if t.error != "memory ran out"),
            *(r.differs for r in after.references)]  # fmt: skip
    assert len(after.data.audit.warnings) >= 9
    short = "one training: a second would take about 50 s, 30 s more than was left"
    once = replace(before, finals=[replace(f, short=short) for f in before.finals])
    said += [str(final.short) for final in spoken(once, ZH).finals]
    for line in said:
        assert re.search(r"[\u4e00-\u9fff]", line), line
    assert "测试集有 1 条文本同时出现在训练集中" in after.data.audit.warnings


#: Tables as people have them, each with what is found or wrong in it.
TABLES = {
    "tickets.csv": "id,customer,created,subject,body,team\n" + "".join(
        f"T{i},c{i % 8},2024-01-{1 + i % 28:02d},Short words {i},{'Many more words here ' * 3}{i},"
        f"{('billing', 'orders', 'unknown', '')[i % 4]}\n" for i in range(80)),
    "semi.csv": "\ufefftext;label\n" + "".join(
        f"some words {i} for you and many more;{'xy'[i % 2]}\n" for i in range(40)),
    "tabs.tsv": "text\tlabel\n" + "".join(
        f"some words {i} for you {'and more ' * (i % 7) * 60}\t{'xy'[i % 2]}\n"
        for i in range(40)),
    "numbers.csv": "text,label\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(40)),
    "case.csv": "text,label\n" + "".join(
        f"some words {i} are here,{('x', 'X', 'y')[i % 3]}\n" for i in range(40)),
    "two.csv": "text,kind,team\n" + "".join(
        f"some words {i} are here,{'ab'[i % 2]},{'xyz'[i % 3]}\n" for i in range(40)),
    "one.csv": "text,label\n" + "".join(f"some words {i},x\n" for i in range(40)),
    "open.csv": 'text,label\n"some words,x\nother words,y\n',
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_what_a_draft_says_is_chinese(table, tmp_path, monkeypatch):
    """What `study create FILE` and `task new` print of a table, and why they refuse one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / table).write_text(TABLES[table], encoding="utf-8")
    file = tmp_path / "other-name.yaml"
    try:
        made = draft("own", Path(table), task_file=file)
    except DataError as error:
        said = [str(error)]
    else:
        loaded = load(Task.model_validate(yaml.safe_load(made.text)), file)
        said = [*made.told, _parts(loaded), f"Wrote {file}: from now on it says how the rows are "
                "read.", f"The rows are read as {file} says, which was changed by hand.",
                *(finding.message for finding in check_text(made.text, file))]  # fmt: skip
    names = set(re.findall(r"[A-Za-z][\w.+-]*", TABLES[table])) | KEPT | set(
        "own own.yaml CSV UTF-8 BOM data max_tokens data.licence reading case merge keep t.yaml "
        "merge-case keep-case label text time group".split()) | {table, file.name}  # fmt: skip
    left = []
    for line in said:
        words = re.findall(
            r"[A-Za-z][A-Za-z0-9_.+-]*", re.sub(r"\S*/\S*|[0-9a-f]{16}", " ", ZH.told(line))
        )
        left += [word for word in words if word.strip(".+-") not in names]
    assert left == []


def test_languages_are_called_by_their_chinese_names():
    said = ZH.told("bert reads English and German; the texts are in several languages; choose a "
                   "model that lists 'mul' or 'multilingual'")  # fmt: skip
    assert said.startswith("bert 支持的语言是英语和德语，而文本语言是多种语言；")
    assert "法语" in ZH.told("a/sft: asked in English, for the task has no `prompt` in French; "
                            "`prompt: {fr: …}` in its file words one.")  # fmt: skip


def test_a_rule_of_thumb_is_told_as_one():
    said = [
        ZH.told(f"0 of 1 round: one more would take about 22 min{by}, longer than there was time")
        for by in (" by rule of thumb", "")
    ]
    assert "按经验估计" in said[0] and said[0].replace("按经验估计，", "") == said[1]
    assert "rule" not in said[0]


def test_json_is_the_same_in_every_language_but_for_its_answer():
    english, chinese = (json.loads(to_json(everything(), words)) for words in (EN, ZH))
    for found in (english, chinese):
        found.pop("answer")
    assert english == chinese


def sentences():
    """Each English phrase that is told, as the texts that stand still in it."""
    body = FluentParser().parse((LOCALE / "en.told.ftl").read_text(encoding="utf-8")).body
    for message in (entry for entry in body if isinstance(entry, ast.Message)):
        parts = []
        for element in message.value.elements:
            if isinstance(element, ast.TextElement):
                parts.append(element.value)
            elif isinstance(element.expression, ast.SelectExpression):
                parts += [
                    e.value for e in element.expression.variants[-1].value.elements
                    if isinstance(e, ast.TextElement)
                ]  # fmt: skip
        yield message.id.name, parts


def test_what_is_not_known_stays_and_no_name_is_translated():
    for text in ("Traceback: nothing of this is known", "", "train me a river", "x; y. z: " * 400):
        assert ZH.told(text) == text
    assert ZH.told("the training rows") == "the training rows"
    assert ZH.told("2 classes have no test row: train, memory").endswith("：train, memory")
    assert ZH.told("a.yaml: no file b.csv\nStart with `suite study create agnews`.") == (
        "a.yaml：文件 b.csv 不存在\n请先运行 `suite study create agnews`。"
    )


def test_every_pattern_is_told_with_its_places_kept():
    for key, parts in sentences():
        said = ZH(key, **{name: f"⟦{name}⟧" for name in places(key)})
        assert re.search(r"[\u4e00-\u9fff：]|GPU|CPU", said), key
        for name in places(key):
            assert f"⟦{name}⟧" in said, (key, name)
        assert parts, key


def places(key):
    text = (LOCALE / "en.told.ftl").read_text(encoding="utf-8")
    block = re.search(rf"^{key} = (.*?)(?=^\S|\Z)", text, re.M | re.S)[1]
    return set(re.findall(r"\{ \$(\w+)", block))


def test_most_patterns_are_what_the_code_says():
    """A pattern of a sentence that no code says any more is one of an older version's studies."""
    source = "".join(
        re.sub(r'"\s*\n\s*f?"', "", file.read_text(encoding="utf-8"))
        for file in (Path(LOCALE).parent.parent).rglob("*.py")
    )
    gone = [
        key for key, parts in sentences()
        if (longest := max(parts, key=len).strip(" .'()")) not in source
        and longest.rpartition(" ")[0] not in source
    ]  # fmt: skip
    # Sentences that the code puts together out of parts count among them.
    assert len(gone) < len(list(sentences())) / 8, gone
