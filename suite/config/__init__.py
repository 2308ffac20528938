"""What a user writes: tasks and recipes as closed YAML, with file and line in every error."""
