"""Models of the package tls."""
