"""A decoder taught to answer its question, by LLaMA-Factory, also from distilled thoughts."""
