"""What a study found as pandas tables, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

    from suite.contracts.results import StudyResults


def trials_frame(results: StudyResults) -> pandas.DataFrame:
    """A study's trials as a pandas table, one row a trial; `params` holds dicts.

    Example:
        trials_frame(results).groupby("arm")["macro_f1"].max()
    """
    from suite.report.pages.csv_files import trials_csv

    return _frame(trials_csv(results))


def leaderboard_frame(results: StudyResults) -> pandas.DataFrame:
    """A study's leaderboard as a pandas table, one row an arm, the best first.

    Example:
        leaderboard_frame(results)[["rank", "arm", "test_macro_f1", "offline_per_second"]]
    """
    from suite.report.data.rows import leaderboard
    from suite.report.pages.csv_files import leaderboard_csv

    return _frame(leaderboard_csv(leaderboard(results)))


def _frame(text: str) -> pandas.DataFrame:
    import io
    import json

    import pandas

    frame = pandas.read_csv(io.StringIO(text))
    if "params" in frame:
        frame["params"] = [json.loads(value) for value in frame["params"]]
    return frame
