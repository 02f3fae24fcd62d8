"""The operator's command line: the runbook's procedures as commands that refuse to do harm."""
