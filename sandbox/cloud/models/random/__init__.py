"""Models of the package random."""
