"""The models: the catalogue, where their weights are, and what one needs of a machine."""
