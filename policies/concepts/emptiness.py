"""Lists that must be empty.

One item is too many, whatever it holds: an empty block asks for a default, and that is something.
"""

from __future__ import annotations

from policies.conditions import Condition

NO_ITEM = Condition(lambda _: False, "must not be there")
"""For a path that ends in `[]`."""
