"""This machine: what it is, whether the suite can work on it, and what was computed on it once."""
