"""What a report says: every language whole, every phrase used, plurals right, values as given."""

from __future__ import annotations

import ast as python_ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast
from report_studies import EN, ZH, study, trial

from suite.contracts.results import StudyResults
from suite.contracts.rowfacts import Audit
from suite.errors import ReportError, counted
from suite.report import words as words_module
from suite.report.data.search import STATES
from suite.report.data.side_by_side import side_by_side
from suite.report.pages.across_page import render_across
from suite.report.pages.page import render_page
from suite.report.pages.terms import TERMS
from suite.report.words import LANGUAGES, LOCALE, words_of

REPORT = LOCALE.parent
CLI = REPORT.parent / "cli"
#: The keys of what other rooms say.
TOLD = set(re.findall(r"^(\w+) =", (LOCALE / "en.told.ftl").read_text(encoding="utf-8"), re.M))
#: Ends of keys that are put together as a report is written, by how they begin.
ENDS = {
    "across_by_": ("speed", "training"),
    "across_cost_": ("speed", "training"),
    "across_method_": ("paired", "unpaired", "none"),
    "across_only_": ("before", "after"),
    "across_pair_": ("better", "worse", "chance", "unknown"),
    "across_take_": ("level", "cheap"),
    "across_trade_title_": ("speed", "speed_level", "training", "apart_speed", "apart_training",
                            "some_speed", "some_training"),
    "splits_": ("folds", "holdout"),
    "across_unpaired_": ("objectives", "losses", "no_predictions", "rows_differ", "sample"),
    "across_verdict_": ("better", "worse", "chance", "unknown"),
    "answer_tie": ("", "_same", "_within", "_within_same", "_ranges", "_ranges_same"),
    "axis_": ("offline_rps", "train_seconds"),
    "axis_elapsed_": ("seconds", "minutes", "hours"),
    "axis_on_": ("test", "validation"),
    "axis_wall_": ("seconds", "minutes", "hours"),
    "cheapest_": ("all", "useful"),
    "cheapest_taken_": ("all", "useful"),
    "cost_": ("training", "scoring", "other"),
    "fact_": tuple(sorted({change.fact for change in side_by_side(
        study(bounds={"min_rps": 1.0}), study(study="other")).changed} | set(side_by_side(
        study(), study(study="other")).unchanged))),
    "family_": ("classic", "static", "encoder", "decoder", "decision", "combined"),
    "decided_": ("certified", "estimated", "worth", "certified_more", "estimated_more", "wrong",
                 "at_most", "threshold", "test_answers", "test_wrong", "saved"),
    "finding_": ("speed", "speed_same", "speed_same_drawn", "time", "time_same",
                 "time_same_drawn"),
    "flag_": ("refused", "retired", "failed", "disagrees"),
    "gives_": ("test", "test_best", "validation", "validation_best"),
    "gloss_": TERMS,
    "leaderboard_": ("test", "validation", "ranges"),
    "length_in_": ("tokens", "words"),
    "metric_": ("train_seconds", "offline_rps", "rank", "arm", "test_interval", "p50_ms", "p90_ms",
                "peak_memory_bytes", "parameters", "trials"),
    "metric_on_": ("test", "validation"),
    "money_": ("pays", "unsure", "never"),
    "money_no_": ("price", "speed", "tokens"),
    "n_": ("arms", "studies"),
    "recommended_": ("other", "best", "one_training", "no_speed", "no_finals"),
    "role_": ("best", "recommended", "tied", "open", "second", "fastest", "thrift", "average",
              "winner", "quick", "frugal"),
    "scope_by_": ("probability", "class", "energy", "distance", "neighbours"),
    "scores_": ("lower", "lower_tested", "higher", "same"),
    "split_": ("train", "validation", "test"),
    "difficulty_": ("easy", "medium", "hard", "ambiguous", "random"),
    "difficulty_by_": ("perplexity", "zero_shot", "dynamics", "agreement"),
    "stress_": (
        "typos", "case", "cut", "homophones", "traditional", "harmless", "name", "instruction",
    ),
    "stress_steered_": ("most", "least", "only"),
    "state_": tuple(state.lower() for state in STATES),
    "term_": TERMS,
    "use_": ("predict", "serve", "export"),
}  # fmt: skip
#: What a phrase counts in English, as more than one.
NOUNS = (
    "arms|trials|tasks|studies|classes|rows|seeds|characters|workers|reasons|facts|pairs|contests|"
    "times|curves|hyperparameters|others"
)
#: Phrases said only of several: of more than are drawn or named.
OF_SEVERAL = {"across_more_facts", "across_ranks_title", "across_test_few", "axes_capped",
              "curves_capped", "parts_draws"}  # fmt: skip


def phrases(language: str) -> dict[str, ast.Message]:
    files = sorted(LOCALE.glob(f"{language}.*ftl"))
    found = FluentParser().parse("\n".join(file.read_text(encoding="utf-8") for file in files))
    assert not [entry.content for entry in found.body if isinstance(entry, ast.Junk)]
    messages = [entry for entry in found.body if isinstance(entry, ast.Message)]
    names = [message.id.name for message in messages]
    assert len(names) == len(set(names)), "a key twice"
    return dict(zip(names, messages, strict=True))


def inside(node: object, kind: type) -> Iterator[ast.BaseNode]:
    if isinstance(node, kind):
        yield node
    if isinstance(node, ast.BaseNode):
        for value in vars(node).values():
            for part in value if isinstance(value, list) else [value]:
                yield from inside(part, kind)


def values_of(key: str, all_phrases: dict[str, ast.Message]) -> set[str]:
    """The values that a phrase takes, with those of the phrases that it uses."""
    own = {v.id.name for v in inside(all_phrases[key], ast.VariableReference)}
    used = [m.id.name for m in inside(all_phrases[key], ast.MessageReference)]
    return own.union(*(values_of(name, all_phrases) for name in used))


def test_every_language_has_every_phrase_with_the_same_values():
    assert {"en", "zh"} <= set(LANGUAGES)
    english = phrases("en")
    for language in LANGUAGES:
        own = phrases(language)
        assert own.keys() == english.keys()
        for key in own:
            assert values_of(key, own) == values_of(key, english), (language, key)


def test_every_phrase_is_used_and_every_phrase_that_is_used_is_there():
    # What is told is found by what it says.
    english = {key: phrase for key, phrase in phrases("en").items() if key not in TOLD}
    files = [*REPORT.rglob("*.py"), *REPORT.rglob("*.html"), *CLI.rglob("*.py")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    asked = set(re.findall(r"""\bw(?:ords)?\(\s*["'](\w+)["']\s*[,)]""", source))
    assert asked - english.keys() == set()
    begun = set(re.findall(r"""\b(?:w|words|self)\(\s*(?:f["'](\w+?)\{|'(\w+)' ~)""", source))
    starts = {python or template for python, template in begun}
    assert starts == ENDS.keys()
    made = {start + end for start, ends in ENDS.items() for end in ends}
    assert made - english.keys() == set()
    referred = {m.id.name for p in english.values() for m in inside(p, ast.MessageReference)}
    quoted = set(re.findall(r"""["'](\w+)["']""", source))
    assert english.keys() - made - referred - quoted == set()


@pytest.mark.parametrize(
    ("key", "value", "english", "chinese"),
    [
        ("n_arms", "arms", ["0 arms", "1 arm", "2 arms"], "{} 个方案"),
        ("n_trials", "trials", ["0 trials", "1 trial", "2 trials"], "{} 次试验"),
        ("n_tasks", "tasks", ["0 tasks", "1 task", "2 tasks"], "{} 个任务"),
        ("n_studies", "studies", ["0 studies", "1 study", "2 studies"], "{} 项研究"),
        ("n_classes", "classes", ["0 classes", "1 class", "2 classes"], "{} 类"),
        ("n_rows", "rows", ["0 rows", "1 row", "2 rows"], "{} 条样本"),
        ("n_seeds", "seeds", ["0 seeds", "1 seed", "2 seeds"], "{} 个种子"),
        ("all_trials_more", "trials", ["Show 0 trials", "Show 1 trial", "Show 2 trials"],
         "显示 {} 次试验"),
        ("agreement_rows", "n", ["on 0 validation rows", "on 1 validation row",
                                 "on 2 validation rows"], "验证集 {} 条样本"),
    ],
)  # fmt: skip
def test_plurals_follow_the_count(key: str, value: str, english: list[str], chinese: str):
    assert [EN(key, **{value: n}) for n in (0, 1, 2)] == english
    assert [ZH(key, **{value: n}) for n in (0, 1, 2)] == [chinese.format(n) for n in (0, 1, 2)]
    assert "12,345" in EN(key, **{value: 12345}) and "12,345" in ZH(key, **{value: 12345})


def test_no_english_phrase_counts_without_a_choice_of_plural():
    for key, phrase in phrases("en").items():
        chosen = [v for v in inside(phrase, ast.Variant) if v.default]
        texts = "".join(
            part.value if isinstance(part, ast.TextElement) else "{}"
            for part in phrase.value.elements
        )
        if not chosen and key not in OF_SEVERAL | TOLD:
            assert not re.search(rf"\{{\}} (?:\w+ )?(?:{NOUNS})\b", texts), key


def of_one_each() -> StudyResults:
    """A study that has one of everything there is to count."""
    base = study()
    audit = base.data.audit
    assert audit is not None
    one = {name: replace(split, rows=1, class_counts=[1, 1]) for name, split in
           audit.splits.items()}  # fmt: skip
    rows = replace(base.data.rows, train=1, validation=1, test=1)
    data = replace(base.data, rows=rows, train_rows_of=1, audit=Audit(**(vars(audit) | {
        "splits": one, "test_in_train": 1})))  # fmt: skip
    only = trial(0, base.arms[0].arm, 0.5)
    return replace(
        base, data=data, arms=base.arms[:1], trials=[only], finals=[], comparisons=[],
        test_openings=1, missed_total=1, errors_total=1,
    )  # fmt: skip


def test_nothing_is_said_of_one_as_of_many():
    plural = re.compile(rf"(?<![\d.,–])1 (?:\w+ )?(?:{NOUNS})\b")
    one = of_one_each()
    pages = [render_page(one, EN), render_across([one], ["a.html"], EN)]
    pruned = replace(one, trials=[replace(one.trials[0], state="PRUNED")])
    pages.append(render_page(pruned, EN))
    for page in pages:
        text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.S)
        assert plural.findall(text) == []
        assert "1 trial" in text or "1 arm" in text


def test_values_are_put_in_as_they_are():
    for value in ("{ $n } { n_arms }", "\ue000\ue001", "a" * 10_000, "%s {0}", "", "\u202e<b>"):
        assert EN("verdict_real", arm=value) == f"{value} is better"
        assert (
            ZH("across_far_point", arm=value, task=value, gap="1") == f"{value} 上的 {value}（1）"
        )


def test_what_is_not_there_is_a_defect_and_not_said():
    with pytest.raises(KeyError, match="no_such_phrase"):
        EN("no_such_phrase")
    with pytest.raises(KeyError, match=r"verdict_real.*arm"):
        EN("verdict_real")
    with pytest.raises(ReportError, match="unknown language 'fr'"):
        words_of("fr")


def test_lists_are_joined_as_the_language_does():
    assert [EN.join(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert EN.join(["a", "b"], "or") == "a or b"
    assert ZH.join(["a", "b", "c"]) == "a、b 和 c"
    assert (
        EN.sentences(["One.", "", "Two."]) == "One. Two."
        and ZH.sentences(["一。", "二。"]) == "一。二。"
    )


def test_a_language_is_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pl.ftl").write_text(
        "n_arms = { $arms ->\n    [one] { $arms } ramię\n    [few] { $arms } ramiona\n"
        "   *[other] { $arms } ramion\n}\n", encoding="utf-8",
    )  # fmt: skip
    monkeypatch.setattr(words_module, "LOCALE", tmp_path)
    monkeypatch.setattr(words_module, "LANGUAGES", ("pl",))
    said = [words_of("pl")("n_arms", arms=n) for n in (1, 2, 5)]
    assert said == ["1 ramię", "2 ramiona", "5 ramion"]


# --- messages of the command line and of errors --------------------------------------------------


def test_counts_in_messages():
    assert [counted(n, "row") for n in (0, 1, 2, 1234)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,234 rows",
    ]
    assert [counted(n, "class", "classes") for n in (1, 2)] == ["1 class", "2 classes"]
    assert [counted(n, "core") for n in (0.5, 1.0, 2.5, 64.0)] == [
        "0.5 cores", "1 core", "2.5 cores", "64 cores"
    ]  # fmt: skip


#: Where a number before a plural is never one: above a bound, with digits behind the point, or in
#: what only a defect of ours would say.
NEVER_ONE = {"chat.py", "codes.py", "engine_job.py", "errors.py", "growing.py", "labels.py",
             "loadgen.py", "patience.py", "purposes.py", "retiring.py", "scoring.py",
             "server_load.py", "sft.py", "zero_shot.py"}  # fmt: skip


def test_every_message_counts_by_one_function():
    """A number in braces with a plural behind it would read "1 rows" one day."""
    kinds = "training|validation|test|finished|random|more|other"
    nouns = f"{NOUNS}|texts|tokens|files|requests|cores|engines|codes|failures|problems"
    plural = re.compile(rf"\s(?:(?:{kinds}) )?(?:{nouns})\b(?!/)")
    found = []
    for file in REPORT.parent.rglob("*.py"):
        for node in python_ast.walk(python_ast.parse(file.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, python_ast.JoinedStr) else []
            for number, behind in itertools.pairwise(parts):
                told = behind.value if isinstance(behind, python_ast.Constant) else ""
                if isinstance(number, python_ast.FormattedValue) and plural.match(str(told)):
                    found.append((file.name, python_ast.unparse(node)))
    assert [pair for pair in found if pair[0] not in NEVER_ONE] == [], "see suite.errors.counted"
