"""`python -m policies.gate preview.json`."""

from policies.gate.command import app

if __name__ == "__main__":
    app()
