import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

// A client may invent methods; each would be a time series of its own.
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE']);

/** The counters of one server, in a registry of their own, so that tests do not share them. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'path', 'status'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer.',
    labelNames: ['method', 'path'],
    registers: [registry],
  });
  return {
    registry,
    /** @param {{method: string, route: string | undefined, status: number, seconds: number}} request */
    observe({ method, route, status, seconds }) {
      const labels = { method: METHODS.has(method) ? method : 'other', path: route ?? 'other' };
      requests.inc({ ...labels, status });
      durations.observe(labels, seconds);
    },
  };
}
