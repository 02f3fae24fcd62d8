"""Pure decisions of the platform: no Pulumi, no cloud SDK, nothing else of the project."""
