"""The numbers that the project promises, measured in one run and printed as ratios; nothing here is a test.

    .venv/bin/python benchmarks/promises.py            all but the fresh build
    .venv/bin/python benchmarks/promises.py P1 P14     only these

P1   no-op `invoke build-all` / a raw no-op `docker buildx bake` of the same targets          at most 1.3
P9   edit one source file -> `invoke build` + the claims of that recipe                       at most 5 s, Java 10 s
P12  `invoke build-all test-all`, warm and unchanged; and with everything asked again         at most 90 s
P13  sizes against their budgets                                                              at most 1.0
P14  `docker run` to the first right answer, above an empty container's start, median of 10   Go 0.05 s, Python 0.6,
                                                                                              Node 0.4, Java 1.5
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stageproof import builds, catalog, subjects, verify, workbench
from stageproof.engine import bake, build, record
from stageproof.live import Live, Run
from stageproof.model import Recipe
from stageproof.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent
INVOKE = str(Path(sys.executable).parent / "invoke")
START_GOALS = {"go": 0.05, "python": 0.6, "node": 0.4, "java": 1.5}
EDITED = {
    "go": "main.go",
    "python": "src/qr/__init__.py",
    "node": "src/main.js",
    "java": "src/main/java/io/github/stageproof/qr/Main.java",
}
PUBLISHED: dict[str, tuple[str, int] | None] = {"8080/tcp": ("127.0.0.1", 0)}
COMMENTS = {".go": "//", ".py": "#", ".js": "//", ".java": "//"}


def seconds(body: Callable[[], object]) -> float:
    """Time one call."""
    begun = time.monotonic()
    body()
    return time.monotonic() - begun


def invoke(*arguments: str) -> None:
    """Run a task, and end with its output if it fails."""
    done = subprocess.run([INVOKE, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"invoke {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )


def p1(bench: Workbench) -> None:
    """Our no-op build against the builder's own, alternating, so that both see the same noise."""
    invoke("build-all")
    additions = json.loads((ROOT / record.FOLDER / build.ADDITIONS).read_text())["target"]
    targets = [name for name in additions if not name.startswith("sdk-")]
    raw = [*bench.engine.buildx, "bake", "-f", bake.FILE, "-f", f"{record.FOLDER}/{build.ADDITIONS}", *targets]
    environment = bench.engine.environment() | builds.app_variables(ROOT)
    ours, theirs = [], []
    for _ in range(5):
        theirs.append(seconds(lambda: subprocess.run(raw, cwd=ROOT, env=environment, capture_output=True, check=True)))
        ours.append(seconds(lambda: invoke("build-all")))
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"P1   no-op build-all {a:.2f} s / raw bake {b:.2f} s = {a / b:.2f}   (goal 1.3; {len(targets)} targets)")


def p9(bench: Workbench) -> None:
    """Edit a source file of each stack, build the stack, decide the claims of its distroless image, put the file back.

    All four variants are built: `variant-subset` compares the image with the larger one of the same sources.
    """
    for stack in bench.catalog.stacks:
        name = EDITED.get(stack.name)
        if name is None:
            continue
        with edited(stack.folder / name):
            building = seconds(functools.partial(invoke, "build", "--stack", stack.name))
            (recipe,) = bench.catalog.select(stack.name, "distroless")
            reading = seconds(functools.partial(prove, bench, recipe, live=False))
            proving = seconds(functools.partial(prove, bench, recipe, live=True))
        goal = 10 if stack.name == "java" else 5
        print(
            f"P9   {stack.name:<7} build {building:.1f} s + claims about files {reading:.1f} s"
            f" + about containers {proving:.1f} s = {building + reading + proving:.1f} s   (goal {goal} s)"
        )
    invoke("build-all")


def prove(bench: Workbench, recipe: Recipe, *, live: bool) -> None:
    """Decide every claim of a recipe's contract about files, or about containers, and end if one is not kept."""
    build = record.require(record.read(ROOT), recipe.name, bench.engine_id)
    helper = record.read(ROOT).helper
    claims = [claim for claim in recipe.variant.claims if verify.needs_container(claim.id) == live]
    with Live(bench.client, build.digest, run=Run.new(), helper_image=helper, limits=recipe.stack.limits) as session:
        subject = subjects.subject(bench, recipe, session)
        findings = verify.decide_all(claims, subject, verify.AT_ONCE if live else 1)
    for claim, finding in zip(claims, findings, strict=True):
        if finding.verdict not in verify.KEPT and not verify.is_reported_only(claim):
            sys.exit(f"{recipe.name} {finding.message}: {finding.claim}")


@contextmanager
def edited(path: Path) -> Iterator[None]:
    """Add a comment to a file, and put the file back as it was."""
    before = path.read_bytes()
    path.write_bytes(before + f"\n{COMMENTS[path.suffix]} {time.time_ns()}\n".encode())
    try:
        yield
    finally:
        path.write_bytes(before)


def p12(_: Workbench) -> None:
    """Everything asked again, and then with nothing changed, so that what was proved is remembered."""
    again = seconds(lambda: invoke("build-all", "test-all", "--again"))
    taken = seconds(lambda: invoke("build-all", "test-all"))
    print(
        f"P12  warm and unchanged build-all test-all {taken:.0f} s   (goal 90 s; everything asked again: {again:.0f} s)"
    )


def p13(bench: Workbench) -> None:
    """Sizes against budgets."""
    images = record.read(ROOT).images
    for recipe in bench.catalog.recipes:
        image, budget = images[recipe.name], recipe.budget
        print(
            f"P13  {recipe.name:<18} disk {image.disk / 1e6:7.1f} MB = {image.disk / budget.disk:.2f} of the budget"
            f"   pull {image.pull / 1e6:6.1f} MB = {image.pull / budget.pull:.2f}"
        )


def p14(bench: Workbench) -> None:
    """Start times of the distroless images, above that of a container whose program ends at once."""
    images = record.read(ROOT).images
    run = Run.new()
    empty = statistics.median(empty_start(bench, images["go-distroless"].digest, run) for _ in range(10))
    print(f"P14  an empty container's start {empty:.2f} s")
    for recipe in bench.catalog.select(variant="distroless"):
        digest = images[recipe.name].digest
        taken = statistics.median(first_answer(bench, recipe, digest, run) for _ in range(10)) - empty
        goal = START_GOALS.get(recipe.stack.name)
        print(f"P14  {recipe.stack.name:<7} {taken:.2f} s to the first right answer   (goal {goal} s)")


def empty_start(bench: Workbench, image: str, run: Run) -> float:
    """Give the seconds that `create` and `start` take where the program refuses its configuration and ends at once."""
    begun = time.monotonic()
    container = bench.client.containers.create(image, environment={"PORT": "none"}, ports=PUBLISHED, labels=run.labels)
    try:
        container.start()
        return time.monotonic() - begun
    finally:
        container.remove(force=True)


def first_answer(bench: Workbench, recipe: Recipe, image: str, run: Run) -> float:
    """Give the seconds from `create` to the first 200 of /readyz, asked over the loopback."""
    begun = time.monotonic()
    container = bench.client.containers.create(image, ports=PUBLISHED, labels=run.labels)
    try:
        container.start()
        container.reload()
        published = container.ports["8080/tcp"] or []
        port = int(published[0]["HostPort"])
        while time.monotonic() - begun < recipe.stack.limits.start_seconds:
            if is_ready(port):
                return time.monotonic() - begun
    finally:
        container.remove(force=True)
    sys.exit(f"{recipe.name} did not answer within {recipe.stack.limits.start_seconds} s")


def is_ready(port: int) -> bool:
    """Ask once; a refused connection costs no time worth waiting for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        time.sleep(0.002)  # leave the processor to what is being measured
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def main() -> None:
    """Measure what was asked for, or all; our commands find their byte code, as they do wherever it may be written."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    numbers = {"P1": p1, "P9": p9, "P12": p12, "P13": p13, "P14": p14}
    bench = workbench.open_engine(catalog.read(ROOT), print)
    for name in sys.argv[1:] or numbers:
        numbers[name](bench)


if __name__ == "__main__":
    main()
