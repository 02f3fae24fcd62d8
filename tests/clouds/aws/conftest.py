"""Amazon's SDK warns about itself when a module of it is first imported, which is no concern of these tests."""

from __future__ import annotations

import importlib
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    importlib.import_module("pulumi_aws.ec2").Vpc  # noqa: B018 - the package loads when it is first used
