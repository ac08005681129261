"""Checks that ask the Dockerfile: how the image was meant, before what it became."""
