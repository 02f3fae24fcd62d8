"""Types of pulumi-vault that act on a real Vault."""
