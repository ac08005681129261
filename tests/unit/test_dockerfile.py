from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

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


def only(text: str) -> dockerfile.Instruction:
    """Read a Dockerfile of FROM and one instruction more."""
    (_, instruction) = dockerfile.parse(f"FROM a\n{text}").instructions
    return instruction


def test_instructions_have_keyword_arguments_flags_line_and_stage() -> None:
    instruction = only("\n# comment\ncopy --from=x  --link --chmod=0644\t a  b /c/\n")
    assert (instruction.keyword, instruction.arguments) == ("COPY", "a  b /c/")
    assert instruction.flags == (("from", "x"), ("link", ""), ("chmod", "0644"))
    assert (instruction.line, instruction.stage) == (4, 0)
    assert instruction.flag("link") == ""
    assert instruction.flag("chown") is None


def test_a_flag_of_the_command_is_no_flag_of_the_instruction() -> None:
    instruction = only("RUN --mount=type=cache,target=/c --network=none npm --prefix=x ci --omit=dev\n")
    assert [name for name, _ in instruction.flags] == ["mount", "network"]
    assert instruction.arguments == "npm --prefix=x ci --omit=dev"


def test_lines_are_continued_over_comments_and_empty_lines() -> None:
    assert only("RUN a \\\n# no\n\n   # no\n  && b \\  \n && c").arguments == "a   && b  && c"


def test_the_escape_directive_changes_what_continues_a_line() -> None:
    read = dockerfile.parse("# escape=`\n# syntax=docker/dockerfile:1\nFROM a\nRUN dir C:\\\nRUN b `\n  c\n")
    assert read.directives == {"escape": "`", "syntax": "docker/dockerfile:1"}
    assert [each.arguments for each in read.instructions] == ["a", "dir C:\\", "b   c"]


def test_a_directive_after_anything_else_is_a_comment() -> None:
    assert dockerfile.parse("#\n# syntax=x\nFROM a\n").directives == {}


def test_the_exec_form_is_json_and_anything_else_is_shell_form() -> None:
    assert only('ENTRYPOINT ["/app/run", "-x"]').words == ("/app/run", "-x")
    assert only("ENTRYPOINT ['/app/run']").words is None
    assert only("ENTRYPOINT [1]").words is None
    assert only("RUN [ -f x ] && y").words is None


def test_here_documents_belong_to_their_instruction() -> None:
    instruction = only("RUN <<EOF bash -s\nFROM evil\nEOF\n")
    assert instruction.documents == ("FROM evil",)
    two = only("COPY <<one <<-'two' /d/\na\none\n\tb\n\ttwo\n")
    assert two.documents == ("a", "b")
    assert only("RUN cat <<< EOF\n").documents == ()
    assert only("ENV X=<<EOF\n").documents == ()
    after = dockerfile.parse("FROM a\nRUN <<EOF\nx\nEOF\nUSER 1\n").instructions[-1]
    assert (after.keyword, after.line) == ("USER", 5)


def test_variables_have_defaults_alternatives_and_escapes() -> None:
    values = {"A": "1", "E": ""}
    assert dockerfile.expand("$A ${A} ${B} ${B:-x} ${E:-x} ${E-x} ${A:+y}|${B:+y}", values) == "1 1 ${B} x x  y|"
    assert dockerfile.expand(r"\$A ${B:-${A}2}", values) == "$A 12"


def test_global_arguments_may_use_each_other_and_one_without_a_default_stays_open() -> None:
    text = 'ARG A=1 B="2"\nARG C=$A-$B\nARG D\nFROM x:$C\nFROM y:$D\n'
    assert dockerfile.bases(text) == ("x:1-2", "y:$D")
    assert dockerfile.bases(text, {"D": "4", "A": "9"}) == ("x:9-2", "y:4")


def test_the_chain_leads_from_the_target_to_the_foreign_image() -> None:
    read = dockerfile.parse(
        "FROM a AS sdk\nRUN 1\nFROM sdk AS build\nRUN 2\nFROM b AS final\nRUN 3\nFROM build AS test\n"
    )
    assert read.chain() == (0, 1, 3)
    assert read.base() == "a"
    assert [each.arguments for each in read.steps("build")] == ["1", "2"]
    assert (read.chain("final"), read.base("final")) == ((2,), "b")
    assert (read.chain("nothing"), read.base("nothing")) == ((), "")


def test_a_stage_that_is_named_like_its_own_image_does_not_start_from_itself() -> None:
    read = dockerfile.parse("FROM debian AS debian\nFROM debian\n")
    assert read.chain() == (0, 1)
    assert read.base() == "debian"


def test_the_ignore_file_beside_the_dockerfile_comes_before_the_context_s(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    path = tmp_path / "x.Dockerfile"
    path.write_text("FROM a\n")
    assert dockerfile.read(path, context=context).ignored is None
    (context / ".dockerignore").write_text("# comment\n\n*\n!src\n")
    assert dockerfile.read(path, context=context).ignored == ("*", "!src")
    (tmp_path / "x.Dockerfile.dockerignore").write_text("beside\n")
    assert dockerfile.read(path, context=context).ignored == ("beside",)
    assert dockerfile.read(path).path == str(path)


def test_what_cannot_be_understood_is_kept() -> None:
    read = dockerfile.parse("\ufeffFROM\nNONSENSE x\n\\\n")
    assert [each.keyword for each in read.instructions] == ["FROM", "NONSENSE"]
    assert dockerfile.parse("").chain() == ()
    assert dockerfile.parse("").base() == ""


def test_only_line_feeds_end_a_line_also_after_a_carriage_return() -> None:
    read = dockerfile.parse("FROM a\r\nRUN x\x0c\u2028y \\\r\n  z\r\nUSER 1\r\n")
    assert [(each.keyword, each.line) for each in read.instructions] == [("FROM", 1), ("RUN", 2), ("USER", 4)]
    assert read.instructions[1].arguments == "x\x0c\u2028y   z"


PIECES = [
    "FROM ",
    "a",
    "\n",
    "\\\n",
    "RUN ",
    "<<EOF",
    "<<-'X'",
    "EOF\n",
    "# escape=`\n",
    "ARG ",
    "A=1",
    "${A:-${B}}",
    "${",
]
PIECES += ["[", '"', "]", "--from=", "COPY ", " AS ", "\t", "\ufeff", "\x00", "\u2028", "ONBUILD "]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_read_and_every_line_is_one_of_the_text(text: str) -> None:
    read = dockerfile.parse(text, {"A": "1"}, ignored=text)
    assert all(1 <= each.line <= text.count("\n") + 1 for each in read.instructions)
    assert len(read.stages) == [each.keyword for each in read.instructions].count("FROM")
    assert set(read.chain()) <= set(range(len(read.stages)))
    assert all(each.keyword != "FROM" for each in read.steps())
