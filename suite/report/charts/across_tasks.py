"""The trade-off of each standing study, small, task after task: by speed, then by training time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from suite.report import formats
from suite.report.charts import trade_off
from suite.report.charts.chart import AcrossScene, Chart, Kind
from suite.report.data.rows import METRICS, leaderboard


def _draw(cost: str, key: str, scene: AcrossScene) -> Iterator[Chart]:
    standing = [
        pair for pair in zip(scene.data.columns, scene.studies, strict=True) if pair[0].stands
    ]
    for i, (column, results) in enumerate(standing):
        data = trade_off.values(leaderboard(results), METRICS[key])
        words = scene.words.about(column.objective)
        chart = trade_off.chart(f"task-{i}-{cost}", data, scene.styles, words)
        if chart is None:
            continue
        chart.figure.update_layout(height=320)
        title = scene.words(
            "across_task_title", task=formats.name(column.name), finding=chart.title
        )
        yield replace(chart, title=title)


SPEED = Kind("small-speed", partial(_draw, "speed", "offline_rps"))
TRAINING = Kind("small-training", partial(_draw, "training", "train_seconds"))
