"""What reading images costs, measured in one run and printed as ratios; nothing here is a test.

    .venv/bin/python benchmarks/reading.py             all
    .venv/bin/python benchmarks/reading.py P2 P4       only these

P2   `stageproof verify` of 20 unchanged images, the whole command   at most 0.5 s, no byte of a layer read
P3   everything from nothing / one save of all names to nowhere     at most 1.2
P4   100,000 files with their SHA-256 / the same with tarfile       at most 1.2 s, at most 0.2, at most 200 MB
P5   how often each layer is indexed, over all images               once
P11  the packages of a distroless image, once it is indexed         at most 0.05 s
"""

from __future__ import annotations

import io
import json
import os
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from stageproof import catalog, workbench
from stageproof.engine import record
from stageproof.engine.images import Images
from stageproof.image import Image, packages, sources
from stageproof.image.traffic import Traffic
from stageproof.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent
COMMAND = str(Path(sys.executable).parent / "stageproof")
IMAGES = 20
FILES = 100_000
ROUNDS = 5


def seconds(body: Callable[[], object]) -> float:
    """Time one call."""
    begun = time.monotonic()
    body()
    return time.monotonic() - begun


def names(bench: Workbench) -> list[str]:
    """Give the images that were built here, and then the bases that they stand on."""
    images = record.read(bench.root).images
    bases = [base for build in images.values() for base in build.bases.values()]
    return list(dict.fromkeys([build.digest for build in images.values()] + bases))


def read(bench: Workbench, asked: list[str], cache: Path, traffic: Traffic, *, weigh: bool = False) -> dict[str, Image]:
    """Read images of the engine."""
    found = sources.read(asked, cache=cache, engine=lambda: Images(bench.client), traffic=traffic, weigh=weigh)
    return {name: images[0] for name, images in found.items()}


def p2(bench: Workbench) -> None:
    """Read the same images again, with nothing changed."""
    asked = names(bench)
    built, asked = len(record.read(bench.root).images), asked[:IMAGES]
    with tempfile.TemporaryDirectory() as folder:
        read(bench, asked, Path(folder), Traffic())
        traffic = Traffic()
        begun = time.process_time()
        taken = [seconds(lambda: read(bench, asked, Path(folder), traffic)) for _ in range(ROUNDS)]
        processor = (time.process_time() - begun) / ROUNDS
        entries = sum(len(image.tree) for image in read(bench, asked, Path(folder), traffic).values())
    print(
        f"P2   {len(asked)} images ({built} recipes, {len(asked) - built} of their bases), {entries} entries:"
        f" read again in {statistics.median(taken):.2f} s ({processor:.2f} s of processor), {traffic.layer_bytes} bytes"
        " of layers   (goal 0 bytes)"
    )
    verify = [COMMAND, "verify", *asked, "--format", "json"]
    first = seconds(lambda: run_command(verify))
    taken = [seconds(lambda: run_command(verify)) for _ in range(ROUNDS)]
    print(
        f"P2   the whole command {statistics.median(taken):.2f} s, unchanged since it was asked before"
        f"   (goal 0.5 s; the first one just now took {first:.2f} s)"
    )


def run_command(words: list[str]) -> None:
    """Run a command whose findings may be good or bad, and end if it could not decide."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        sys.exit(done.stderr)


def p3(bench: Workbench) -> None:
    """Read everything from nothing, against a save that goes nowhere; each twice, in turns."""
    asked = names(bench)[:IMAGES]
    engine = Images(bench.client)
    nowhere, light, whole, processor = [], [], [], 0.0
    for _ in range(2):
        nowhere.append(seconds(lambda: sum(len(piece) for piece in engine.save(asked))))
        begun = time.process_time()
        light.append(cold(bench, asked, weigh=False))
        processor = time.process_time() - begun
    whole.append(cold(bench, asked, weigh=True))
    base = statistics.mean(nowhere)
    print(f"P3   a save of all {len(asked)} names to nowhere {base:.1f} s")
    print(
        f"P3   reading from nothing {statistics.mean(light):.1f} s ({processor:.1f} s of processor)"
        f" = {statistics.mean(light) / base:.2f}   (goal 1.2)"
    )
    print(f"P3   with the size to pull of every layer {whole[0]:.1f} s = {whole[0] / base:.2f}   (no goal)")


def cold(bench: Workbench, asked: list[str], *, weigh: bool) -> float:
    """Read into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds(lambda: read(bench, asked, Path(folder), Traffic(), weigh=weigh))


def p5(bench: Workbench) -> None:
    """Count what is read of images that share layers."""
    asked = names(bench)[:IMAGES]
    traffic = Traffic()
    with tempfile.TemporaryDirectory() as folder:
        images = read(bench, asked, Path(folder), traffic)
    logical = sum(len(image.layers) for image in images.values())
    print(
        f"P5   {logical} layers of {len(asked)} images are {len(traffic.indexed)} different ones, each indexed"
        f" {max(traffic.indexed.values())} time(s), {traffic.layer_bytes / 1e6:.0f} MB in"
        f" {len(traffic.saved)} save(s)   (goal 1)"
    )


OURS = """
import json, re, sys, time
from pathlib import Path
from stageproof.image import Needles, layer
from stageproof.image.store import Store
def pieces():
    with open(sys.argv[1], "rb") as file:
        while piece := file.read(1 << 20):
            yield piece
begun = time.monotonic()
found = layer.read(pieces(), Needles(), weigh=False)
cold = time.monotonic() - begun
# Not getrusage: what it tells of a new program begins with the peak of the one that started it.
memory = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
store = Store(Path(sys.argv[2]))
store.remember(found, Needles())
begun = time.monotonic()
again = store.layer(found.diff_id, Needles())
warm = time.monotonic() - begun
assert again.entries == found.entries
print(json.dumps({"cold": cold, "warm": warm, "memory": memory, "entries": len(found.entries)}))
"""
THEIRS = """
import hashlib, json, sys, tarfile, time
begun = time.monotonic()
found = {}
with tarfile.open(sys.argv[1], "r|") as archive:
    for member in archive:
        file = archive.extractfile(member)
        found[member.name] = hashlib.sha256(file.read()).hexdigest() if file else ""
print(json.dumps({"cold": time.monotonic() - begun, "entries": len(found)}))
"""


def p4(_: Workbench) -> None:
    """Index a layer of very many small files, each way in a process of its own, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        for title, form in (("ustar", tarfile.USTAR_FORMAT), ("pax", tarfile.PAX_FORMAT)):
            path = Path(folder) / f"{title}.tar"
            write_layer(path, form)
            ours, theirs = [], []
            for _round in range(ROUNDS):
                theirs.append(run(THEIRS, str(path)))
                ours.append(run(OURS, str(path), folder))
            a, b = (statistics.median(one["cold"] for one in each) for each in (ours, theirs))
            memory = max(one["memory"] for one in ours) / 1e3
            warm = statistics.median(one["warm"] for one in ours)
            print(
                f"P4   {ours[0]['entries']} files, {title}: {a:.2f} s / tarfile {b:.2f} s = 1/{b / a:.1f},"
                f" {memory:.0f} MB; remembered {warm:.2f} s   (goal 1.2 s, 1/5, 200 MB)"
            )


def write_layer(path: Path, form: int) -> None:
    """Write a layer of files of 100 to 1,500 bytes; in pax form with times that need an extended header."""
    chance = random.Random(1)  # noqa: S311 -- the same bytes in every run
    with tarfile.open(path, "w", format=form) as archive:
        for number in range(FILES):
            info = tarfile.TarInfo(f"app/node_modules/package-{number // 100}/lib/module-{number}.js")
            data = chance.randbytes(chance.randrange(100, 1500))
            info.size, info.mtime = len(data), 1_700_000_000 + (0.5 if form == tarfile.PAX_FORMAT else 0)
            archive.addfile(info, io.BytesIO(data))


def run(program: str, *arguments: str) -> dict[str, float]:
    """Run a program that prints one JSON object."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return cast("dict[str, float]", json.loads(done.stdout))


def p11(bench: Workbench) -> None:
    """List the packages of the distroless images."""
    images = record.read(bench.root).images
    wanted = {recipe.name: images[recipe.name].digest for recipe in bench.catalog.select(variant="distroless")}
    with tempfile.TemporaryDirectory() as folder:
        found = read(bench, list(wanted.values()), Path(folder), Traffic())
    for name, digest in wanted.items():
        taken = statistics.median(timed(found[digest]))
        listed = packages.installed(found[digest])
        print(f"P11  {name:<18} {len(listed):3} packages in {taken * 1000:5.1f} ms   (goal 50 ms)")


def timed(image: Image) -> Iterator[float]:
    """Time the list of packages a few times."""
    for _ in range(ROUNDS):
        yield seconds(lambda: packages.installed(image))


def main() -> None:
    """Measure what was asked for, or all; our command finds its byte code, as it does wherever it may be written."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    numbers = {"P2": p2, "P3": p3, "P4": p4, "P5": p5, "P11": p11}
    bench = workbench.open_engine(catalog.read(ROOT), print)
    for name in sys.argv[1:] or numbers:
        numbers[name](bench)


if __name__ == "__main__":
    main()
