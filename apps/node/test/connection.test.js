// What only a real socket shows: requests that are cut, odd, or sent while the server stops.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';

import { createApp } from './support.js';

async function listen(t) {
  const { app, lines } = createApp();
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => app.server.closeAllConnections());
  t.after(() => app.close());
  lines.length = 0;
  return { app, lines, port: app.server.address().port };
}

/** Sends bytes and reads until the answer is whole or the connection ends. */
async function exchange(port, bytes, isWhole = () => false) {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  socket.write(bytes);
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (isWhole(answer)) break;
  }
  return answer;
}

const status = (answer) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
const bodyIsWhole = (answer) => {
  const [head, body] = answer.split('\r\n\r\n');
  return body !== undefined && body.length === Number(/content-length: (\d+)/i.exec(head)?.[1]);
};

for (const [method, target, expected] of [
  ['BREW', '/qr', 405], ['BREW', '/nope', 404], ['GETT', '/qr?text=a', 405], ['get', '/qr', 405],
  ['CONNECT', '/qr', 405], ['CONNECT', 'example.org:443', 404],
]) {
  test(`${method} ${target} is answered with a whole problem and counted`, async (t) => {
    const { app, lines, port } = await listen(t);
    const answer = await exchange(port, `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.equal(status(answer), expected);
    assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/);
    assert.match(answer, /\r\nX-Content-Type-Options: nosniff\r\n/);
    assert.equal(answer.includes('\r\nAllow: GET, HEAD\r\n'), expected === 405);
    assert.equal(JSON.parse(answer.split('\r\n\r\n')[1]).status, expected);
    const { body } = await app.inject('/metrics');
    const label = method === 'CONNECT' ? 'CONNECT' : 'other';
    const path = expected === 405 ? '/qr' : 'other';
    assert.ok(body.includes(`http_requests_total{method="${label}",path="${path}",status="${expected}"} 1`));
    assert.deepEqual([lines[0].method, lines[0].status], [method, expected]);
  });
}

test('an odd method after a good request is seen as the second request', async (t) => {
  const { port } = await listen(t);
  const bytes = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nBREW /qr HTTP/1.1\r\nHost: a\r\n\r\n';
  assert.equal((await exchange(port, bytes)).match(/HTTP\/1\.1 405 /g)?.length, 1);
});

for (const bytes of ['hello\r\n\r\n', '\x16\x03\x01\x02\x00\x01\r\n', 'GET / HTTP/9.9\r\n\r\n', 'BREW /qr\r\n\r\n']) {
  test(`${JSON.stringify(bytes)} is no HTTP: a bare 400 and the end`, async (t) => {
    const { port } = await listen(t);
    const answer = await exchange(port, bytes);
    assert.equal(status(answer), 400);
    assert.equal(answer.split('\r\n\r\n')[1], '');
  });
}

test('an absolute target and OPTIONS * are routed like any other', async (t) => {
  const { port } = await listen(t);
  const absolute = await exchange(port, 'GET http://a/healthz?x HTTP/1.1\r\nHost: a\r\n\r\n', bodyIsWhole);
  assert.equal(status(absolute), 200);
  const asterisk = await exchange(port, 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', bodyIsWhole);
  assert.equal(status(asterisk), 404);
  assert.match(asterisk, /urn:stageproof:problem:not-found/);
});

test('a declared length above the limit is refused before a byte of the body', async (t) => {
  const { port } = await listen(t);
  for (const line of ['POST /qr', 'GET /healthz', 'PUT /nope']) {
    const answer = await exchange(port, `${line} HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n`, bodyIsWhole);
    assert.equal(status(answer), 413);
  }
});

test('a client that asks first is not told to go on with a body that is too large', async (t) => {
  const { port } = await listen(t);
  const head = 'POST /qr HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ';
  assert.equal(status(await exchange(port, `${head}65537\r\n\r\n`, bodyIsWhole)), 413);
  const allowed = await exchange(port, `${head}65536\r\n\r\n`, (answer) => answer.includes('\r\n\r\n'));
  assert.equal(allowed, 'HTTP/1.1 100 Continue\r\n\r\n');
});

test('a chunked body is refused when it gets above the limit, and the connection lives on', async (t) => {
  const { port } = await listen(t);
  const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
  const head = 'POST /qr HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const next = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const refused = await exchange(port, `${head}${chunk.repeat(3)}0\r\n\r\n${next}`);
  assert.deepEqual(refused.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200']);
  const allowed = await exchange(port, `${head}${chunk.repeat(2)}0\r\n\r\n${next}`);
  assert.deepEqual(allowed.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 405', 'HTTP/1.1 200']);
});

test('a text that is far too long is still blamed by name', async (t) => {
  const { port } = await listen(t);
  const answer = await exchange(port, `GET /qr?text=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, bodyIsWhole);
  assert.equal(status(answer), 400);
  assert.match(answer, /"field":"text"/);
});

test('headers without end are refused', async (t) => {
  const { port } = await listen(t);
  const answer = await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`);
  assert.equal(status(answer), 431);
});

test('a connection that sends its headers too slowly is closed', async (t) => {
  const { app, port } = await listen(t);
  assert.equal(app.server.headersTimeout, 10_000);
  app.server.headersTimeout = 50;
  const silent = connect(port, '127.0.0.1').resume();
  assert.equal(status(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nX: ')), 408);
  await once(silent, 'close');
});
