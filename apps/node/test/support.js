// What several test files need: an app without a process around it, and a process with a port of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { buildApp } from '../src/app.js';
import { readConfig } from '../src/config.js';
import { createLog } from '../src/log.js';
import { createMetrics } from '../src/metrics.js';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const DEADLINE_MS = 20_000;

/** An app, and the log lines that it writes. */
export function createApp({ env = {}, ...overrides } = {}) {
  const lines = [];
  const log = createLog('debug', { write: (line) => lines.push(JSON.parse(line)) });
  const app = buildApp({
    config: readConfig(env),
    log,
    metrics: createMetrics(),
    readiness: () => 'ready',
    isClosing: () => false,
    uptime: () => 0,
    ...overrides,
  });
  return { app, lines };
}

/** Waits until a condition gives something true, and returns that. */
export async function eventually(condition, what) {
  const end = Date.now() + DEADLINE_MS;
  while (Date.now() < end) {
    const value = await condition();
    if (value) return value;
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
  throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
}

export async function freePort() {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts the program; `ended` resolves to its code, signal and output. */
export function startProgram(env = {}, args = []) {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of Object.keys(output)) {
    child[name].setEncoding('utf8').on('data', (text) => { output[name] += text; });
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));
  return { child, ended, output };
}

/** Starts the server and waits until it is ready; the test's end is the server's end. */
export async function startServer(t, env = {}) {
  const port = await freePort();
  const program = startProgram({ PORT: String(port), DRAIN_SECONDS: '0', ...env });
  t.after(() => program.child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const isReady = () => fetch(`${url}/readyz`).then((answer) => answer.ok, () => false);
  await eventually(isReady, `the server is ready: ${program.output.stderr}`);
  return { ...program, port, url };
}
