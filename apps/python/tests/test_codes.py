from __future__ import annotations

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from PIL import Image

from qr.codes import draw

SVG = "{http://www.w3.org/2000/svg}"


def decode(png: bytes) -> zxingcpp.Barcode:
    found = zxingcpp.read_barcode(Image.open(BytesIO(png)).convert("L"))
    assert found
    return found


def modules_of_svg(svg: bytes) -> list[list[bool]]:
    """The dark modules, from the strokes of the one path that draws them."""
    root = ET.fromstring(svg)  # noqa: S314 - our own picture
    background, dark = root.iter(f"{SVG}path")
    side = int(background.attrib["d"].split("h")[1].split("v")[0])
    modules = [[False] * side for _ in range(side)]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", dark.attrib["d"]):
        step = [float(number) for number in numbers.split()]
        if command == "h":
            for column in range(int(x), int(x + step[0])):
                modules[int(y)][column] = True
            x += step[0]
        else:
            x, y = (x, y) if command == "m" else (0.0, 0.0)
            x, y = x + step[0], y + step[1]
    return modules


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "HELLO 123",
        "hello world",
        "é",
        "Ã©",
        "€",
        "日本語",
        "ｱｲｳ",
        "שלום",
        "🎉",
        "line\nline",
        "é" * 512,
        "🎉" * 256,
        "x" * 1024,
    ],
)
def test_a_reader_reads_what_was_written(text: str) -> None:
    assert decode(draw(text, "png", 3)).text == text


def test_the_level_is_m_even_where_a_higher_one_would_fit() -> None:
    assert decode(draw("x", "png", 3)).ec_level == "M"


@pytest.mark.parametrize("scale", [1, 8, 20])
def test_a_png_has_modules_and_quiet_zone_times_scale_pixels(scale: int) -> None:
    picture = Image.open(BytesIO(draw("hello", "png", scale))).convert("L")
    assert picture.size == ((21 + 8) * scale, (21 + 8) * scale)
    assert picture.getpixel((0, 0)) == 255
    assert picture.getpixel((4 * scale - 1, 4 * scale - 1)) == 255
    assert picture.getpixel((4 * scale, 4 * scale)) == 0


@pytest.mark.parametrize("scale", [1, 8, 20])
def test_an_svg_has_the_same_size_and_modules_as_the_png(scale: int) -> None:
    svg = draw("hello", "svg", scale)
    root = ET.fromstring(svg)  # noqa: S314 - our own picture
    assert root.attrib["width"] == root.attrib["height"] == str((21 + 8) * scale)
    png = Image.open(BytesIO(draw("hello", "png", 1))).convert("L")
    assert modules_of_svg(svg) == [[png.getpixel((x, y)) == 0 for x in range(29)] for y in range(29)]


def test_an_svg_is_black_on_a_white_background() -> None:
    background, dark = ET.fromstring(draw("hello", "svg", 1)).iter(f"{SVG}path")  # noqa: S314 - our own picture
    assert background.attrib["fill"] == "#fff"
    assert background.attrib["d"] == "M0 0h29v29h-29z"
    assert dark.attrib["stroke"] == "#000"
