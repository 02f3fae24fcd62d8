"""First bring-up: from "servers run" to "ready for use", any number of times."""
