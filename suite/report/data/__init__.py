"""Results to typed values: rows, and what each chart shows."""
