"""The CrossGuard pack: what a change of the platform must comply with, by SOC 2 criterion."""
