import assert from 'node:assert/strict';
import { test } from 'node:test';

import { signalLostDuringBoot } from '../src/signals.js';

const status = (caught) => `Name:\tnode\nSigIgn:\t0000000001001000\nSigCgt:\t${caught}\nCapInh:\t0000000000000000\n`;

test('a boot without a signal leaves both caught', () => {
  assert.equal(signalLostDuringBoot(status('0000000100004602')), false);
});

test('SIGTERM during the boot leaves only SIGINT caught', () => {
  assert.equal(signalLostDuringBoot(status('0000000100000602')), true);
});

test('SIGINT during the boot leaves only SIGTERM caught', () => {
  assert.equal(signalLostDuringBoot(status('0000000100004600')), true);
});

test('neither caught is no evidence, as under a Node that boots otherwise', () => {
  assert.equal(signalLostDuringBoot(status('0000000000000000')), false);
});

test('no status at all is no evidence', () => {
  assert.equal(signalLostDuringBoot(''), false);
});
