import { contentTooLarge } from './problem.js';

export const BODY_LIMIT = 65_536;

/** @param {import('node:http').IncomingMessage} message */
export function declaresTooMuch(message) {
  return Number(message.headers['content-length'] ?? 0) > BODY_LIMIT;
}

/**
 * Reads and drops a body, which no route has a use for, and refuses one above the limit: at once where its length is
 * declared, otherwise when it gets there. What follows an answered request is thrown away by Node, so that a client
 * that first writes everything still gets to read the answer; the time limit for requests ends the rest.
 * @param {import('node:http').IncomingMessage} message
 */
export async function dropBody(message) {
  if (declaresTooMuch(message)) throw contentTooLarge(BODY_LIMIT);
  if (!message.headers['content-length'] && !message.headers['transfer-encoding']) return;
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > BODY_LIMIT) break;
  }
  if (size > BODY_LIMIT) {
    message.resume();
    throw contentTooLarge(BODY_LIMIT);
  }
}
