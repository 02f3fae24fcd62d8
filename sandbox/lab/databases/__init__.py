"""The managed databases of the clouds, as real PostgreSQL servers."""
