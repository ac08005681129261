import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { buildApp } from './app.js';
import { createLog } from './log.js';
import { createMetrics } from './metrics.js';

/**
 * Serves until it is told to stop.
 * @param {import('./config.js').Config} config
 * @param {AbortSignal} stop
 * @returns {Promise<number>} the exit code
 */
export async function serve(config, stop) {
  const log = createLog(config.logLevel);
  const state = { listening: false, closing: false };
  const app = buildApp({
    config,
    log,
    metrics: createMetrics(),
    readiness: () => (stop.aborted ? 'draining' : state.listening ? 'ready' : 'starting'),
    isClosing: () => state.closing,
    uptime: process.uptime,
  });
  const sockets = trackSockets(app.server);

  try {
    if (!stop.aborted) await listen(app, config.port);
  } catch (error) {
    log.error({ err: error }, 'cannot listen');
    return 1;
  }
  state.listening = true;

  if (!stop.aborted) await once(stop, 'abort');
  if (app.server.listening) {
    log.info({ drain_seconds: config.drainSeconds }, 'draining');
    await delay(config.drainSeconds * 1000);
    state.closing = true;
    await close(app, sockets, config.shutdownSeconds);
  }
  log.info('stopped');
  return 0;
}

async function listen(app, port) {
  const listenTextResolver = (address) => `listening at ${address}`;
  try {
    await app.listen({ port, host: '::', listenTextResolver });
  } catch (error) {
    // The kernel may have IPv6 off, altogether or for the addresses.
    if (error.code !== 'EAFNOSUPPORT' && error.code !== 'EADDRNOTAVAIL') throw error;
    await app.listen({ port, host: '0.0.0.0', listenTextResolver });
  }
}

/** Closes the socket at once, idle connections with it, and every other one when it is answered or out of time. */
async function close(app, sockets, seconds) {
  const deadline = setTimeout(() => app.server.closeAllConnections(), seconds * 1000);
  const closed = app.close();
  // Node takes a connection that never sent a byte for a busy one.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  await closed;
  clearTimeout(deadline);
}

function trackSockets(server) {
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}
