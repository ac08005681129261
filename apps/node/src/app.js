import { Buffer } from 'node:buffer';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import Fastify, { LogController } from 'fastify';

import { dropBody } from './body.js';
import { PAGE } from './page.js';
import { COMMON_HEADERS, Problem, internal, methodNotAllowed, notFound } from './problem.js';
import { drawQr } from './qr.js';
import { parseQuery, readQrParameters } from './query.js';
import { decodedPath, pathOf, routableTarget } from './target.js';
import { answerWhatNodeWouldNot, createErrorListener } from './unparsed.js';

const NOT_LOGGED = new Set(['/healthz', '/readyz']);
const IMAGE_TYPES = { svg: 'image/svg+xml', png: 'image/png' };

const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  // How often Node looks for what is over these times; its default would let late headers live four times as long.
  connectionsCheckingInterval: 1000,
  // Room for a text that is far too long, so that the answer can say so.
  maxHeaderSize: 65_536,
};

/**
 * @typedef {object} Dependencies
 * @property {import('./config.js').Config} config
 * @property {import('pino').Logger} log
 * @property {ReturnType<typeof import('./metrics.js').createMetrics>} metrics
 * @property {() => 'starting' | 'ready' | 'draining'} readiness
 * @property {() => boolean} isClosing whether a connection is to end with its answer
 * @property {() => number} uptime in seconds
 */

/** @param {Dependencies} dependencies */
export function buildApp(dependencies) {
  const { log, isClosing } = dependencies;
  const routes = new Set();
  const observe = createObserver(dependencies, routes);
  const refuse = (target) => (routes.has(decodedPath(target)) ? methodNotAllowed() : notFound());

  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    http: SERVER_OPTIONS,
    requestTimeout: SERVER_OPTIONS.requestTimeout,
    rewriteUrl: ({ url }) => routableTarget(url),
    routerOptions: { querystringParser: parseQuery },
    return503OnClosing: false,
    clientErrorHandler: createErrorListener(refuse, observe),
  });
  answerWhatNodeWouldNot(app.server, refuse, observe);

  app.addHook('onRoute', ({ url }) => {
    routes.add(url);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(COMMON_HEADERS);
    await dropBody(request.raw);
    if (request.is404) throw refuse(request.originalUrl);
  });
  app.addHook('onSend', async (request, reply) => {
    if (isClosing()) reply.header('Connection', 'close');
  });
  app.addHook('onResponse', async ({ method, originalUrl }, { statusCode, elapsedTime }) => {
    observe({ method, target: originalUrl, status: statusCode, seconds: elapsedTime / 1000 });
    if (isClosing()) app.server.closeIdleConnections();
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = error instanceof Problem ? error : internal();
    if (problem !== error && !request.raw.destroyed) log.error({ err: error }, 'a request failed');
    reply.code(problem.status).headers({ ...COMMON_HEADERS, ...problem.headers });
    // Fastify adds a charset to a string of a JSON type, and this type has no parameters.
    return reply.send(Buffer.from(String(problem)));
  });

  addRoutes(app, dependencies);
  return app;
}

/** @param {import('fastify').FastifyInstance} app @param {Dependencies} dependencies */
function addRoutes(app, { config, metrics, readiness, uptime }) {
  app.get('/', async (request, reply) => reply.type('text/html; charset=utf-8').send(PAGE));

  app.get('/qr', async (request, reply) => {
    if (config.chaosDelay) await delay(config.chaosDelay * 1000);
    const parameters = readQrParameters(request.query);
    const image = drawQr(parameters);
    return reply.header('Cache-Control', 'public, max-age=86400').type(IMAGE_TYPES[parameters.format]).send(image);
  });

  app.get('/healthz', async (request, reply) => {
    const failing = uptime() >= (config.chaosUnhealthyAfter ?? Infinity);
    return reply.code(failing ? 503 : 200).send({ status: failing ? 'failing' : 'ok' });
  });

  app.get('/readyz', async (request, reply) => {
    const status = readiness();
    return reply.code(status === 'ready' ? 200 : 503).send({ status });
  });

  app.get('/version', async () => ({ stack: 'node', ...config.app, runtime: process.version }));

  app.get('/metrics', async (request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** Counts and logs a request, whichever way it was answered. */
function createObserver({ log, metrics }, routes) {
  return ({ method, target, status, seconds }) => {
    const known = decodedPath(target);
    const route = routes.has(known) ? known : undefined;
    metrics.observe({ method, route, status, seconds });
    if (NOT_LOGGED.has(route)) return;
    log.info({ method, path: pathOf(target), status, duration_ms: Math.round(seconds * 1e6) / 1e3 }, 'request');
  };
}
