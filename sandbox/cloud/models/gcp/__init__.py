"""Models of the package gcp."""
