"""Search spaces under the name that strategies outside this package import.

They stand in `suite.contracts`; this address stays, so that a strategy written for an
earlier version goes on working.
"""

from suite.contracts.hyperparameters import Declared, Hyperparameter, declared
from suite.contracts.space import Choice, Fixed, Float, Int, Params, Space, Value

__all__ = [
    "Choice",
    "Declared",
    "Fixed",
    "Float",
    "Hyperparameter",
    "Int",
    "Params",
    "Space",
    "Value",
    "declared",
]
