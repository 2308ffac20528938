"""A predictor under load, by MLPerf LoadGen."""
