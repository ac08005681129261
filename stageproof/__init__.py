"""Reference Dockerfiles that are proven, and the harness that proves them."""

__version__ = "0.1.0"
