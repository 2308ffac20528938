"""Whether the verdicts hold what they say: simulated studies and recorded trainings."""
