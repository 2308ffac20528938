"""A multiple-choice question asked: option scoring, generation, servers."""
