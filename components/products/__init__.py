"""The four products and what runs beside them: from a platform and a region to machines as data."""
