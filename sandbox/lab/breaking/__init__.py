"""What breaks in a lab on purpose, and how it is mended."""
