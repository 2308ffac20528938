"""Values to pictures, each with its finding: one file for each kind of chart, registered here.

The order here is the order on the page. A new chart is its file, its line below, and its words.
"""

from __future__ import annotations

from suite.report.charts import (
    across_changes,
    across_costs,
    across_ranks,
    across_tasks,
    across_wins,
    confusion,
    costs,
    coverage,
    curves,
    growth,
    history,
    importance,
    knobs,
    lengths,
    per_class,
    reliability,
    states,
    timeline,
    trade_off,
)
from suite.report.charts.chart import AcrossScene, Kind, StudyScene

STUDY_CHARTS: tuple[Kind[StudyScene], ...] = (
    trade_off.SPEED,
    trade_off.TRAINING,
    growth.SCORES,
    growth.TRAINING,
    growth.SPEED,
    curves.KIND,
    importance.KIND,
    knobs.PARALLEL,
    knobs.SLICES,
    coverage.KIND,
    confusion.KIND,
    per_class.KIND,
    reliability.KIND,
    timeline.KIND,
    states.KIND,
    costs.KIND,
    history.KIND,
    lengths.KIND,
)
ACROSS_CHARTS: tuple[Kind[AcrossScene], ...] = (
    across_ranks.KIND,
    across_wins.KIND,
    across_costs.SPEED,
    across_costs.TRAINING,
    across_tasks.SPEED,
    across_tasks.TRAINING,
    across_changes.KIND,
)
