"""Findings and builds in words and tables; nothing here prints."""
