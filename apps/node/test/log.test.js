import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createLog } from '../src/log.js';

for (const [level, written] of [
  ['debug', ['debug', 'info', 'warning', 'error', 'error']],
  ['info', ['info', 'warning', 'error', 'error']],
  ['warning', ['warning', 'error', 'error']],
  ['error', ['error', 'error']],
]) {
  test(`at ${level} the levels ${written.join(', ')} are written, by these names`, () => {
    const lines = [];
    const log = createLog(level, { write: (line) => lines.push(JSON.parse(line)) });
    for (const method of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) log[method]('hello');
    assert.deepEqual(lines.map((line) => line.level), written);
    assert.deepEqual(Object.keys(lines[0]), ['level', 'time', 'message']);
  });
}
