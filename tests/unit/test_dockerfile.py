from stageproof import dockerfile

TEXT = """\
# a comment
ARG BASE_TAG=nonroot
FROM --platform=$BUILDPLATFORM golang:1.27-trixie AS sdk
FROM sdk AS build
RUN echo FROM nowhere \\
    # a comment inside
    && true
FROM gcr.io/distroless/static-debian13:${BASE_TAG} AS final
COPY --from=build /x /x
"""


def test_the_bases_are_the_images_that_are_no_stages() -> None:
    assert dockerfile.bases(TEXT) == ("golang:1.27-trixie", "gcr.io/distroless/static-debian13:nonroot")


def test_a_build_argument_replaces_the_default_of_a_global_arg() -> None:
    assert dockerfile.bases(TEXT, {"BASE_TAG": "debug-nonroot"})[1] == "gcr.io/distroless/static-debian13:debug-nonroot"


def test_stages_keep_their_order_and_names() -> None:
    assert [stage.name for stage in dockerfile.stages(TEXT)] == ["sdk", "build", "final"]


def test_scratch_is_no_base_and_a_continued_from_is_read() -> None:
    assert dockerfile.bases("FROM \\\n  scratch\nFROM debian:trixie-slim AS x\nFROM X\n") == ("debian:trixie-slim",)


def test_an_arg_after_the_first_from_changes_no_from() -> None:
    assert dockerfile.bases("FROM a\nARG TAG=1\nFROM b:${TAG}\n") == ("a", "b:${TAG}")
