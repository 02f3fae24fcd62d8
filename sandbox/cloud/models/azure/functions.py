"""Azure functions: who and where one is."""

from __future__ import annotations

from sandbox.cloud.draft import Call
from sandbox.cloud.registry import invoke
from sandbox.cloud.wire import Value


@invoke("azure-native:authorization:getClientConfig")
def client_config(call: Call) -> dict[str, Value]:
    """The provider's subscription and tenant, and the one identity there is."""
    return {
        "subscriptionId": call.scope("subscription"),
        "tenantId": call.scope("tenant"),
        "clientId": "00000000-0000-4000-8000-000000000003",
        "objectId": "00000000-0000-4000-8000-000000000004",
    }
