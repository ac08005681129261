"""The QR codes, read back by a reader that shares nothing with the services."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from urllib.parse import quote, quote_plus

import pytest
import resvg_py
import zxingcpp
from PIL import Image

from stageproof.live import Answer
from stageproof.live.session import Running

QUIET_ZONE = 4
DEFAULT_SCALE = 8
SVG = "{http://www.w3.org/2000/svg}svg"
TEXTS = {
    "one letter": "a",
    "digits, which have a mode of their own": "0123456789",
    "an address": "https://example.org/path?query=a&b=c#part",
    "umlauts": "Zwölf Boxkämpfer jagen Viktor über den großen Deich",
    "Greek, Cyrillic and Hebrew": "ξεσκεπάζω съешь שלום",
    "Chinese, Japanese and Korean": "漢字 かな カナ 한글",
    "emoji with joiners": "🎉👩‍👩‍👧‍👦🇪🇺",
    "several lines": "one\ntwo\r\nthree\tend",
    "markup": "<svg onload=\"alert('1')\">&amp;</svg>",
    "spaces at both ends": "  padded  ",
}
LONGEST = {
    "of letters": "x" * 1024,
    "of capitals and digits": "QR42" * 256,
    "of umlauts": "ä" * 512,
    "of emoji": "🎉" * 256,
}


def ask(service: Running, text: str, form: str = "svg", scale: int | None = None) -> Answer:
    query = f"text={quote(text, safe='')}&format={form}" + (f"&scale={scale}" if scale else "")
    answer = service.ask(f"/qr?{query}")
    assert (answer.status, answer.media_type) == (200, {"svg": "image/svg+xml", "png": "image/png"}[form]), answer.body
    return answer


def picture(answer: Answer) -> Image.Image:
    """Turn an answer into pixels, at its natural size."""
    svg = answer.media_type == "image/svg+xml"
    data = resvg_py.svg_to_bytes(svg_string=answer.text, skip_system_fonts=True) if svg else answer.body
    return Image.open(io.BytesIO(data)).convert("RGBA")


def read(image: Image.Image) -> zxingcpp.Barcode:
    """Read the one code of a picture."""
    # Other formats are left out: in the noise of a large code a reader that looks for all of them finds bar codes too.
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    codes = zxingcpp.read_barcodes(image.convert("L"), formats=wanted, text_mode=zxingcpp.TextMode.Plain)
    assert len(codes) == 1
    return codes[0]


@pytest.mark.parametrize("form", ["svg", "png"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_code_reads_as_its_text(service: Running, text: str, form: str) -> None:
    assert read(picture(ask(service, text, form))).text == text


@pytest.mark.parametrize("form", ["svg", "png"])
@pytest.mark.parametrize("text", LONGEST.values(), ids=LONGEST)
def test_the_longest_text_fits(service: Running, text: str, form: str) -> None:
    assert len(text.encode()) == 1024
    assert read(picture(ask(service, text, form, scale=3))).text == text


@pytest.mark.parametrize("form", ["svg", "png"])
@pytest.mark.parametrize("scale", [None, 1, 2, 7, 20])
def test_a_code_has_its_size_and_its_quiet_zone_at_every_scale(service: Running, form: str, scale: int | None) -> None:
    image = picture(ask(service, "stageproof", form, scale))
    pixels = scale or DEFAULT_SCALE
    assert image.width == image.height
    modules, rest = divmod(image.width, pixels)
    version, wrong = divmod(modules - 2 * QUIET_ZONE - 17, 4)
    assert (rest, wrong) == (0, 0)
    assert version >= 1
    # The three corners of a code touch its edges, so the dark part shows where the quiet zone ends.
    dark = image.convert("L").point(lambda value: 255 if value < 128 else 0).getbbox()
    zone = QUIET_ZONE * pixels
    assert dark == (zone, zone, image.width - zone, image.height - zone)


@pytest.mark.parametrize("scale", [1, 5, 20])
def test_an_svg_says_the_size_of_the_png(service: Running, scale: int) -> None:
    root = ET.fromstring(ask(service, "size", "svg", scale).text)  # noqa: S314 -- our own service
    assert root.tag == SVG
    side = str(picture(ask(service, "size", "png", scale)).width)
    assert (root.get("width"), root.get("height")) == (side, side)


@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_code_is_black_on_white_and_nothing_shines_through(service: Running, form: str) -> None:
    colours = picture(ask(service, "colours", form)).getcolors()
    assert colours
    assert {colour for _, colour in colours} == {(0, 0, 0, 255), (255, 255, 255, 255)}


@pytest.mark.parametrize("form", ["svg", "png"])
@pytest.mark.parametrize("text", ["a", "stageproof", "x" * 100, "x" * 1024], ids=lambda text: f"{len(text)} letters")
def test_a_code_has_error_correction_level_m(service: Running, form: str, text: str) -> None:
    assert read(picture(ask(service, text, form))).ec_level == "M"


def test_svg_is_the_default_format(service: Running) -> None:
    assert service.ask("/qr?text=a").body == service.ask("/qr?text=a&format=svg&scale=8").body


def test_the_same_request_gives_the_same_bytes(service: Running) -> None:
    assert ask(service, "same", "png").body == ask(service, "same", "png").body


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("text=a+b%2Bc", "a b+c"),
        (f"text={quote_plus('ä ö')}", "ä ö"),
        ("text=a;b", "a;b"),
        ("text=a=b==", "a=b=="),
        ("text=a/b?c", "a/b?c"),
        ("%74ext=a", "a"),
        ("format=svg&text=last", "last"),
        ("text=a&unknown=1&unknown=2", "a"),
    ],
)
def test_a_query_is_read_as_browsers_write_it(service: Running, query: str, text: str) -> None:
    answer = service.ask(f"/qr?{query}")
    assert answer.status == 200, answer.body
    assert read(picture(answer)).text == text
