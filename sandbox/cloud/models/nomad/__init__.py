"""Types of pulumi-nomad that act on a real Nomad."""
