"""Models of the package aws."""
