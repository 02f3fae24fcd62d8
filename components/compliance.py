"""What the stack says of itself to the policy pack, as a component: a statement that registers no resource.

What is said is `plan.compliance`; who judges it is `policies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class Facts(pulumi.ComponentResource):
    """The stack's facts and the record of its change. Type token `hashicorp:compliance:Facts`."""

    def __init__(self, name: str, spec: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("hashicorp:compliance:Facts", name, dict(spec), opts)
        self.register_outputs({"spec": dict(spec)})
