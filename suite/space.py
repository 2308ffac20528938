"""Search spaces under the name that strategies outside this package import.

They stand in `suite.contracts.space`; this address stays, so that a strategy written for an
earlier version goes on working.
"""

from suite.contracts.space import Choice, Fixed, Float, Int, Params, Space, Value

__all__ = ["Choice", "Fixed", "Float", "Int", "Params", "Space", "Value"]
