"""Texts of images are harmless in every format, whatever is in them."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stageproof.report import escape, formats
from tests.unit.report.conftest import HOSTILE, hostile

TEXTS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet=st.characters(codec=None), max_size=60),
    st.text(alphabet="<>&\"'`*_[](){}|#@:!%,\\\x1b\x9b\n\r\u2028\u202e\udcff\ud800a0 ", max_size=40),
    st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape")),
)
EVERY = formats.names()


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_a_plain_text_is_printable_short_and_utf_8(text: str) -> None:
    written = escape.plain(text)
    assert written.isprintable()
    assert written.encode().decode() == written
    assert len(written) <= 10 * escape.LONGEST + 50
    assert escape.plain(written, len(written)) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/usr/bin/naïve – 漢字", "/usr/bin/naïve – 漢字"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\udcff.txt", "\\xff.txt"),
        ("\u202egpj", "\\u202egpj"),
        ("\U000e0041", "\\U000e0041"),
        ("\xa0", "\\xa0"),
    ],
)
def test_what_cannot_be_printed_is_written_by_its_number(text: str, written: str) -> None:
    assert escape.plain(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ENV DB_PASSWORD=hunter2 PORT=80", "ENV DB_PASSWORD=*** PORT=80"),
        ("api_key='a b' x", "api_key=*** x"),
        ("curl -H ghp_" + "a1B2c3D4e5F6" * 3, "curl -H ***"),
        ("TOKEN_FILE=/run/secrets/token", "TOKEN_FILE=/run/secrets/token"),
        ("-----BEGIN PRIVATE KEY-----\n" + "A" * 64, "***"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text: str, written: str) -> None:
    assert escape.plain(text) == written
    assert escape.plain(escape.plain(text)) == written


def test_a_long_text_is_cut_and_says_so() -> None:
    assert escape.plain("x" * 1_000_000) == "x" * 2000 + "… (998,000 more characters)"


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"before {escape.markdown(text)} after")
    inside = rendered.replace("<code>", "").replace("</code>", "")
    assert re.fullmatch(r"<p>[^<>]*</p>\n", inside), rendered
    shown = html.unescape(inside.removeprefix("<p>").removesuffix("</p>\n"))
    assert " ".join(shown.split()) == " ".join(f"before {escape.plain(text)} after".split())


@pytest.mark.parametrize("text", ["http://x.org", "see WWW.x.org", "ftp://x", "a@b.org", "@somebody", "#1", "[a](b)"])
def test_markdown_makes_no_link_of_a_bare_address_and_calls_nobody(text: str) -> None:
    written = escape.markdown(text)
    assert "://" not in written
    assert "www." not in written.lower()
    assert not {"[", "]"} & {*written}
    # GitHub leaves names and numbers alone inside code only.
    assert "@" not in written
    assert written.count("<code>") == text.count("@") + text.count("#")


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_markdown_in_a_table_keeps_its_columns(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {escape.markdown(text)} | end |"
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(table)
    assert rendered.count("<td>") == 2
    assert "<td>end</td>" in rendered


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_an_annotation_is_one_command_and_its_property_ends_nowhere(text: str) -> None:
    message, title = escape.annotation(text), escape.annotation_property(text)
    assert not {"\n", "\r"} & {*message, *title}
    assert not {":", ","} & {*title}
    undone = title.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    assert undone == escape.plain(text)


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_a_sarif_message_has_no_links_and_no_places_for_arguments(text: str) -> None:
    written = escape.sarif(text)
    assert not re.search(r"(?<!\\)\]\(", written)
    assert not re.search(r"(?<!\{)\{\d+\}(?!\})", written)


@pytest.mark.parametrize("name", EVERY)
def test_a_million_characters_make_no_large_report(name: str) -> None:
    assert len(formats.load(name).render([hostile("<b>" * 400_000)])) < 2_000_000


@pytest.mark.parametrize("name", EVERY)
@settings(deadline=None, max_examples=20)
@given(text=TEXTS)
def test_no_format_lets_a_text_of_an_image_through_as_it_is(name: str, text: str) -> None:
    written = formats.load(name).render([hostile(text)])
    assert written.encode()
    assert written.endswith("\n")
    assert all(letter.isprintable() or letter == "\n" for letter in written)


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_json_formats_can_be_read_by_anybody(text: str) -> None:
    for name in ("json", "sarif", "ctrf"):
        document = json.loads(formats.load(name).render([hostile(text)]))
        assert json.dumps(document, ensure_ascii=False).encode()


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_junit_is_well_formed_with_the_same_cases(text: str) -> None:
    root = ET.fromstring(formats.load("junit").render([hostile(text)]))  # noqa: S314 -- written by us a line before
    assert len(root.findall("./testsuite/testcase")) == 10
    assert cast("ET.Element", root.find("./testsuite")).get("name") == escape.plain(text)


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_every_annotation_is_a_command_of_ours(text: str) -> None:
    lines = formats.load("github").render([hostile(text)]).splitlines()
    assert len(lines) == 5
    assert all(
        re.match(r"::(error|notice) title=no-shell \((broken|unknown|reported|ignored)\)", line) for line in lines
    )


@settings(deadline=None, max_examples=50)
@given(TEXTS)
def test_the_markdown_report_holds_no_element_but_its_own(text: str) -> None:
    written = formats.load("markdown").render([hostile(text)])
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(written)
    own = r"</?(h2|p|table|thead|tbody|tr|th|td|code|details|summary|br)( /)?>"
    assert not re.search(r"[<>]", re.sub(own, "", rendered))
