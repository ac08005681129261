"""A QR-code maker: one small service on Flask and gunicorn."""
