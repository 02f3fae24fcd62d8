"""Measures what the platform's program costs next to the least any program could cost, and how fast the mesh heals."""
