"""Types of pulumi-consul that act on a real Consul."""
