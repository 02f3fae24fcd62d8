"""Tunnels between regions, as both sides declare them."""
