"""Layers made to mislead: each ends in a clear error or in a remark, in bounded memory and time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from stageproof.errors import ImageError
from stageproof.image import Kind, Layer, Needles, elf, layer, packing, secrets
from stageproof.image.config import parse
from stageproof.image.content import HELD
from stageproof.image.limits import LIMITS, Limits
from stageproof.image.stream import Stream
from tests.unit.conftest import Images, file, folder, hard_link, link, tar
from tests.unit.image.tars import END, extended, header, octal, record


def read(data: bytes, limits: Limits = LIMITS) -> Layer:
    return layer.read([data], Needles(), weigh=False, limits=limits)


def remarks(data: bytes) -> str:
    return "\n".join(read(data).remarks)


REMARKS = {
    "leaves its folder": tar([file("../../etc/evil")]),
    "the name '../../../etc/passwd' leaves its folder": tar([file("a"), hard_link("b", "../../../etc/passwd")]),
    "/a stands twice": tar([file("a"), file("a", b"other")]),
    "/dev/sda is a block device": header(b"dev/sda", kind=b"4") + END,
    "/dev/tty is a character device": header(b"dev/tty", kind=b"3") + END,
    "/next has two sizes, 600 and 512": extended(b"x", record("size", b"600"))
    + header(b"next", octal(512))
    + bytes(1024)
    + END,
    "bytes follow the end": tar([file("a")]) + tar([file("hidden")]),
    "is no UTF-8": header(b"a\xff") + END,
    "below /a, which is a link": tar([folder("usr"), link("a", "usr"), file("a/x")]),
}


@pytest.mark.parametrize("what", REMARKS)
def test_what_is_odd_about_a_layer_is_remarked(what: str) -> None:
    assert what in remarks(REMARKS[what])


def test_a_usual_layer_has_no_remarks() -> None:
    members = [folder("a"), file("a/b"), folder("a"), link("l", "../../x"), hard_link("h", "a/b"), file("é")]
    assert read(tar(members)).remarks == ()


def test_a_block_of_zeros_in_the_middle_ends_the_archive_and_is_remarked() -> None:
    found = read(header(b"a") + bytes(512) + header(b"b") + END)
    assert list(found.entries) == ["/a"]
    assert "bytes follow the end" in found.remarks[0]


def test_of_two_entries_of_one_path_the_last_one_counts() -> None:
    found = read(tar([file("a", b"first"), link("a", "x"), file("a", b"the last")]))
    assert found.entries["/a"].size == 8


LARGE = b"x" * 200_000


@pytest.mark.parametrize("last", [b"small", LARGE + b"!", b"#!/bin/sh\n" + LARGE])
def test_of_two_large_files_of_one_path_the_last_one_counts(last: bytes) -> None:
    entry = read(tar([file("a", LARGE), file("a", last)])).entries["/a"]
    assert (entry.size, entry.sha256) == (len(last), hashlib.sha256(last).hexdigest())
    assert entry.facts.interpreter == ("/bin/sh" if last.startswith(b"#!") else "")


def test_large_and_small_files_keep_their_order_and_their_own_content() -> None:
    datas = [bytes([number]) * (300_000 if number % 2 else 300) for number in range(40)]
    found = read(tar([file(f"{number}", data) for number, data in enumerate(datas)])).entries
    assert list(found) == [f"/{number}" for number in range(40)]
    assert [entry.sha256 for entry in found.values()] == [hashlib.sha256(data).hexdigest() for data in datas]


def test_a_large_file_that_is_no_file_any_more_leaves_nothing() -> None:
    entry = read(tar([file("a", LARGE), link("a", "x")])).entries["/a"]
    assert (entry.kind, entry.sha256) == (Kind.LINK, "")


def test_a_thousand_remarks_are_counted_and_not_kept() -> None:
    found = read(tar([file("a", b"")] * 1000), Limits(remarks=10))
    assert len(found.remarks) <= 11
    assert found.remarks[-1] == "and 989 remarks more"


@pytest.mark.parametrize("name", [".wh...", ".wh..", "d/.wh...", "d/.wh."])
def test_a_white_out_of_a_folder_s_own_names_is_refused(name: str) -> None:
    with pytest.raises(ImageError) as caught:
        read(tar([file(name, b"")]))
    assert "white-out" in caught.value.seen


REFUSED = {
    "an entry below /a, which is a file": tar([file("a"), file("a/b")]),
    "/a first as a folder with content, and then as a file": tar([file("a/b"), file("a")]),
    "/a first as a link to a folder with content, and then as a folder": tar(
        [folder("b"), link("a", "b"), file("a/x"), folder("a")]
    ),
    "/l first as a link to a folder with content, and then as a link": tar(
        [link("l", "b"), file("l/x"), link("l", "c")]
    ),
    "a part of 300 bytes": extended(b"x", record("path", b"a" * 300)) + header() + END,
    "headers give it two values of path": extended(b"L", b"one\0") + extended(b"x", record("path", b"two")) + header(),
    "a global header that sets path": extended(b"g", record("path", b"two")) + header() + END,
    "a global header that sets GNU.sparse.major": extended(b"g", record("GNU.sparse.major", b"1")) + header() + END,
    "200001 bytes of extended attributes": extended(b"x", record("SCHILY.xattr.a", b"x" * 200_000)) + header() + END,
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_engines_would_unpack_in_different_ways_is_refused(what: str) -> None:
    with pytest.raises(ImageError) as caught:
        read(REFUSED[what])
    assert what in caught.value.seen


def test_a_file_below_a_link_of_its_own_layer_is_where_the_link_leads() -> None:
    found = read(tar([folder("usr"), folder("usr/lib"), link("lib", "usr/lib"), file("lib/x"), link("lib/y", "z")]))
    assert "/usr/lib/x" in found.entries
    assert "/usr/lib/y" in found.entries
    assert "/lib/x" not in found.entries


def test_folders_that_are_links_to_each_other_are_refused() -> None:
    with pytest.raises(ImageError):
        read(tar([link("a", "b"), link("b", "a"), file("a/x")]))


def test_a_link_that_leads_far_up_stays_in_the_root() -> None:
    found = read(tar([link("a", "../../../../etc"), file("a/x")]))
    assert "/etc/x" in found.entries


# Limits


def endless(piece: bytes) -> Iterator[bytes]:
    while True:
        yield piece


def bomb(pack: Callable[[bytes], bytes], size: int) -> bytes:
    return pack(header(b"zeros", octal(size)) + bytes(size))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_what_unpacks_to_too_many_times_its_size_is_refused(pack: Callable[[bytes], bytes]) -> None:
    limits = Limits(ratio=100, ratio_from=1 << 20)
    data = bomb(pack, 64 << 20)
    with pytest.raises(ImageError) as caught:
        list(packing.unpacked(data, [data], "it", limits))
    assert "100 times as many" in caught.value.seen
    assert len(b"".join(packing.unpacked(data, [data], "it", LIMITS))) > 64 << 20


def test_a_layer_of_more_bytes_than_the_limit_is_refused() -> None:
    with pytest.raises(ImageError) as caught:
        list(packing.unpacked(b"", endless(bytes(1000)), "it", Limits(layer=10_000)))
    assert "more than 10000 bytes" in caught.value.seen


def test_a_layer_that_never_ends_is_given_up_in_time() -> None:
    until = time.monotonic() + 0.2
    with pytest.raises(ImageError) as caught:
        layer.read(endless(header(b"a")), Needles(), weigh=False, limits=Limits(entries=1 << 60), until=until)
    assert "longer than the limit" in caught.value.seen


def test_names_and_package_data_are_kept_up_to_a_limit() -> None:
    limits = Limits(kept=100_000)
    names = b"".join(extended(b"x", record("path", b"%04d" % n + b"/a" * 200)) + header() for n in range(300))
    with pytest.raises(ImageError) as caught:
        read(names + END, limits)
    assert "more than 100000 bytes" in caught.value.seen
    with pytest.raises(ImageError):
        read(tar([file(f"var/lib/dpkg/status.d/{n}", b"x" * 20_000) for n in range(6)]), limits)
    assert len(read(tar([file(f"data/{n}", b"x" * 20_000) for n in range(6)]), limits).entries) == 6


def test_a_window_of_zstd_larger_than_any_tool_takes_is_refused() -> None:
    frame = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=28)
    ).compressobj()
    data = frame.compress(b"x" * 1000) + frame.flush()
    with pytest.raises(ImageError):
        list(packing.unpacked(data, [data], "it", LIMITS))


# Memory, seen from outside

PROGRAM = """
import gzip, resource, sys
from stageproof.errors import ImageError
from stageproof.image import Needles, layer, packing
from stageproof.image.limits import LIMITS
from tests.unit.image.tars import header, octal
{body}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    layer.read(packing.unpacked(head, data, "it", LIMITS), Needles(), weigh=False)
    print("read", end=" ")
except ImageError as error:
    print("refused", end=" ")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""

BOMBS = {
    "a zstd frame of two gigabytes in a few bytes": """
import struct
block = bytes.fromhex("28b52ffd") + bytes([0x00, 0x78])
run = struct.pack("<I", (131072 << 3) | (1 << 1))[:3] + b"\\0"
last = struct.pack("<I", (131072 << 3) | (1 << 1) | 1)[:3] + b"\\0"
frame = block + run * 16383 + last
head, data = frame[:512], [frame]
""",
    "one file of two gigabytes": """
head = header(b"a", octal(2 << 30))
data = [head, *[b"x" * (1 << 20)] * 2048, bytes(1024)]
""",
    "a file made of what is looked for": """
head = header(b"a", octal(48 << 20))
data = [head, *[b"\\x7fELFOPTIND  " * (1 << 16)] * 64, bytes(1024)]
""",
}


@pytest.mark.parametrize("what", BOMBS)
def test_memory_stays_bounded(what: str, root: Path) -> None:
    program = PROGRAM.format(body=BOMBS[what])
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    how, megabytes = done.stdout.split()
    assert how == ("refused" if "zstd" in what else "read")
    assert int(megabytes) < 200


# What stands in files


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN PRIVATE KEY-----\n" + b"a: " * 5000,
        b"-----BEGIN PRIVATE KEY-----\n" + b"a: a\n" * 5000,
        b"-----BEGIN PRIVATE KEY-----" * 5000 + b"\n" * 5000,
        b"-----BEGIN PRIVATE KEY-----\n" + b"\\n" * 5000,
    ],
)
def test_no_text_makes_the_search_for_keys_try_every_way_to_read_it(text: str) -> None:
    program = "import sys; from stageproof.image import secrets; print(secrets.in_file('/x', sys.stdin.buffer.read()))"
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, check=True, timeout=60)
    assert done.stdout == b"()\n"


@pytest.mark.parametrize("text", ["password" * 125_000, "a" * 1_000_000, "secret=" * 100_000, "=" * 1_000_000])
def test_a_label_of_a_megabyte_is_judged_in_bounded_time(text: str) -> None:
    program = "import sys; from stageproof.image import secrets; print(len(secrets.in_text(sys.stdin.read())))"
    done = subprocess.run(
        [sys.executable, "-c", program], input=text, capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) <= 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ENV DB_PASSWORD=hunter2", ("DB_PASSWORD",)),
        ("API_KEY=x", ("API_KEY",)),
        ("PASSWORD_FILE=/run/x", ()),
        ("PASSWORD=", ()),
        ('TOKEN=""', ()),
        ("the password is x", ()),
    ],
)
def test_a_variable_with_a_secret_s_name_and_a_value_is_one(text: str, names: tuple[str, ...]) -> None:
    assert secrets.in_text(text) == names


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_private_key_with_headers_is_found(ending: str) -> None:
    lines = ["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-256-CBC,00", "", "A" * 64]
    assert secrets.in_file("/k", ending.join(lines).encode()) == (secrets.PRIVATE_KEY,)


def test_a_shell_whose_dynamic_section_is_broken_is_still_a_shell(images: Images) -> None:
    shell = bytearray(images.elf("/ld.so", ["libc.so.6"], text=b"BusyBox v1 (multi-call binary)"))
    dynamic = shell.index(b"\x02\x00\x00\x00\x04\x00\x00\x00", 64)
    shell[dynamic + 8 : dynamic + 16] = (1 << 40).to_bytes(8, "little")
    found = read(tar([file("x", bytes(shell))])).entries["/x"].facts
    assert found.elf is not None
    assert (found.elf.interpreter, found.elf.needed, found.program) == ("/ld.so", (), "busybox")


def test_a_shell_blown_up_beyond_what_is_held_is_still_a_shell(images: Images) -> None:
    shell = images.elf(text=b"BusyBox v1")
    size = HELD + (1 << 20)
    end = b"(multi-call binary)"
    start = header(b"x", octal(size)) + shell
    gap = size - len(shell) - len(end)

    def pieces() -> Iterator[bytes]:
        yield start
        yield from (bytes(min(1 << 20, gap - at)) for at in range(0, gap, 1 << 20))
        yield end + bytes(-size % 512) + END

    found = layer.read(pieces(), Needles(), weigh=False).entries["/x"]
    assert found.size == size
    assert found.facts.program == "busybox"
    assert found.facts.elf
    digest = hashlib.sha256(shell)
    for at in range(0, gap, 1 << 20):
        digest.update(bytes(min(1 << 20, gap - at)))
    digest.update(end)
    assert found.sha256 == digest.hexdigest()


def test_thousands_of_names_that_share_one_text_do_not_fill_the_memory(images: Images) -> None:
    data = images.elf("/ld.so", ["x" * 4000] * 2000)
    found = elf.parse(data)
    assert found
    assert sum(map(len, found.needed)) < 2 << 20


def test_a_zip_of_many_names_is_kept_short() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number}{'a' * 500}.java", b"")
        archive.writestr("b" * 60_000 + ".java", b"")
    facts = read(tar([file("x.jar", out.getvalue())])).entries["/x.jar"].facts
    assert len(facts.members) == 500


@pytest.mark.parametrize(
    "value", ["1e400", "-1e400", "9" * 400, "NaN", '"10s"', "true"], ids=["inf", "-inf", "long", "nan", "text", "bool"]
)
def test_a_number_of_the_config_that_is_none_is_no_accident(value: str) -> None:
    document: Any = json.loads(
        f'{{"config": {{"Healthcheck": {{"Test": ["NONE"], "Interval": {value}, "Retries": {value}}}}}}}'
    )
    healthcheck = parse(document).healthcheck
    assert healthcheck
    assert healthcheck.interval < 2**63


def test_a_stream_that_gives_empty_pieces_is_read() -> None:
    data = tar([file("a", b"12345")])
    pieces = [piece for at in range(0, len(data), 100) for piece in (b"", data[at : at + 100], b"")]
    assert layer.read(pieces, Needles(), weigh=False).entries["/a"].size == 5
    assert Stream([b"", b"x", b""], "it").take(1) == b"x"


def test_extended_attributes_are_kept_by_name_and_value() -> None:
    data = extended(b"x", record("SCHILY.xattr.security.capability", b"\1\0\0\2")) + header(b"ping") + END
    entry = read(data).entries["/ping"]
    assert entry.attributes == (("security.capability", b"\1\0\0\2"),)
    assert entry.xattrs == ("security.capability",)


def test_a_tar_of_the_oldest_format_is_read() -> None:
    block = bytearray(header(b"old/", kind=b"\0"))
    block[257:265] = bytes(8)
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    assert read(bytes(block) + END).entries["/old"].kind is Kind.FOLDER


def test_a_checksum_of_bytes_above_127_is_compared_exactly() -> None:
    name = b"\xfe\xff" * 50
    good = header(name)
    assert read(good + END).entries
    bad = bytearray(good)
    bad[0] -= 1
    with pytest.raises(ImageError) as caught:
        read(bytes(bad) + END)
    assert "checksum" in caught.value.seen
