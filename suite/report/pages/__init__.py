"""The page of a study, the page across studies, and the other formats."""
