"""What numbers mean: metrics, statistics, and who ranks where."""
