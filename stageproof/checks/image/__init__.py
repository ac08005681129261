"""Checks that are decided from the image alone: nothing is started."""
