"""The charts of a study's page: values, picture, finding and data brought together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from suite.contracts.results import Published, StudyResults
from suite.report.charts import drawing, findings, knob_charts, search_charts
from suite.report.charts.chart import Cell, Chart
from suite.report.data import chart_data, knob_data
from suite.report.data import search_data as searching
from suite.report.data.chart_data import ClassView, Style, TradeOff, label_of
from suite.report.data.knob_data import Knobs
from suite.report.data.rows import METRICS, Leaderboard
from suite.report.words import Words

Styles = Mapping[str, Style]


def trade_offs(
    board: Leaderboard, drawable: Sequence[Published], styles: Styles, words: Words
) -> Iterator[tuple[TradeOff, Chart | None]]:
    """Macro-F1 against speed, then against training time; no chart where no arm has both."""
    for name, key in (("rps", "offline_rps"), ("time", "train_seconds")):
        data = chart_data.trade_off(board, METRICS[key], drawable)
        yield data, trade_off_chart(f"trade-off-{name}", data, styles, words)


def trade_off_chart(name: str, data: TradeOff, styles: Styles, words: Words) -> Chart | None:
    """One trade-off as a chart; None where it has no point."""
    if not data.points:
        return None
    x, y = words(f"axis_{data.x.key}"), words(f"axis_{data.y.key}")
    notes = [words("front_is", arms=words.join([findings.short(arm) for arm in data.front]))]
    if any(point.memory for point in data.points):
        notes.append(words("bubbles"))
    if data.left_out:
        notes.append(words("chart_left_out", arms=words.join(data.left_out)))
    if any(reference.metric != "macro_f1" for reference in data.references):
        notes.append(words("references_accuracy"))
    return Chart(
        name=name,
        title=findings.trade_off(data, words),
        about=words("about_trade_off", y=y, x=x),
        figure=drawing.trade_off_figure(data, styles, words),
        columns=(
            words("metric_arm"), words("trial"), x, y, words("interval_low"),
            words("interval_high"), words("metric_peak_memory_bytes") + ", B", words("pareto"),
        ),
        rows=[
            (p.arm, p.trial, p.x, p.y, p.low, p.high, p.memory,
             words("yes" if p.arm in data.front else "no"))
            for p in data.points
        ],
        notes=(words.sentences(notes),),
    )  # fmt: skip


def curves(results: StudyResults, board: Leaderboard, styles: Styles, words: Words) -> Chart | None:
    """Checkpoints; None where no trial has two."""
    data = chart_data.curves(results)
    if not data.curves:
        return None
    notes = []
    if len(data.curves) < data.total:
        notes.append(
            words("curves_capped", shown=len(data.curves), total=f"{data.total:,}",
                  cap=chart_data.CURVES_PER_ARM)
        )  # fmt: skip
    return Chart(
        name="curves",
        title=findings.curves(data, board.rows[0].arm if board.rows else None, words),
        about=words("curves_intro"),
        figure=drawing.curves_figure(data, styles, words),
        columns=(
            words("metric_arm"), words("trial"), words("state"), words("axis_fraction"),
            words("axis_validation_macro_f1"), words("validation_rows"),
        ),
        rows=[
            (c.arm, c.trial, words("state_pruned" if c.pruned else "state_complete"), f, s, n)
            for c in data.curves
            for f, s, n in zip(c.fractions, c.scores, c.rows, strict=True)
        ],
        notes=tuple(notes),
    )  # fmt: skip


def history(results: StudyResults, styles: Styles, words: Words) -> Chart | None:
    """The objective by trial; None before the first finished one."""
    data = chart_data.history(results)
    if not data.points:
        return None
    notes = []
    if len(data.points) < data.total:
        notes.append(
            words("history_capped", shown=f"{len(data.points):,}", total=f"{data.total:,}")
        )
    return Chart(
        name="history",
        title=findings.history(data, words),
        about=words("history_intro"),
        figure=drawing.history_figure(data, styles, words),
        columns=(words("trial"), words("metric_arm"), words("state"), words("macro_f1")),
        rows=[
            (p.number, p.arm, words("state_pruned" if p.pruned else "state_complete"), p.score)
            for p in data.points
        ],
        notes=tuple(notes),
    )


def importance(results: StudyResults, styles: Styles, words: Words) -> Chart | None:
    """What each hyperparameter explains; None where no arm has enough trials."""
    data = knob_data.importances(results)
    if not data:
        return None
    return Chart(
        name="importance",
        title=findings.importance(data, words),
        about=words("importance_intro"),
        figure=knob_charts.importance_figure(data, styles, words),
        columns=(words("metric_arm"), words("hyperparameter"), words("axis_importance")),
        rows=[(item.arm, item.parameter, item.value) for item in data],
    )


def knobs(
    results: StudyResults, board: Leaderboard, styles: Styles, words: Words
) -> Iterator[tuple[Knobs, Chart, Chart]]:
    """Each arm's trials on parallel axes, and sliced by each hyperparameter."""
    for position, data in enumerate(knob_data.knobs(results, board)):
        columns = (
            words("trial"), words("state"), words("macro_f1"), *(a.parameter for a in data.axes)
        )  # fmt: skip
        rows: list[tuple[Cell, ...]] = [
            (
                number,
                words("state_pruned" if data.pruned[i] else "state_complete"),
                data.scores[i],
                *(axis.values[i] for axis in data.axes),
            )
            for i, number in enumerate(data.trials)
        ]
        notes = []
        if len(data.trials) < data.total:
            notes.append(words("knobs_capped", shown=len(data.trials), total=f"{data.total:,}"))
        if len(data.axes) < data.axes_total:
            notes.append(words("axes_capped", shown=len(data.axes), total=data.axes_total))
        yield (
            data,
            Chart(
                name=f"parallel-{position}",
                title=findings.parallel(data, words),
                about=words("parallel_intro"),
                figure=knob_charts.parallel_figure(data, words),
                columns=columns,
                rows=rows,
                notes=tuple(notes),
            ),
            Chart(
                name=f"slices-{position}",
                title=findings.slices(data, words),
                about=words("slices_intro"),
                figure=knob_charts.slices_figure(data, styles[data.arm].colour, words),
                columns=columns,
                rows=rows,
            ),
        )


def confusions(
    views: Sequence[ClassView], labels: Sequence[str], words: Words
) -> Iterator[tuple[ClassView, Chart]]:
    """Each arm's confusion matrix."""
    for position, view in enumerate(views):
        if not view.counts:
            continue
        size = range(len(view.counts))
        yield (
            view,
            Chart(
                name=f"confusion-{position}",
                title=findings.confusion(view, labels, words),
                about=words("confusion_intro", split=words(f"split_{view.split}")),
                figure=drawing.confusion_figure(view, labels, words),
                columns=(
                    words("true_class"), words("predicted_class"), words("count"),
                    words("share_of_class"),
                ),
                rows=[
                    (label_of(labels, i), label_of(labels, j), view.counts[i][j], view.shares[i][j])
                    for i in size
                    for j in size
                    if view.counts[i][j]
                ],
            ),
        )  # fmt: skip


def per_class(
    data: chart_data.PerClass, labels: Sequence[str], styles: Styles, words: Words
) -> Chart:
    """F1 of each class under each arm."""
    notes = []
    if data.drawn < len(data.classes):
        notes.append(words("per_class_capped", shown=data.drawn, total=len(data.classes)))
    return Chart(
        name="per-class",
        title=findings.per_class(data, labels, words),
        about=words("per_class_intro", split=words(f"split_{data.split}")),
        figure=drawing.per_class_figure(data, labels, styles, words),
        columns=(words("class"), *data.arms),
        rows=[
            (label_of(labels, c), *scores)
            for c, scores in zip(data.classes, data.scores, strict=True)
        ],
        notes=tuple(notes),
    )


def timeline(results: StudyResults, styles: Styles, words: Words) -> Chart | None:
    """Trials by worker; None before the first."""
    data = searching.timeline(results)
    if data is None:
        return None
    notes = []
    if len(data.bars) < data.total:
        notes.append(words("timeline_capped", shown=f"{len(data.bars):,}", total=f"{data.total:,}"))
    return Chart(
        name="timeline",
        title=findings.timeline(data, words),
        about=words("timeline_intro", began=data.began),
        figure=search_charts.timeline_figure(data, styles, words),
        columns=(
            words("trial"), words("metric_arm"), words("state"), words("worker"),
            words("start_seconds"), words("end_seconds"),
        ),
        rows=[
            (b.trial, b.arm, words(f"state_{b.state.lower()}"), b.worker, b.start, b.end)
            for b in data.bars
        ],
        notes=tuple(notes),
    )  # fmt: skip


def states(results: StudyResults, words: Words) -> Chart | None:
    """What became of each arm's trials; None before the first."""
    data = searching.states(results)
    if not data:
        return None
    return Chart(
        name="states",
        title=findings.states(data, words),
        about=words("states_intro"),
        figure=search_charts.states_figure(data, words),
        columns=(
            words("metric_arm"),
            *(words(f"state_{state.lower()}") for state in searching.STATES),
        ),
        rows=[(arm.arm, *(arm.counts[state] for state in searching.STATES)) for arm in data],
    )


def costs(results: StudyResults, words: Words) -> Chart | None:
    """Where the search's time went; None where no trial has ended."""
    data = searching.costs(results)
    if not data or not sum(arm.seconds for arm in data):
        return None
    return Chart(
        name="costs",
        title=findings.costs(data, words),
        about=words("costs_intro"),
        figure=search_charts.costs_figure(data, words),
        columns=(
            words("metric_arm"), words("trials"),
            *(f"{words(f'cost_{part}')}, s" for part, _ in search_charts.PARTS),
        ),
        rows=[(a.arm, a.trials, a.training, a.scoring, a.other) for a in data],
    )  # fmt: skip


def lengths(results: StudyResults, words: Words) -> Chart | None:
    """How long the texts are; None where the audit does not say."""
    data = chart_data.lengths(results)
    if data is None:
        return None
    return Chart(
        name="lengths",
        title=findings.lengths(data, words),
        about=words("lengths_intro"),
        figure=drawing.lengths_figure(data, words),
        columns=(words("split"), words("axis_share"), words("axis_length")),
        rows=[
            (words(f"split_{s.split}"), round(i / 20, 2), length)
            for s in data.splits
            for i, length in enumerate(s.quantiles)
        ],
    )
