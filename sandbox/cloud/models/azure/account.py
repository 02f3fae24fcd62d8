"""Who is asking, and the resource group that everything lies in.

Source: Azure Resource Manager, "Resource groups"; Pulumi's azure-native provider, `getClientConfig`.
"""

from __future__ import annotations

from typing import Final

from sandbox.cloud.draft import Call
from sandbox.cloud.registry import Name, Ref, invoke, model
from sandbox.cloud.wire import Value

GROUP: Final = "azure-native:resources:ResourceGroup"
IN_GROUP: Final = Ref("resourceGroupName", (GROUP,))
"""What every resource inside a group refers to first."""
_CALLER: Final = {
    "clientId": "00000000-0000-4000-8000-000000000003",
    "objectId": "00000000-0000-4000-8000-000000000004",
}

group = model(
    GROUP,
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}",
    name=Name("resourceGroupName", max=90, characters="A-Za-z0-9._()-", separator=""),
    outputs={"type": "Microsoft.Resources/resourceGroups"},
)


@invoke("azure-native:authorization:getClientConfig")
def _client_config(call: Call) -> dict[str, Value]:
    return {**_CALLER, "subscriptionId": call.scope("subscription"), "tenantId": call.scope("tenant")}
