"""The generated part of the README: the table of images, from the folders and the last build."""

from __future__ import annotations

import re

from stageproof.catalog import Catalog
from stageproof.engine.record import Record
from stageproof.errors import CatalogError
from stageproof.report import tables

_PART = re.compile(r"(<!-- images: begin.*?-->\n).*?(<!-- images: end -->)", re.DOTALL)


def renewed(text: str, catalog: Catalog, record: Record) -> str:
    """Give the README with its table made anew. Raises CatalogError if the README has no place for it."""
    if not _PART.search(text):
        failed = "README.md has no place for the table of images"
        raise CatalogError(failed, do="put <!-- images: begin --> and <!-- images: end --> back")
    part = tables.markdown(catalog.recipes, record.images)
    return _PART.sub(lambda match: f"{match[1]}{part}\n{match[2]}", text)
