"""Write small archives and layers for the fuzzer to begin with: `python -m fuzz.seeds FOLDER`."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import zstandard

from tests.unit.conftest import elf, file, folder, hard_link, link, tar
from tests.unit.image.layouts import Layout
from tests.unit.image.tars import END, extended, header, record


def main() -> None:
    """Write the seeds into two folders, `layers` and `archives`."""
    members = [folder("etc"), file("etc/passwd", b"a:x:1:1::/:\n"), link("l", "etc"), hard_link("h", "etc/passwd")]
    layer = tar([*members, file("bin/x", elf("/ld.so", ["libc.so.6"], needs={"libc.so.6": ["V"]}, has=["W"]), 0o755)])
    odd = extended(b"x", record("path", b"p") + record("SCHILY.xattr.a", b"1") + record("mtime", b"1.5")) + header()
    white_outs = tar([file("d/.wh.x", b""), file("d/.wh..wh..opq", b"")])
    layout = Layout()
    layout.list(layout.index(layout.image(layer), layout.image(layer, architecture="arm64")), "it:1")
    packed = Layout()
    packed.list(packed.image(layer, white_outs, packed=[gzip.compress(layer), white_outs]), "it:2")
    seeds = {
        "layers": [layer, odd + END, white_outs, gzip.compress(layer), zstandard.ZstdCompressor().compress(layer)],
        "archives": [layout.tar(), packed.tar(), gzip.compress(layout.tar())],
    }
    for name, datas in seeds.items():
        target = Path(sys.argv[1]) / name
        target.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(datas):
            (target / str(number)).write_bytes(data)


if __name__ == "__main__":
    main()
