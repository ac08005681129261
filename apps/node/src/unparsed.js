// Requests that Node's HTTP parser gives up on, or hands over as a bare socket: they never reach Fastify's hooks.
import { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';

import { declaresTooMuch } from './body.js';
import { COMMON_HEADERS } from './problem.js';

const BARE_STATUS = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

/**
 * Makes the listener for parser errors.
 * @param {(target: string) => import('./problem.js').Problem} refuse
 * @param {(request: object) => void} observe
 */
export function createErrorListener(refuse, observe) {
  return (error, socket) => {
    const line = requestLineWithUnknownMethod(error);
    if (line) refuseOnSocket(socket, line, refuse, observe);
    else end(socket, BARE_STATUS[error.code] ?? 400);
  };
}

/**
 * Adds the listeners without which Node answers by itself, or not at all.
 * @param {import('node:http').Server} server
 * @param {(target: string) => import('./problem.js').Problem} refuse
 * @param {(request: object) => void} observe
 */
export function answerWhatNodeWouldNot(server, refuse, observe) {
  server.on('connect', ({ method, url }, socket) => refuseOnSocket(socket, { method, target: url }, refuse, observe));
  // A client that asks first is not told to go on with a body that will be refused.
  server.on('checkContinue', (request, response) => {
    if (!declaresTooMuch(request)) response.writeContinue();
    server.emit('request', request, response);
  });
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/**
 * The request line around the place where the parser stopped, if it is one but for its method.
 * @param {{code?: string, rawPacket?: Buffer, bytesParsed?: number}} error
 * @returns {{method: string, target: string} | undefined}
 */
export function requestLineWithUnknownMethod({ code, rawPacket, bytesParsed }) {
  if (code !== 'HPE_INVALID_METHOD' || !rawPacket) return undefined;
  // A client may send several requests at once: the line begins after the last line break that was read.
  const read = rawPacket.subarray(0, bytesParsed);
  const text = rawPacket.toString('latin1', read.lastIndexOf('\n') + 1);
  const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]\r?\n/.exec(text);
  return line ? { method: line[1], target: line[2] } : undefined;
}

function refuseOnSocket(socket, { method, target }, refuse, observe) {
  const problem = refuse(target);
  end(socket, problem.status, problem.headers, String(problem));
  observe({ method, target, status: problem.status, seconds: 0 });
}

function end(socket, status, headers = {}, body = '') {
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const fields = { ...COMMON_HEADERS, ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}
