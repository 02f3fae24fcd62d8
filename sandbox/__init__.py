"""Everything needed to run the platform's programs without a cloud account."""
