"""Studies built by hand for the reports' tests: literal numbers, hostile names, many classes."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from suite.contracts.lengths import ByLength, LengthScores
from suite.contracts.results import (
    Arm,
    Checkpoint,
    ClassScores,
    Comparison,
    Final,
    Measured,
    Published,
    Scores,
    StudyResults,
    TestScores,
    Trial,
)
from suite.contracts.rowfacts import Audit, DataFacts, Rows, SplitAudit
from suite.contracts.speeds import BenchRow, Rps, ServerLoad, SingleStream
from suite.report.data.rows import leaderboard
from suite.report.pages.answer import Answer, answer
from suite.report.words import words_of

EN, ZH = words_of("en"), words_of("zh")
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"
FAST, HEAD, BERT = "tfidf/classic", "toy-qwen/linear_head", "toy-bert/linear_head"


def scores(f1: float, confusion: list[list[int]] | None = None) -> Scores:
    return Scores(
        macro_f1=f1,
        accuracy=round(f1 + 0.001, 6),
        precision=f1,
        recall=f1,
        per_class_f1=[f1, f1],
        confusion=confusion or [[8, 2], [3, 7]],
    )


def speed(per_second: float | None, p90: float | None = 2.0, **more: Any) -> Rps:
    single = SingleStream(p50_ms=1.0, p90_ms=p90, p99_ms=None, valid=True)
    return Rps(single_stream=single, offline_per_second=per_second, valid=True, **more)


def in_rounds(per_second: float, **more: Any) -> Rps:
    """A speed of the finals, the same in each of six rounds."""
    windows: list[float | None] = [per_second] * 6
    return speed(
        per_second, windows=windows, offline_interval=(per_second,) * 2, rounds="r", **more
    )


def trial(number: int, arm: str, f1: float | None, seconds: float = 10.0, **more: Any) -> Trial:
    return Trial(
        **{
            "number": number,
            "state": "COMPLETE",
            "arm": arm,
            "params": {"learning_rate": 2e-05, "batch": 16},
            "validation": scores(f1) if f1 is not None else None,
            "train_seconds": seconds,
            "checkpoints": [Checkpoint(0.5, 0.5, 1.0), Checkpoint(1.0, f1 or 0.5, 2.0)],
            **more,
        }
    )


def final(arm: str, number: int, rank: int, f1: float, seconds: float, rps: float) -> Final:
    return Final(
        arm=arm,
        trial=number,
        seeds=1,
        stale=False,
        rank=rank,
        test=TestScores(f1, f1, (round(f1 - 0.01, 6), round(f1 + 0.012, 6)),
                        per_class_f1=[f1, f1], confusion=[[80, 20], [5, 95]],
                        intervals={"accuracy": (f1 - 0.0123, f1 + 0.0111)},
                        per_class=[ClassScores(Measured(f1, f1 - 0.02, f1 + 0.021),
                                               Measured(0.941, 0.92, 0.96), None)] * 2),
        train_seconds=seconds,
        rps=in_rounds(rps),
    )  # fmt: skip


def split_audit(rows: int, counts: list[int]) -> SplitAudit:
    return SplitAudit(rows, 0, 3, 5, 1, counts, 120.5, 110, 300, 900)


def study(**changes: Any) -> StudyResults:
    """Three arms; tfidf and qwen tie at rank 1, bert is significantly worse."""
    plain: dict[str, Any] = {
        "study": "toy",
        "task": "toy-task",
        "title": "Toy News",
        "data": DataFacts(
            source="folder toy",
            fingerprint="0123456789abcdef",
            rows=Rows(1000, 100, 200),
            audit=Audit(
                splits={
                    "train": split_audit(1000, [400, 600]),
                    "validation": split_audit(100, [40, 60]),
                    "test": split_audit(200, [80, 120]),
                },
                test_in_train=2,
                test_in_train_normalised=4,
                validation_in_train=1,
                warnings=["2 test rows stand in train"],
                truncated={"toy-bert": 0.125},
            ),
        ),
        "environment": {"python": "3.11", "cpu": "toy", "packages": {"torch": "2.11.0"}},
        "labels": ["World", "Sports"],
        "arms": [
            Arm(FAST, trials=2, family="classic"),
            Arm(HEAD, trials=2, family="decoder", model_revision="a" * 40),
            Arm(BERT, trials=2, family="encoder"),
        ],
        "trials": [
            trial(0, FAST, 0.90, 1.5, peak_memory_bytes=100 * 2**20, rps=speed(9000.0)),
            trial(1, HEAD, 0.92, 120.0, rps=speed(40.0), circumstances={"parameters": 596e6}),
            trial(2, BERT, 0.85, 60.0, rps=speed(80.0)),
            trial(3, FAST, 0.88, 1.0),
            trial(4, HEAD, None, 30.0, state="PRUNED"),
            trial(5, BERT, None, 1.0, state="FAIL", error="memory ran out", checkpoints=[]),
        ],
        "test_openings": 1,
        "finals": [
            final(FAST, 0, 1, 0.905, 1.6, 8312.0),
            final(HEAD, 1, 1, 0.911, 125.0, 41.5),
            final(BERT, 2, 3, 0.861, 61.0, 82.0),
        ],
        "comparisons": [
            Comparison(FAST, HEAD, -0.006, (-0.02, 0.008), 0.41),
            Comparison(FAST, BERT, 0.044, (0.02, 0.06), 0.0004),
            Comparison(HEAD, BERT, 0.05, (0.03, 0.07), 0.0002),
        ],
        "command": "suite study create toy-task --trials 6",
        "recipe": "quick",
        "created": "2026-01-02T03:04:05Z",
        "budget": {"epochs": 2.0},
        "references": [
            Published("paper-net", "macro_f1", 0.93, "a paper", None),
            Published("old-net", "accuracy", 0.88, "https://example.org/a?b=1&c=2", "1k test rows"),
        ],
        "importance": {HEAD: {"learning_rate": 0.8, "batch": 0.2}},
    }
    return StudyResults(**(plain | changes))


def benched(**changes: Any) -> StudyResults:
    """The study with four engines behind one arm: the fastest, a doubtful one, two untimed."""
    row = BenchRow(
        arm=BERT, trial=2, engine="openvino", precision="int8", host="box", state="measured",
        device="CPU", threads=2, batch=64, agreement=0.9954, agreement_rows=2000, macro_f1=0.8489,
        macro_f1_difference=-0.0011, agrees=True, single_stream=SingleStream(4.2, 5.0, 6.1, True),
        offline_per_second=412.5, offline_valid=True,
        server=ServerLoad(318.0, 97.5, 100.0, True), server_batch=20, load_seconds=0.4,
        prepare_seconds=125.0, seconds=10.0, measured="2026-01-02T03:04:05+00:00",
        versions={"openvino": "2026.1"}, note="Offline: 4,125 texts in one query",
        fastest_in=["SingleStream", "Offline", "Server"], fastest_overall_in=["SingleStream"],
    )  # fmt: skip
    slow = replace(
        row, engine="torch", precision="float32", agreement=1.0, macro_f1_difference=0.0,
        single_stream=SingleStream(33.0, None, None, False), offline_per_second=21.5,
        offline_valid=False, server=ServerLoad(None, None, 100.0, False), stale=True,
        note="Server: one text alone takes 133 ms, the bound is 100 ms", contended=True,
        fastest_in=[], fastest_overall_in=[],
    )  # fmt: skip
    none = {"single_stream": None, "offline_per_second": None, "server": None, "note": "",
            "fastest_in": [], "fastest_overall_in": [], "agrees": False}  # fmt: skip
    wrong = replace(row, engine="onnxruntime", state="disagrees", agreement=0.97,
                    reason=f"97 % < 99 % {HOSTILE}", **none)  # fmt: skip
    absent = replace(row, engine="compile", precision="bfloat16", state="refused", agreement=None,
                     macro_f1_difference=None, reason="=no compiler | here", **none)  # fmt: skip
    return study(bench=[row, slow, wrong, absent], **changes)


def with_lengths(found: StudyResults | None = None) -> StudyResults:
    """A study with test texts of every length."""
    scores = [
        LengthScores(0, 510, 150, 0.9123, (0.8712, 0.9432)),
        LengthScores(510, 1022, 45, 0.8056, (0.7001, 0.8801)),
        LengthScores(1022, None, 5, None, None),
    ]
    found = found or study()
    finals = [
        replace(final, by_length=ByLength("words" if final.arm == FAST else "tokens", scores))
        for final in found.finals
    ]
    return replace(found, finals=finals)


def told(results: StudyResults, language: str = "en") -> Answer:
    return answer(results, leaderboard(results), words_of(language))


def many_classes(classes: int = 150) -> StudyResults:
    names = [f"intent number {i}" for i in range(classes)]
    dice = random.Random(0)

    def wide(f1: float) -> TestScores:
        confusion = [[0] * classes for _ in range(classes)]
        for i in range(classes):
            confusion[i][i] = 27
            confusion[i][(i + 1) % classes] = 3
        confusion[7][9] = 19
        return TestScores(f1, f1, (f1 - 0.01, f1 + 0.01), confusion=confusion,
                          per_class_f1=[round(dice.uniform(0.5, 1), 4) for _ in names])  # fmt: skip

    base = study()
    return replace(
        base,
        study="wide",
        labels=names,
        finals=[replace(f, test=wide(f.test.macro_f1)) for f in base.finals],
        data=replace(
            base.data,
            audit=replace(base.data.audit, splits={"train": split_audit(9000, [60] * classes)}),
        ),
    )


def crowded(arms: int = 20, classes: int = 150) -> StudyResults:
    """Many arms with long names, many classes with long ones in several scripts, one outlier."""
    dice = random.Random(7)
    stems = ("账户余额异常并且无法提现的情况", "Card payment was declined at the terminal", "转账",
             "refund_not_showing_up", "Wann kommt meine neue Karte endlich an?")  # fmt: skip
    ways = ("full_finetune", "linear_head", "lora", "option_scoring")
    labels = [f"{stems[i % len(stems)]} {i}" for i in range(classes)]
    names = [
        f"organisation-{i}/a-rather-long-model-name-base-multilingual-uncased/{ways[i % 4]}"
        if i % 3
        else f"tfidf-{i}/classic"
        for i in range(arms)
    ]
    trials, finals = [], []
    for i, arm in enumerate(names):
        for k in range(4):
            number, f1 = 4 * i + k, round(0.5 + 0.015 * i + dice.random() / 20, 5)
            params = {"learning_rate": 10 ** dice.uniform(-5, -2), "batch": 2 ** (3 + k % 3),
                      "schedule": ("linear", "cosine_with_warmup")[k % 2], "epochs": 1 + k,
                      "warmup_share": round(dice.random() / 10, 4), "pooling": "mean-of-layers",
                      "max_length": (64, 128, 256)[k % 3],
                      "weight_decay": dice.uniform(0, 0.1)}  # fmt: skip
            start = datetime(2026, 1, 2, 12) + timedelta(seconds=50 * number)
            trials.append(
                trial(number, arm, f1, dice.uniform(3, 900), params=params,
                      rps=speed(10 ** dice.uniform(0.5, 4), 10 ** dice.uniform(0, 3)),
                      peak_memory_bytes=int(10 ** dice.uniform(8, 10)),
                      checkpoints=[Checkpoint(c / 5, f1 - 0.2 / c, float(c)) for c in range(1, 6)],
                      started=start.isoformat(), worker=f"a-host-with-a-long-name:{k % 3}",
                      ended=(start + timedelta(seconds=40)).isoformat(), evaluation_seconds=3.0)
            )  # fmt: skip
        f1 = 0.02 if i == 3 else round(0.55 + 0.017 * i, 4)
        confusion = [[0] * classes for _ in range(classes)]
        for c in range(classes):
            confusion[c][c], confusion[c][(c + 1) % classes] = 24, dice.randint(0, 4)
        confusion[7 % classes][9 % classes] = 19
        finals.append(
            replace(
                final(arm, 4 * i, arms - i, f1, 10 ** dice.uniform(0, 3), 10 ** dice.uniform(1, 4)),
                test=TestScores(f1, f1, (f1 - 0.01, f1 + 0.012), confusion=confusion,
                                per_class_f1=[round(dice.uniform(0.3, 1), 4) for _ in labels]),
            )
        )  # fmt: skip
    base = study()
    return replace(
        base,
        study="crowded",
        labels=labels,
        arms=[
            Arm(arm, trials=4, family="encoder" if "long" in arm else "classic") for arm in names
        ],
        trials=trials,
        finals=finals,
        comparisons=[
            Comparison(a, b, 0.05, (0.03, 0.07), 0.0002)
            for a, b in itertools.pairwise(reversed(names))
        ],
        importance={arm: {"learning_rate": 0.6, "batch": 0.3, "schedule": 0.1} for arm in names},
        data=replace(base.data, audit=replace(base.data.audit, splits={
            split: replace(split_audit(60 * classes, [60] * classes),
                           length_quantiles=[int(3 * 1.4**q) for q in range(21)])
            for split in ("train", "validation", "test")
        })),
    )  # fmt: skip
