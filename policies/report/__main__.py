"""`python -m policies.report`: a stack's compliance from its state."""

from policies.report.command import app

app(prog_name="python -m policies.report")
