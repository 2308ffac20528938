"""Models trained from nothing on the task's own words: TF-IDF, fastText, TextCNN."""
