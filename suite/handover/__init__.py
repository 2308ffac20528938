"""What leaves a study: exports with their model card, logs, the rows that all arms miss."""
