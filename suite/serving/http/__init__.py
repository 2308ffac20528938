"""A predictor behind HTTP."""
