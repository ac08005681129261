// The program as it is started: exit codes, output, signals and the self-probe.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';

import { readConfig } from '../src/config.js';
import { serve } from '../src/serve.js';
import { eventually, freePort, startProgram, startServer } from './support.js';

const logOf = ({ stdout }) => stdout.trim().split('\n').map((line) => JSON.parse(line));

async function answersDraining(url) {
  const answer = await fetch(`${url}/readyz`, { headers: { Connection: 'close' } });
  return answer.status === 503 && (await answer.json()).status === 'draining';
}

test('a bad port ends the start with code 2 and one line', async () => {
  const { code, stdout, stderr } = await startProgram({ PORT: 'abc' }).ended;
  assert.equal(stderr, 'PORT: "abc" is not a whole number from 1 to 65535\n');
  assert.deepEqual([code, stdout], [2, '']);
});

test('an unknown argument ends the start with code 2 and the usage', async () => {
  const { code, stdout, stderr } = await startProgram({}, ['serve']).ended;
  assert.deepEqual([code, stdout, stderr], [2, '', 'usage: node src/main.js [healthcheck]\n']);
});

test('a port that is taken ends the start with code 1 and a log line', async (t) => {
  const { port } = await startServer(t);
  const second = await startProgram({ PORT: String(port) }).ended;
  assert.equal(second.code, 1);
  assert.deepEqual(logOf(second).map(({ level, err }) => [level, err.code]), [['error', 'EADDRINUSE']]);
});

test('it answers on IPv4 and IPv6', async (t) => {
  const { port } = await startServer(t);
  for (const host of ['127.0.0.1', '[::1]']) {
    assert.equal((await fetch(`http://${host}:${port}/healthz`)).status, 200);
  }
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} ends an idle server with code 0, and every line was JSON`, async (t) => {
    const { child, ended } = await startServer(t);
    child.kill(signal);
    const end = await ended;
    assert.deepEqual([end.code, end.stderr], [0, '']);
    for (const line of logOf(end)) assert.deepEqual(Object.keys(line).slice(0, 2), ['level', 'time']);
    assert.equal(logOf(end).at(-1).message, 'stopped');
  });
}

test('a signal before it listens ends with code 0, and nobody was let in', async () => {
  const port = await freePort();
  const config = readConfig({ PORT: String(port), DRAIN_SECONDS: '60', LOG_LEVEL: 'error' });
  assert.equal(await serve(config, AbortSignal.abort()), 0);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/readyz`));
});

test('draining: not ready at once, still answering, then the request in flight is finished', async (t) => {
  const { child, ended, url } = await startServer(t, { DRAIN_SECONDS: '1', CHAOS_DELAY: '2' });
  const agent = new Agent({ keepAlive: true });
  const slow = get(`${url}/qr?text=a`, { agent });
  await once(slow, 'socket');
  await eventually(async () => (await fetch(`${url}/healthz`)).ok, 'the slow request is on its way');
  child.kill('SIGTERM');
  await eventually(() => answersDraining(url), 'readiness says draining');
  assert.equal((await fetch(`${url}/version`)).status, 200);
  const [response] = await once(slow, 'response');
  response.resume();
  assert.deepEqual([response.statusCode, response.headers.connection], [200, 'close']);
  assert.equal((await ended).code, 0);
});

test('a request that outlives the deadline is cut, and the code is still 0', async (t) => {
  const { child, ended, url } = await startServer(t, { SHUTDOWN_SECONDS: '0', CHAOS_DELAY: '60' });
  const slow = get(`${url}/qr?text=a`);
  const cut = once(slow, 'error');
  await once(slow, 'finish');
  await eventually(async () => (await fetch(`${url}/healthz`)).ok, 'the slow request is on its way');
  child.kill('SIGTERM');
  assert.equal((await cut)[0].code, 'ECONNRESET');
  assert.equal((await ended).code, 0);
});

test('idle and silent connections do not hold the stop', async (t) => {
  const { child, ended, port, url } = await startServer(t, { SHUTDOWN_SECONDS: '60' });
  const silent = connect(port, '127.0.0.1').on('error', () => {}).resume();
  await once(silent, 'connect');
  await (await fetch(`${url}/healthz`)).text();
  child.kill('SIGTERM');
  const [end] = await Promise.all([ended, once(silent, 'close')]);
  assert.equal(end.code, 0);
});

test('the self-probe succeeds on a healthy server and prints nothing', async (t) => {
  const { port } = await startServer(t);
  const { code, stdout, stderr } = await startProgram({ PORT: String(port) }, ['healthcheck']).ended;
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
});

test('the self-probe fails with the status of a failing server', async (t) => {
  const { port } = await startServer(t, { CHAOS_UNHEALTHY_AFTER: '0' });
  const { code, stderr } = await startProgram({ PORT: String(port) }, ['healthcheck']).ended;
  assert.deepEqual([code, stderr], [1, 'healthcheck: GET /healthz answered 503\n']);
});

test('the self-probe fails where nothing listens, and on a bad port', async () => {
  const nobody = await startProgram({ PORT: String(await freePort()) }, ['healthcheck']).ended;
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /^healthcheck: .*ECONNREFUSED.*\n$/);
  const bad = await startProgram({ PORT: 'abc' }, ['healthcheck']).ended;
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /^healthcheck: PORT: "abc" is not/);
});

test('the self-probe gives up on a server that never answers', async (t) => {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { code, stderr } = await startProgram({ PORT: String(server.address().port) }, ['healthcheck']).ended;
  assert.deepEqual([code, stderr], [1, 'healthcheck: no answer within 2000 ms\n']);
});
