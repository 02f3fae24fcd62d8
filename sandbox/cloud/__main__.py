"""`python -m sandbox.cloud`."""

from sandbox.cloud.app import app

app()
