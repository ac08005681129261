import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseQuery, readQrParameters } from '../src/query.js';

const read = (query) => readQrParameters(parseQuery(query));
const blames = (query) => {
  try {
    read(query);
  } catch ({ status, body }) {
    return `${status} ${body.field}`;
  }
  return 'nothing';
};

test('a text alone gets the default format and scale', () => {
  assert.deepEqual(read('text=hello'), { text: 'hello', format: 'svg', scale: 8 });
});

test('a plus is a space, and an escaped plus is a plus', () => {
  assert.equal(read('text=1+%2B+1').text, '1 + 1');
});

test('an equals sign in a value belongs to the value', () => {
  assert.equal(read('text=a=b').text, 'a=b');
});

test('UTF-8 is decoded, escaped or not', () => {
  assert.equal(read('text=%E2%82%AC').text, '€');
  assert.equal(read('text=\xe2\x82\xac').text, '€');
});

test('a byte order mark belongs to the text', () => {
  assert.equal(read('text=%EF%BB%BFa').text, '\ufeffa');
});

test('an escaped name is the same name', () => {
  assert.equal(read('te%78t=a').text, 'a');
});

test('unknown parameters are ignored, broken ones too', () => {
  assert.equal(read('text=a&x=1&x=2&%ff=3&__proto__=4&&=5').text, 'a');
});

test('1024 bytes are allowed and 1025 are not', () => {
  assert.equal(read(`text=${'%C3%A9'.repeat(512)}`).text.length, 512);
  assert.equal(blames(`text=${'%C3%A9'.repeat(512)}a`), '400 text');
});

for (const query of [
  '', 'format=png', 'text', 'text=', 'text=%', 'text=%4', 'text=%zz', 'text=%u0041', 'text=%ff',
  'text=%ED%A0%80', 'text=%C0%80', 'text=a&text=a', 'text=a&te%78t=b',
]) {
  test(`the query ${JSON.stringify(query)} is blamed on text`, () => assert.equal(blames(query), '400 text'));
}

for (const value of ['', 'PNG', 'gif', '%ff', 'svg&format=svg']) {
  test(`the format ${JSON.stringify(value)} is blamed on format`, () => {
    assert.equal(blames(`text=a&format=${value}`), '400 format');
  });
}

for (const value of ['', '0', '21', '-1', '%2B1', '1.0', '1e1', 'x', '%D9%A3', '%ff', '8%0A', '8&scale=8']) {
  test(`the scale ${JSON.stringify(value)} is blamed on scale`, () => {
    assert.equal(blames(`text=a&scale=${value}`), '400 scale');
  });
}
