"""Twins: type tokens that stand for the same thing.

Owns which token a rule names when the SDKs register several. A rule names the canonical one; a resource of any twin is
judged by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TWINS: Mapping[str, str] = {
    "aws:s3/bucketV2:BucketV2": "aws:s3/bucket:Bucket",
    "aws:s3/bucketVersioningV2:BucketVersioningV2": "aws:s3/bucketVersioning:BucketVersioning",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": (
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    ),
    "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2": (
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    ),
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ),
    "aws:s3/bucketLoggingV2:BucketLoggingV2": "aws:s3/bucketLogging:BucketLogging",
    "aws:alb/loadBalancer:LoadBalancer": "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/listener:Listener": "aws:lb/listener:Listener",
    "gcp:compute/instanceTemplate:InstanceTemplate": "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
}
"""The canonical token by twin, where both carry the properties that rules read."""

_KUBERNETES = re.compile(r"kubernetes:(?P<group>[^/:]+)/(?P<version>v\d\w*):(?P<kind>\w+)$")
# helm.sh/v3 Release and helm.sh/v4 Chart are different things, not versions of one.
_OWN_VERSIONS = frozenset({"helm.sh"})


def canonical(token: str) -> str:
    """The token that rules name for a type.

    A kubernetes kind stands at `v1` whatever the API version, and without `Patch`.
    """
    if token in TWINS:
        return TWINS[token]
    found = _KUBERNETES.match(token)
    if found is None or found["group"] in _OWN_VERSIONS:
        return token
    return f"kubernetes:{found['group']}/v1:{found['kind'].removesuffix('Patch')}"
