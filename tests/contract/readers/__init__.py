"""One reader a cloud: from registered resources to a posture. A new cloud adds one."""

from collections.abc import Callable, Mapping

from components.plan.spec import Cloud, Stack
from tests.contract.posture import Posture
from tests.contract.readers import aws, azure, gcp
from tests.contract.state import State

READERS: Mapping[Cloud, Callable[[State, Stack], Posture]] = {"aws": aws.read, "azure": azure.read, "gcp": gcp.read}
