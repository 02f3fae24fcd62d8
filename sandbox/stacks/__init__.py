"""Runs the project's stacks on the sandbox: one operation, an order, passes until nothing changes, a table."""
