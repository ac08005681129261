"""One thing wrong among its files turns exactly the claim red that speaks of it.

A row of DESIGN's table may be two ids ("USER 0": non-root-user and writable-paths): then both are named.
"""

from __future__ import annotations

from collections.abc import Callable

from stageproof.model import Finding

Broken = Callable[[str, list[tuple[str, str]]], dict[str, Finding]]

FINAL = "FROM gcr.io/distroless/{base}-debian13:${{BASE_TAG}} AS final\n"


def test_busybox_under_another_name_breaks_no_shell_and_what_else_busybox_is(broken_claims: Broken) -> None:
    tools = "FROM gcr.io/distroless/nodejs26-debian13:debug-nonroot AS tools\n"
    copy = "COPY --from=tools /busybox/busybox /app/helper.bin\n"
    final = FINAL.format(base="nodejs26")
    # Of Node, because it is two megabytes large: Go's budget would break too.
    found = broken_claims("node-distroless", [(final, tools + final + copy)])
    # Busybox is all of it: a shell, wget, vi, dpkg. Each claim that it breaks says so; a mere shell is tried below.
    assert set(found) == {"no-shell", "no-download-tool", "no-editor", "no-package-manager", "variant-subset"}
    assert "/app/helper.bin" in {evidence.path for evidence in found["no-shell"].evidence}


def test_a_shell_under_another_name_breaks_no_shell(broken_claims: Broken) -> None:
    final = FINAL.format(base="static")
    found = broken_claims("go-distroless", [(final, f"{final}COPY --from=sdk /usr/bin/dash /app/helper.bin\n")])
    # It stands among the app's files, and the larger variant does not have it there.
    assert set(found) == {"no-shell", "variant-subset"}


def test_running_as_root_breaks_the_claims_about_the_user(broken_claims: Broken) -> None:
    assert set(broken_claims("go-distroless", [("USER 65532:65532", "USER 0:0")])) == {
        "non-root-user",
        "writable-paths",
    }


def test_shipping_npm_breaks_no_language_package_manager(broken_claims: Broken) -> None:
    start = "COPY --link --from=deps /app/node_modules /app/node_modules\n"
    copy = "COPY --from=sdk /usr/local/lib/node_modules/npm /app/tools/npm\n"
    found = broken_claims("node-multistage", [(start, start + copy)])
    # npm brings node-gyp, which is a build tool.
    assert set(found) == {"no-language-package-manager", "no-compiler", "variant-subset"}
    assert "node-gyp" in found["no-compiler"].evidence[0].path
