"""The simulated cloud: one process that answers the Pulumi ResourceProvider protocol for every package of the platform."""
