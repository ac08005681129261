"""Docker: find or start an engine, put bases in place, build."""
