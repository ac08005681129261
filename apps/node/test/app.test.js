import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { test } from 'node:test';

import { createApp } from './support.js';

const get = (url, options) => createApp(options).app.inject(url);

test('the page has a form that sends its three fields to /qr', async () => {
  const { statusCode, headers, body } = await get('/');
  assert.equal(statusCode, 200);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.match(body, /<form action="\/qr" method="get"/);
  const names = [...body.matchAll(/<(?:textarea|select|input) [^>]*name="([a-z]+)"/g)].map(([, name]) => name);
  assert.deepEqual(names, ['text', 'format', 'scale']);
});

test('a code is an SVG, or a PNG on request', async () => {
  const svg = await get('/qr?text=hello');
  assert.deepEqual([svg.statusCode, svg.headers['content-type']], [200, 'image/svg+xml']);
  assert.match(svg.body, /^<svg /);
  const png = await get('/qr?text=hello&format=png');
  assert.deepEqual([png.statusCode, png.headers['content-type']], [200, 'image/png']);
  assert.deepEqual(png.rawPayload.subarray(0, 4), Buffer.from('\x89PNG', 'latin1'));
});

test('a wrong parameter is a problem that names it', async () => {
  const { statusCode, headers, body } = await get('/qr?text=hello&scale=21');
  assert.equal(statusCode, 400);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.deepEqual(JSON.parse(body), {
    type: 'urn:stageproof:problem:invalid-parameter',
    title: 'Invalid parameter',
    status: 400,
    detail: 'scale is not a whole number from 1 to 20.',
    field: 'scale',
  });
});

for (const path of ['/nope', '/qr/', '/QR', '//qr', '/%zz', '/%ff', '/no-path', '/*', '/__proto__']) {
  for (const method of ['GET', 'POST']) {
    test(`${method} ${path} is not found`, async () => {
      const { statusCode, headers, body } = await get({ method, url: path });
      assert.deepEqual([statusCode, headers['content-type']], [404, 'application/problem+json']);
      assert.equal(JSON.parse(body).type, 'urn:stageproof:problem:not-found');
    });
  }
}

for (const path of ['/', '/qr', '/healthz', '/readyz', '/version', '/metrics', '/q%72?text=a']) {
  test(`${path} knows GET and HEAD only`, async () => {
    const { app } = createApp();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const headers = { 'content-type': 'no/such+type' };
      const answer = await app.inject({ method, url: path, headers, payload: 'a body' });
      assert.deepEqual([method, answer.statusCode, answer.headers.allow], [method, 405, 'GET, HEAD']);
      assert.equal(JSON.parse(answer.body).type, 'urn:stageproof:problem:method-not-allowed');
    }
  });
}

for (const path of ['/', '/qr?text=a&format=png', '/qr', '/healthz', '/readyz', '/version', '/nope']) {
  test(`HEAD ${path} is GET without the body`, async () => {
    const { app } = createApp();
    const [full, head] = [await app.inject(path), await app.inject({ method: 'HEAD', url: path })];
    assert.deepEqual([head.statusCode, head.body], [full.statusCode, '']);
    assert.equal(head.headers['content-type'], full.headers['content-type']);
    assert.equal(head.headers['content-length'], full.headers['content-length']);
  });
}

test('every answer forbids sniffing, and only codes may be cached', async () => {
  const { app } = createApp();
  for (const [url, cache] of [
    ['/qr?text=a', 'public, max-age=86400'], ['/qr', 'no-store'], ['/', 'no-store'], ['/healthz', 'no-store'],
    ['/readyz', 'no-store'], ['/version', 'no-store'], ['/metrics', 'no-store'], ['/nope', 'no-store'],
    ['/%zz', 'no-store'],
  ]) {
    const { headers } = await app.inject(url);
    assert.deepEqual([url, headers['cache-control']], [url, cache]);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.ok(Number(headers['content-length']) > 0);
  }
});

test('a body at the limit is taken, and one above it is refused on any path and method', async () => {
  const { app } = createApp();
  for (const [method, url] of [['GET', '/healthz'], ['POST', '/qr'], ['PUT', '/nope']]) {
    const allowed = await app.inject({ method, url, payload: Buffer.alloc(65_536) });
    assert.notEqual(allowed.statusCode, 413);
    const refused = await app.inject({ method, url, payload: Buffer.alloc(65_537) });
    assert.equal(refused.statusCode, 413);
    const { type, field } = JSON.parse(refused.body);
    assert.deepEqual([type, field], ['urn:stageproof:problem:content-too-large', 'body']);
  }
});

test('what nobody foresaw is a problem that tells nothing, and an error in the log', async () => {
  const readiness = () => { throw new Error('secret of /src/app.js'); };
  const { app, lines } = createApp({ readiness });
  const { statusCode, headers, body } = await app.inject('/readyz');
  assert.deepEqual([statusCode, headers['content-type']], [500, 'application/problem+json']);
  assert.equal(JSON.parse(body).type, 'urn:stageproof:problem:internal');
  assert.doesNotMatch(body, /secret|src|Error:/);
  assert.deepEqual([lines[0].level, lines[0].err.message], ['error', 'secret of /src/app.js']);
});

test('readiness is 200 when ready and 503 otherwise', async () => {
  for (const [status, code] of [['starting', 503], ['ready', 200], ['draining', 503]]) {
    const answer = await get('/readyz', { readiness: () => status });
    assert.deepEqual([answer.statusCode, answer.json()], [code, { status }]);
  }
});

test('health fails when it is told to, and not before', async () => {
  const env = { CHAOS_UNHEALTHY_AFTER: '3' };
  const before = await get('/healthz', { env, uptime: () => 2.9 });
  assert.deepEqual([before.statusCode, before.json()], [200, { status: 'ok' }]);
  const after = await get('/healthz', { env, uptime: () => 3 });
  assert.deepEqual([after.statusCode, after.json()], [503, { status: 'failing' }]);
});

test('the version is what the environment says', async () => {
  const answer = await get('/version', { env: { APP_VERSION: '1.2.3', APP_COMMIT: 'abc', APP_BUILT: 'today' } });
  const expected = { stack: 'node', version: '1.2.3', commit: 'abc', built: 'today', runtime: process.version };
  assert.deepEqual(answer.json(), expected);
  assert.match(answer.headers['content-type'], /^application\/json/);
});

test('metrics count by route, and lump together what clients invent', async () => {
  const { app } = createApp();
  for (const url of ['/qr?text=a', '/qr', '/nope', '/healthz']) await app.inject(url);
  await app.inject({ method: 'PROPFIND', url: '/q%72' });
  await app.inject('/metrics');
  const { headers, body } = await app.inject('/metrics');
  assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const counted = body.split('\n').filter((line) => line.startsWith('http_requests_total'));
  assert.deepEqual(counted, [
    'http_requests_total{method="GET",path="/qr",status="200"} 1',
    'http_requests_total{method="GET",path="/qr",status="400"} 1',
    'http_requests_total{method="GET",path="other",status="404"} 1',
    'http_requests_total{method="GET",path="/healthz",status="200"} 1',
    'http_requests_total{method="other",path="/qr",status="405"} 1',
    'http_requests_total{method="GET",path="/metrics",status="200"} 1',
  ]);
  assert.match(body, /^http_request_duration_seconds_count\{method="GET",path="\/qr"\} 2$/m);
});

test('a request is one log line, without its query', async () => {
  const { app, lines } = createApp();
  await app.inject('/qr?text=private');
  const [{ time, duration_ms: duration, ...rest }, ...more] = lines;
  assert.deepEqual(rest, { level: 'info', message: 'request', method: 'GET', path: '/qr', status: 200 });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(duration > 0 && duration < 10_000);
  assert.deepEqual(more, []);
});

test('health paths are not logged', async () => {
  const { app, lines } = createApp();
  for (const url of ['/healthz', '/readyz', '/health%7A']) await app.inject(url);
  assert.deepEqual(lines, []);
});
