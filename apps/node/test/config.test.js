import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigError, readConfig } from '../src/config.js';

test('an empty environment gives the defaults', () => {
  assert.deepEqual(readConfig({}), {
    port: 8080,
    logLevel: 'info',
    drainSeconds: 1,
    shutdownSeconds: 8,
    app: { version: '0.0.0', commit: 'unknown', built: 'unknown' },
    chaosUnhealthyAfter: undefined,
    chaosDelay: undefined,
  });
});

test('every variable is read', () => {
  const config = readConfig({
    PORT: '65535', LOG_LEVEL: 'warning', DRAIN_SECONDS: '0', SHUTDOWN_SECONDS: '3600',
    APP_VERSION: '1.2.3', APP_COMMIT: 'abc', APP_BUILT: 'today', CHAOS_UNHEALTHY_AFTER: '0', CHAOS_DELAY: '5',
  });
  assert.deepEqual(config, {
    port: 65535,
    logLevel: 'warning',
    drainSeconds: 0,
    shutdownSeconds: 3600,
    app: { version: '1.2.3', commit: 'abc', built: 'today' },
    chaosUnhealthyAfter: 0,
    chaosDelay: 5,
  });
});

test('an empty chaos variable is off', () => {
  const { chaosDelay, chaosUnhealthyAfter } = readConfig({ CHAOS_DELAY: '', CHAOS_UNHEALTHY_AFTER: '' });
  assert.deepEqual([chaosDelay, chaosUnhealthyAfter], [undefined, undefined]);
});

for (const value of ['abc', '', '0', '65536', '-1', '+80', '8080 ', '80.0', '1e3', '0x50', '٣', '9'.repeat(400)]) {
  test(`the port ${JSON.stringify(value)} is refused by name`, () => {
    const message = `PORT: ${JSON.stringify(value)} is not a whole number from 1 to 65535`;
    assert.throws(() => readConfig({ PORT: value }), new ConfigError(message));
  });
}

for (const name of ['DRAIN_SECONDS', 'SHUTDOWN_SECONDS', 'CHAOS_UNHEALTHY_AFTER', 'CHAOS_DELAY']) {
  test(`${name} above an hour is refused by name`, () => {
    const message = `${name}: "3601" is not a whole number from 0 to 3600`;
    assert.throws(() => readConfig({ [name]: '3601' }), new ConfigError(message));
  });
}

test('a log level of another framework is refused with the ones there are', () => {
  const message = 'LOG_LEVEL: "warn" is not one of debug, info, warning, error';
  assert.throws(() => readConfig({ LOG_LEVEL: 'warn' }), new ConfigError(message));
});

test('a line break in a value does not make a second line', () => {
  assert.throws(() => readConfig({ PORT: '80\n80' }), ({ message }) => !message.includes('\n'));
});
