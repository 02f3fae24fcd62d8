"""The library: Pulumi components that provision one region of the platform."""
