"""Offline truth: limits that the clouds publish and the SDKs leave out, laid over a derived schema."""

from sandbox.cloud.truth.overlay import narrow

__all__ = ["narrow"]
