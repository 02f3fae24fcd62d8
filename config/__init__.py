"""Configuration: from the engine's settings to a `Stack`, or one error that says everything that is wrong."""

from config.problems import ConfigError
from config.read import load, load_change, parse

__all__ = ["ConfigError", "load", "load_change", "parse"]
