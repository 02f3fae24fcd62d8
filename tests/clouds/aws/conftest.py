"""Amazon's SDK warns about itself when a module of it is first imported, which is no concern of these tests."""

from __future__ import annotations

import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    for _module, _first in (("ec2", "Vpc"), ("s3", "Bucket")):  # a module loads when it is first used
        getattr(importlib.import_module(f"pulumi_aws.{_module}"), _first)
