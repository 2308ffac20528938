"""Transformers loaded, fed and trained without padding; what heads, asking and teaching share."""
