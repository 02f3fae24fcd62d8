"""A region with its resource group."""

from __future__ import annotations

import pytest

from tests.sandbox.cloud.azure.region import Region
from tests.sandbox.cloud.client import Client


@pytest.fixture
def region(cloud: Client) -> Region:
    cloud.create("azure-native:resources:ResourceGroup", {"resourceGroupName": "rg", "location": "westus2"})
    return Region(cloud)
