"""`runbook health`: asking (`asking`), judging (`checks` and one module a product) and telling (`report`), apart."""
