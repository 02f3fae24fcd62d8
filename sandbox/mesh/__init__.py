"""The mesh of the plan, built on one Linux machine: gateways are network namespaces that speak real BGP."""
