"""QR codes as pictures."""

from __future__ import annotations

from io import BytesIO

import segno

QUIET_ZONE = 4
MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def draw(text: str, picture: str, scale: int) -> bytes:
    """Draw the code of a text as `svg` or `png`, so many pixels a module."""
    # Left to choose, segno takes Shift JIS for some Latin texts, and a higher level than M where it happens to fit.
    code = segno.make(text, error="m", boost_error=False, micro=False, encoding="utf-8")
    out = BytesIO()
    code.save(out, kind=picture, scale=scale, border=QUIET_ZONE, dark="#000", light="#fff")
    return out.getvalue()
