"""`python -m qr.bytecode`: compile what the service imports, the standard library included.

Images often come without the library's bytecode, and a service that may not write compiles it at every start.
"""

from __future__ import annotations

import py_compile
import sys

import qr.__main__
import qr.config
import qr.probe
import qr.server  # noqa: F401 - imported to be found among the modules


def main() -> None:
    """Write the bytecode of all modules in use to where this interpreter looks for it."""
    for module in list(sys.modules.values()):
        source = getattr(module, "__file__", None) or ""
        if source.endswith(".py"):
            # By hash and unchecked: a time stamp would differ in every build, and be wrong after times are rewritten.
            py_compile.compile(source, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


if __name__ == "__main__":
    main()
