"""`debug-is-shell-only`: the debug image equals the distroless image plus the shell, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from stageproof.checks.subject import ELSEWHERE, Says, Subject, absent, evidence_of, not_applicable, unknown
from stageproof.image import Entry, Image
from stageproof.model import Evidence, Finding

CLAIM = "equals the distroless image plus the shell, and nothing else"
BROKEN = "differs from the distroless image in more than the shell"
WHY = "what is found with the debug image must be true of the image in production"
DO = "build both from one Dockerfile, in one run, with only BASE_TAG different"


def check(
    subject: Subject, extra: Sequence[str] = ("/busybox",), sibling: str = "distroless", varying: Sequence[str] = ()
) -> Finding:
    """Decide the claim path by path: kind, mode, owner, link, content; and by the configuration.

    `extra` are the folders that only the debug image may have. `varying` are patterns of files whose bytes no two
    builds share (an AOT cache): they must be in both, with the same mode and owner.
    """
    if subject.elsewhere:
        return not_applicable("debug-is-shell-only", ELSEWHERE)
    other = subject.siblings.get(sibling)
    if other is None:
        seen = [Evidence(f"there is no image of the variant {sibling}")]
        return unknown("debug-is-shell-only", f"could not be shown that it {CLAIM}", seen, f"build {sibling} too")
    seen = [*_files(subject, other, extra, varying), *_config(subject.image, other, extra)]
    return absent("debug-is-shell-only", Says(CLAIM, BROKEN, DO), subject, seen)


def _files(subject: Subject, plain: Image, extra: Sequence[str], varying: Sequence[str]) -> Iterator[Evidence]:
    debug = subject.image
    for path in sorted({*debug.tree, *plain.tree}):
        if any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in extra):
            continue
        here, there = debug.find(path), plain.find(path)
        if here is None or there is None:
            yield Evidence("only in the distroless image" if here is None else "only in the debug image", path)
            continue
        free = any(fnmatchcase(path, form) for form in varying)
        differences = [name for name in _differences(here, there) if not (free and name == "content")]
        if differences:
            yield evidence_of(subject, here, f"differs in {', '.join(differences)}")


def _differences(here: Entry, there: Entry) -> Iterator[str]:
    if here.kind is not there.kind or here.link != there.link:
        yield "kind"
    if here.mode != there.mode:
        yield f"mode ({here.mode:04o}, {there.mode:04o})"
    if (here.uid, here.gid) != (there.uid, there.gid):
        yield f"owner ({here.uid}:{here.gid}, {there.uid}:{there.gid})"
    if here.sha256 != there.sha256:
        yield "content"


def _config(debug: Image, plain: Image, extra: Sequence[str]) -> Iterator[Evidence]:
    for name in ("user", "entrypoint", "cmd", "workdir", "exposed", "healthcheck", "stop_signal", "volumes"):
        if getattr(debug.config, name) != getattr(plain.config, name):
            yield Evidence(
                f"the configuration differs in {name}: {getattr(debug.config, name)}, {getattr(plain.config, name)}"
            )
    for name in sorted({*debug.config.env, *plain.config.env}):
        here, there = debug.config.env.get(name), plain.config.env.get(name)
        if here != there and not (name == "PATH" and here in {f"{there}:{folder}" for folder in extra}):
            yield Evidence(f"the configuration differs in the variable {name}")
