"""The lab: what the simulated cloud says exists, running for real on one machine."""
