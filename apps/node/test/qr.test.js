import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';

import decodeQr from 'qr/decode.js';

import { drawQr } from '../src/qr.js';

const QUIET_ZONE = 4;
const TEXTS = {
  'a number': '0123456789',
  'capital letters': 'HELLO WORLD',
  'an address': 'https://example.org/?a=1&b=2',
  'text that is not English': 'Grüße, мир, 世界, 🎉',
  'a zero byte': 'a\0b',
  'the longest text': 'x'.repeat(1024),
};

for (const [name, text] of Object.entries(TEXTS)) {
  test(`a PNG of ${name} can be read`, () => {
    const { width, isDark } = readPng(drawQr({ text, format: 'png', scale: 4 }));
    assert.equal(decode(width, isDark), text);
  });

  test(`an SVG of ${name} can be read`, () => {
    const { side, isDark } = readSvg(drawQr({ text, format: 'svg', scale: 1 }));
    assert.equal(decode(side * 4, (x, y) => isDark(x >> 2, y >> 2)), text);
  });
}

for (const scale of [1, 8, 20]) {
  test(`at scale ${scale} a picture has (modules + 8) × ${scale} pixels on a side`, () => {
    const { side, width: svgWidth, height: svgHeight } = readSvg(drawQr({ text: 'hello', format: 'svg', scale }));
    const { width, height } = readPng(drawQr({ text: 'hello', format: 'png', scale }));
    assert.equal(side, 21 + 2 * QUIET_ZONE);
    assert.deepEqual([width, height, svgWidth, svgHeight], Array(4).fill(side * scale));
  });
}

test('the quiet zone is white and the finder begins right after it', () => {
  const { width, isDark } = readPng(drawQr({ text: 'hello', format: 'png', scale: 1 }));
  const border = Array.from({ length: width }, (_, x) => [0, 1, 2, 3].some((y) => isDark(x, y) || isDark(y, x)));
  assert.deepEqual(new Set(border), new Set([false]));
  assert.equal(isDark(QUIET_ZONE, QUIET_ZONE), true);
});

test('the level is M, also where a higher one would fit', () => {
  const { isDark } = readPng(drawQr({ text: 'a', format: 'png', scale: 1 }));
  // The first two format bits, without their mask 10, are the level; M is 00.
  const bits = [0, 1].map((x) => isDark(QUIET_ZONE + x, QUIET_ZONE + 8));
  assert.deepEqual(bits, [true, false]);
});

test('an SVG is black on a white background of its own', () => {
  const svg = drawQr({ text: 'hello', format: 'svg', scale: 1 });
  assert.match(svg, /<rect x="-4" y="-4" width="29" height="29" fill="#fff">/);
  assert.match(svg, /<path [^>]*fill="#000"/);
});

function decode(side, isDark) {
  const data = new Uint8Array(side * side * 3).map((_, i) => {
    const pixel = Math.floor(i / 3);
    return isDark(pixel % side, Math.floor(pixel / side)) ? 0 : 255;
  });
  return decodeQr({ width: side, height: side, data });
}

/** Reads the one kind of PNG that is written here: one bit a pixel, white and black as its palette, no filter. */
function readPng(png) {
  const chunks = {};
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    chunks[png.toString('latin1', at + 4, at + 8)] = png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
  }
  const [width, height] = [chunks.IHDR.readUInt32BE(0), chunks.IHDR.readUInt32BE(4)];
  assert.deepEqual([...chunks.IHDR.subarray(8)], [1, 3, 0, 0, 0]);
  assert.deepEqual(chunks.PLTE, Buffer.from('ffffff000000', 'hex'));
  const rows = inflateSync(chunks.IDAT);
  const stride = 1 + Math.ceil(width / 8);
  assert.equal(rows.length, stride * height);
  return { width, height, isDark: (x, y) => ((rows[y * stride + 1 + (x >> 3)] >> (7 - (x & 7))) & 1) === 1 };
}

/** Fills the outlines of the SVG's path, a module at a time. */
function readSvg(svg) {
  const [, origin, side] = /viewBox="(-?\d+) -?\d+ (\d+) \d+"/.exec(svg).map(Number);
  const [, width, height] = / width="(\d+)" height="(\d+)"/.exec(svg).map(Number);
  const outlines = / d="([^"]+)"/.exec(svg)[1].match(/M[^Z]+/g).map((outline) => outline.slice(1).split('L'));
  const walls = new Set();
  for (const points of outlines.map((outline) => outline.map((point) => point.split(' ').map(Number)))) {
    points.forEach(([x, y], i) => {
      const [nextX, nextY] = points[(i + 1) % points.length];
      if (x === nextX) walls.add(`${x} ${Math.min(y, nextY)}`);
    });
  }
  const rows = Array.from({ length: side }, (_, y) => {
    let dark = false;
    return Array.from({ length: side }, (__, x) => (dark = dark !== walls.has(`${x + origin} ${y + origin}`)));
  });
  return { side, width, height, isDark: (x, y) => rows[y][x] };
}
