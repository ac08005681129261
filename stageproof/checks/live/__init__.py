"""Checks of a running container."""
