from stageproof.engine.progress import Reader, Step

LINES = """\
#7 [two x 1/1] COPY a.Dockerfile /x
#7 DONE 0.3s
#8 [one build 2/3] RUN go build
#8 0.412 first line
#8 0.500 second line
#8 ERROR: process "/bin/sh -c go build" did not complete successfully: exit code: 1
#9 [two final 1/1] COPY b /b
#9 CACHED
#10 [two internal] load build context
#10 DONE 0.1s
ERROR: target one: failed to solve: process "/bin/sh -c go build" did not complete successfully: exit code: 1
""".splitlines()


def _read(lines: list[str], only: str = "") -> Reader:
    reader = Reader(only)
    for line in lines:
        reader.feed(line)
    return reader


def test_steps_are_known_by_their_target_and_state() -> None:
    states = [(step.target, step.title, step.state) for step in _read(LINES).steps()]
    assert states == [
        ("two", "[x 1/1] COPY a.Dockerfile /x", "done"),
        ("one", "[build 2/3] RUN go build", "error"),
        ("two", "[final 1/1] COPY b /b", "cached"),
    ]


def test_the_failed_step_keeps_its_last_lines_untouched() -> None:
    reader = _read(LINES)
    failed = reader.failed_step()
    assert isinstance(failed, Step)
    assert reader.failed_target == "one"
    assert list(failed.output)[:2] == ["first line", "second line"]


def test_no_more_than_the_last_ten_lines_are_kept() -> None:
    reader = _read(["#1 [one a 1/1] RUN x", *[f"#1 0.1 line {number}" for number in range(30)]])
    (step,) = reader.steps()
    assert list(step.output) == [f"line {number}" for number in range(20, 30)]


def test_a_single_target_is_left_out_of_its_steps_names_by_buildx_and_known_all_the_same() -> None:
    (step,) = _read(["#5 [build 2/3] RUN x", "#5 DONE 1.5s"], only="go-plain").steps()
    assert (step.target, step.place, step.seconds) == ("go-plain", "build 2/3", 1.5)


def test_a_step_is_short_without_the_flags_of_its_instruction() -> None:
    mounts = "--mount=type=cache,id=go-mod,target=/go/pkg/mod     --mount=type=bind,source=go.mod,target=go.mod"
    (step,) = _read([f"#5 [build 2/3] RUN {mounts}     go build -o --x /app"], only="go-plain").steps()
    assert step.short == "RUN go build -o --x /app"
