"""The suite's version: what is packaged, what every number is kept with."""

__version__ = "0.1.0"
