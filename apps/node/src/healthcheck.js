// Runs every few seconds beside the server and in its memory limit: only Node's own modules, no framework.
import { get } from 'node:http';

import { ConfigError, readPort } from './config.js';

const DEADLINE_MS = 2000;

/**
 * Asks the server on this host whether it is healthy.
 * @param {string | undefined} port the value of PORT
 * @returns {Promise<string | undefined>} what is wrong, or undefined
 */
export async function probe(port) {
  try {
    const status = await healthStatus(readPort(port));
    return status === 200 ? undefined : `GET /healthz answered ${status}`;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    return error.name === 'AbortError' ? `no answer within ${DEADLINE_MS} ms` : error.message;
  }
}

function healthStatus(port) {
  return new Promise((resolve, reject) => {
    // 127.0.0.1 and not localhost, which may be IPv6 only; no agent, so that nothing is kept open.
    const address = { host: '127.0.0.1', port, path: '/healthz' };
    get({ ...address, agent: false, signal: AbortSignal.timeout(DEADLINE_MS) }, (response) => {
      response.destroy();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}
