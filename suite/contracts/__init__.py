"""What the rooms promise each other: strategies, predictors, runs, results, spaces, tasks."""
