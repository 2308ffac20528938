"""The same numbers as CSV, with full digits: the leaderboard, every trial, every engine."""

from __future__ import annotations

import json
from dataclasses import asdict

from suite.contracts.results import StudyResults
from suite.report.data.rows import Leaderboard
from suite.report.pages.text_tables import csv_text
from suite.verdict.metrics import COLUMNS, MACRO_F1, METRICS

LEADERBOARD_COLUMNS = (
    "rank", "arm", "model", "strategy", "family", "test_macro_f1", "test_macro_f1_low",
    "test_macro_f1_high", *(f"test_{m.key}" for m in COLUMNS if m is not MACRO_F1),
    *(f"validation_{m.key}" for m in COLUMNS), "train_seconds", "offline_per_second",
    "offline_valid", "p50_ms", "p90_ms", "p99_ms", "latency_valid", "peak_memory_bytes",
    "parameters", "trial", "seeds", "trials", "complete", "pruned", "failed", "stale",
    "contended", "feasible", "tied_with", "params", "rank_low", "rank_high", "may_be_best",
    "seed_scores", "deterministic", "refit", "objective", "test_objective", "test_objective_low",
    "test_objective_high", "validation_objective", "holds", "offline_low", "offline_high",
    "unanswered",
    *(f"test_{m.key}{end}" for m in COLUMNS if m is not MACRO_F1 for end in ("_low", "_high")),
    "training_cost", "search_cost", "cost_per_million", "cost_per_million_low",
    "cost_per_million_high", "currency", "steered", "steered_low", "steered_high",
)  # fmt: skip

TRIAL_COLUMNS = (
    "number", "state", "arm", *METRICS, "train_seconds",
    "load_seconds", "evaluation_seconds", "peak_memory_bytes", "offline_per_second",
    "offline_valid", "p50_ms", "p90_ms", "p99_ms", "latency_valid", "contended", "feasible",
    "seed", "worker", "started", "ended", "error", "params",
)  # fmt: skip

ENGINE_COLUMNS = (
    "arm", "trial", "engine", "precision", "host", "state", "reason", "agreement",
    "agreement_rows", "macro_f1", "macro_f1_difference", "agrees", "p50_ms", "p90_ms", "p99_ms",
    "latency_valid", "offline_per_second", "offline_valid", "server_per_second", "server_p99_ms",
    "server_bound_ms", "server_valid", "batch", "server_batch", "device", "threads",
    "load_seconds", "prepare_seconds", "seconds", "contended", "stale", "measured", "fastest_in",
    "fastest_overall_in", "versions", "note", "joules_per_text", "energy_by",
)  # fmt: skip


def leaderboard_csv(board: Leaderboard, currency: str = "") -> str:
    """The leaderboard with full digits; a missing value is an empty cell.

    Args:
        currency: that costs are in; "" where no price is set.
    """
    return csv_text(
        LEADERBOARD_COLUMNS,
        (
            # Studies from before a metric have nothing of it.
            dict.fromkeys(f"{split}_{m.key}" for split in ("test", "validation") for m in COLUMNS)
            | asdict(row)
            | row.others
            | {
                f"test_{metric.key}{end}": value
                for metric in COLUMNS
                for end, value in zip(
                    ("_low", "_high"),
                    row.intervals.get(f"test_{metric.key}", (None, None)),
                    strict=True,
                )
            }
            | {
                "test_macro_f1_low": row.macro_f1_interval[0] if row.macro_f1_interval else None,
                "test_macro_f1_high": row.macro_f1_interval[1] if row.macro_f1_interval else None,
                "test_objective": row.test_score,
                "test_objective_low": row.test_interval[0] if row.test_interval else None,
                "test_objective_high": row.test_interval[1] if row.test_interval else None,
                "validation_objective": row.validation_score,
                "offline_per_second": row.offline_rps,
                "offline_low": row.offline_interval[0] if row.offline_interval else None,
                "offline_high": row.offline_interval[1] if row.offline_interval else None,
                "tied_with": " ".join(row.tied_with),
                "rank_low": row.rank_range[0] if row.rank_range else None,
                "rank_high": row.rank_range[1] if row.rank_range else None,
                "seed_scores": " ".join(map(repr, row.seed_scores)),
                "params": json.dumps(row.params, ensure_ascii=False),
                "cost_per_million_low": (row.cost_per_million_interval or (None, None))[0],
                "cost_per_million_high": (row.cost_per_million_interval or (None, None))[1],
                "currency": currency,
                "steered_low": (row.steered_interval or (None, None))[0],
                "steered_high": (row.steered_interval or (None, None))[1],
            }
            for row in board.rows
        ),
    )


def trials_csv(results: StudyResults) -> str:
    """Every trial with full digits; hyperparameters as a JSON object."""
    return csv_text(
        TRIAL_COLUMNS,
        (
            {
                "number": trial.number,
                "state": trial.state,
                "arm": trial.arm,
                **{key: metric.of(trial.validation) for key, metric in METRICS.items()},
                "train_seconds": trial.train_seconds,
                "load_seconds": trial.load_seconds,
                "evaluation_seconds": trial.evaluation_seconds,
                "peak_memory_bytes": trial.peak_memory_bytes,
                "offline_per_second": trial.rps.offline_per_second if trial.rps else None,
                "offline_valid": trial.rps.valid if trial.rps else None,
                "p50_ms": trial.rps.single_stream.p50_ms if trial.rps else None,
                "p90_ms": trial.rps.single_stream.p90_ms if trial.rps else None,
                "p99_ms": trial.rps.single_stream.p99_ms if trial.rps else None,
                "latency_valid": trial.rps.single_stream.valid if trial.rps else None,
                "contended": trial.contended,
                "feasible": trial.feasible,
                "seed": trial.seed,
                "worker": trial.worker,
                "started": trial.started,
                "ended": trial.ended,
                "error": trial.error,
                "params": json.dumps(trial.params, ensure_ascii=False),
            }
            for trial in results.trials
        ),
    )


def engines_csv(results: StudyResults) -> str:
    """Every engine that was benched, with full digits; versions as a JSON object."""
    rows = []
    for row in results.bench:
        single, server = row.single_stream, row.server
        rows.append(
            {
                **{column: getattr(row, column, None) for column in ENGINE_COLUMNS},
                "p50_ms": single.p50_ms if single else None,
                "p90_ms": single.p90_ms if single else None,
                "p99_ms": single.p99_ms if single else None,
                "latency_valid": single.valid if single else None,
                "server_per_second": server.per_second if server else None,
                "server_p99_ms": server.p99_ms if server else None,
                "server_bound_ms": server.bound_ms if server else None,
                "server_valid": server.valid if server else None,
                "fastest_in": " ".join(row.fastest_in),
                "fastest_overall_in": " ".join(row.fastest_overall_in),
                "versions": json.dumps(row.versions, ensure_ascii=False),
            }
        )
    return csv_text(ENGINE_COLUMNS, rows)
