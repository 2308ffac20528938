"""Values to pictures, each with its finding."""
