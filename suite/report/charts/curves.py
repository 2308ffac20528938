"""How trials learnt: macro-F1 at their checkpoints, and beside it what their answers cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import StudyResults, Trial
from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import NEUTRAL, Styles, blank, clip, marker, safe
from suite.report.charts.ranges import common_range
from suite.report.words import Words
from suite.verdict.guessing import Guessing
from suite.verdict.metrics import METRICS, merit_of
from suite.verdict.standing import standing

#: A value at each checkpoint of a curve.
_Ordinates = Sequence[float | None]

#: Curves drawn of each arm.
CURVES_PER_ARM = 30
#: Within so much of its best score a trial has learnt what it will.
NEAR = 0.01


@dataclass(frozen=True)
class Curve:
    """One trial's checkpoints: fractions of the budget, macro-F1, validation rows scored on, and
    losses, where they were told."""

    arm: str
    trial: int
    pruned: bool
    best: bool
    fractions: tuple[float, ...]
    scores: tuple[float, ...]
    rows: tuple[int, ...]
    losses: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Curves:
    """The curves drawn, of `total` that exist; `guess` is the least loss without reading."""

    curves: tuple[Curve, ...]
    total: int
    objective: str = DEFAULT_OBJECTIVE
    guess: float = 0.0

    @property
    def losing(self) -> Curves:
        """Those that tell their losses at more than one checkpoint."""
        told = [c for c in self.curves if sum(loss is not None for loss in c.losses) > 1]
        return replace(self, curves=tuple(told))


def values(results: StudyResults, cap: int = CURVES_PER_ARM) -> Curves:
    """Checkpoint curves of trials with at least two points; the best `cap` of each arm.

    Complete trials come before pruned ones, but where there are both, the pruned keep a third.
    """
    speaking = {place.number for place in standing(results).places}
    by_arm: dict[str, list[Trial]] = {}
    total = 0
    for trial in results.trials:
        if trial.state in ("COMPLETE", "PRUNED") and len(trial.checkpoints) > 1:
            by_arm.setdefault(trial.arm, []).append(trial)
            total += 1
    drawn: list[Curve] = []
    for arm, trials in by_arm.items():
        complete = sorted((t for t in trials if t.state == "COMPLETE"), key=_by_score)
        pruned = sorted((t for t in trials if t.state == "PRUNED"), key=_by_score)
        room = max(cap - len(complete), min(len(pruned), cap // 3))
        kept = complete[: cap - min(room, len(pruned))] + pruned[:room]
        for trial in sorted(kept, key=lambda t: t.number):
            points = sorted(trial.checkpoints, key=lambda c: c.fraction)
            drawn.append(
                Curve(
                    arm=arm,
                    trial=trial.number,
                    pruned=trial.state == "PRUNED",
                    best=trial.number in speaking,
                    fractions=tuple(point.fraction for point in points),
                    scores=tuple(point.score for point in points),
                    rows=tuple(point.rows or results.data.rows.validation for point in points),
                    losses=tuple(point.loss for point in points),
                )
            )
    guess = Guessing.of_validation(results.data, len(results.labels)).loss
    return Curves(tuple(drawn), total, results.objective, guess)


def _by_score(trial: Trial) -> tuple[float, int]:
    best = trial.validation or max(trial.checkpoints, key=merit_of)
    return (-merit_of(best), trial.number)


def figure(data: Curves, styles: Styles, words: Words) -> go.Figure:
    """Macro-F1 over the budget: all of an arm faint, its best thick, pruned ones dotted."""
    drawn = _lines(data, lambda curve: curve.scores, styles, words)
    # How trials end sets the scale; where they began, or one that learnt nothing, may lie below.
    merit = METRICS[data.objective].merit
    low, high = common_range([merit(curve.scores[-1]) for curve in data.curves])
    worst = min(merit(score) for curve in data.curves for score in curve.scores)
    low = max(low - (high - low or 0.05), worst)
    best = [curve for curve in data.curves if curve.best]
    high = max([high, *(merit(score) for curve in best for score in curve.scores)])
    ends = merit(low), merit(high)
    clip(
        drawn,
        [
            (fraction, score, styles[curve.arm].colour)
            for curve in best
            for fraction, score in zip(curve.fractions, curve.scores, strict=True)
        ],
        (min(ends), max(ends)),
    )
    drawn.update_yaxes(
        title={"text": words.axis(f"validation_{data.objective}"), "standoff": 8}, tickformat=".3~f"
    )
    return drawn


def _lines(
    data: Curves,
    ordinates: Callable[[Curve], _Ordinates],
    styles: Styles,
    words: Words,
) -> go.Figure:
    """Values of each curve over the budget."""
    drawn = blank(height=430)
    arms = dict.fromkeys(curve.arm for curve in data.curves)
    for arm in arms:
        own = [curve for curve in data.curves if curve.arm == arm]
        groups: list[tuple[list[Curve], dict[str, Any], float]] = [
            ([c for c in own if c.pruned], {"width": 1, "dash": "dot"}, 0.35),
            ([c for c in own if not c.pruned and not c.best], {"width": 1}, 0.35),
            ([c for c in own if c.best], {"width": 3}, 1.0),
        ]
        named = False
        for group, line, opacity in reversed(groups):
            if not group:
                continue
            style = styles[arm]
            drawn.add_trace(
                go.Scatter(
                    x=_broken(curve.fractions for curve in group),
                    y=_broken(ordinates(curve) for curve in group),
                    mode="lines+markers" if opacity == 1.0 else "lines",
                    line={"color": style.colour, **line},
                    marker=marker(style, 8),
                    opacity=opacity,
                    name=safe(arm),
                    legendgroup=safe(arm),
                    showlegend=not named,
                    connectgaps=False,
                    customdata=_broken(
                        [[curve.trial, rows] for rows in curve.rows] for curve in group
                    ),
                    hovertemplate=(
                        f"{safe(arm)}<br>{words('trial')} %{{customdata[0]}}<br>"
                        f"%{{x:.0%}}: %{{y:.4f}} ({words('rows')}: %{{customdata[1]:,}})"
                        f"<extra></extra>"
                    ),
                )
            )
            named = True
    drawn.update_xaxes(title={"text": words("axis_fraction")}, tickformat=".0%")
    return drawn


def losses(data: Curves, styles: Styles, words: Words) -> go.Figure:
    """Losses over the budget, and what a guess costs that does not read."""
    drawn = _lines(data.losing, lambda curve: curve.losses, styles, words)
    drawn.add_hline(y=data.guess, line={"color": NEUTRAL, "width": 1, "dash": "dash"})
    title = {"text": words.axis("validation_log_loss"), "standoff": 8}
    drawn.update_yaxes(title=title, tickformat=".3~f", rangemode="tozero")
    return drawn


def losses_finding(data: Curves, leader: str | None, words: Words) -> str:
    """Where the leading arm's best trial first did better than a guess."""
    told = data.losing.curves
    best = [curve for curve in told if curve.best]
    chosen = next((c for c in best if c.arm == leader), best[0] if best else None)
    if chosen is None:
        return words("finding_losses_none", trials=len(told))
    arm = formats.name(chosen.arm)
    for fraction, loss in zip(chosen.fractions, chosen.losses, strict=True):
        if loss is not None and loss < data.guess:
            return words("finding_losses", arm=arm, share=formats.whole_percent(fraction))
    return words("finding_losses_never", arm=arm)


def _broken(parts: Iterable[Any]) -> list[Any]:
    """Several lines as one trace: a None between them lifts the pen."""
    joined: list[Any] = []
    for part in parts:
        if joined:
            joined.append(None)
        joined.extend(round(v, 5) if isinstance(v, float) else v for v in part)
    return joined


def finding(data: Curves, leader: str | None, words: Words) -> str:
    """From where on the leading arm's best trial had learnt what it would."""
    best = [curve for curve in data.curves if curve.best and len(curve.scores) > 1]
    chosen = next((c for c in best if c.arm == leader), best[0] if best else None)
    if chosen is None:
        return words("finding_curves_none", trials=data.total)
    merit = METRICS[data.objective].merit
    arm, scores = formats.name(chosen.arm), tuple(map(merit, chosen.scores))
    top, last = max(scores), len(scores) - 1
    if scores[last] < top - NEAR:
        at = formats.whole_percent(chosen.fractions[scores.index(top)])
        gap = formats.gap(top - scores[last])
        return words("finding_curves_fell", arm=arm, share=at, gap=gap)
    if scores[last - 1] < top - NEAR:
        # Near only at its very end: had it more budget, it might go on.
        gap = formats.gap(scores[last] - scores[last - 1])
        return words("finding_curves_rose", arm=arm, gap=gap)
    # Where it first came near and stayed near.
    since = last
    while since > 0 and scores[since - 1] >= top - NEAR:
        since -= 1
    share = formats.whole_percent(chosen.fractions[since])
    return words("finding_curves", arm=arm, near=formats.plain(NEAR), share=share)


def draw(scene: StudyScene) -> Iterator[Chart]:
    """Checkpoints; none where no trial has two."""
    data, words, styles = values(scene.results), scene.words, scene.styles
    verdict = scene.board.standing.verdict
    leader = verdict.best if verdict else None
    if not data.curves:
        return
    notes = []
    if len(data.curves) < data.total:
        notes.append(
            words("curves_capped", shown=len(data.curves), total=data.total, cap=CURVES_PER_ARM)
        )

    def chart(
        name: str,
        title: str,
        about: str,
        drawn: go.Figure,
        axis: str,
        told: Iterable[tuple[Curve, _Ordinates]],
    ) -> Chart:
        return Chart(
            name=name,
            title=title,
            about=about,
            figure=drawn,
            columns=(
                words("metric_arm"), words("trial"), words("state"), words("axis_fraction"),
                words.axis(axis), words("validation_rows"),
            ),
            rows=[
                (c.arm, c.trial, words("state_pruned" if c.pruned else "state_complete"), f, y, n)
                for c, ordinates in told
                for f, y, n in zip(c.fractions, ordinates, c.rows, strict=True)
            ],
            notes=tuple(notes),
        )  # fmt: skip

    title, about = finding(data, leader, words), words("curves_intro")
    drawn = figure(data, styles, words)
    scored = [(curve, curve.scores) for curve in data.curves]
    yield chart("curves", title, about, drawn, f"validation_{data.objective}", scored)
    if data.losing.curves and data.objective != "log_loss":
        title, about = losses_finding(data, leader, words), words("losses_intro")
        drawn = losses(data, styles, words)
        lost = [(curve, curve.losses) for curve in data.losing.curves]
        yield chart("losses", title, about, drawn, "validation_log_loss", lost)


KIND = Kind("learned", draw, missing="learned_none")
