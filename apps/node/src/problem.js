/** An answer of RFC 9457, thrown where it is found and sent by the error handler. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} name the last part of the type
   * @param {string} title the same words for every problem of this type
   * @param {string} detail what is wrong in this request
   * @param {string} [field] the part of the request that is to blame
   */
  constructor(status, name, title, detail, field) {
    super(detail);
    this.status = status;
    this.body = { type: `urn:stageproof:problem:${name}`, title, status, detail, field };
  }

  /** What an answer needs besides the headers that every answer has. */
  get headers() {
    return { 'Content-Type': 'application/problem+json', ...(this.status === 405 && { Allow: 'GET, HEAD' }) };
  }

  toString() {
    return JSON.stringify(this.body);
  }
}

export function invalidParameter(field, detail) {
  return new Problem(400, 'invalid-parameter', 'Invalid parameter', detail, field);
}

export function notFound() {
  return new Problem(404, 'not-found', 'Not found', 'Nothing is at this path.');
}

export function methodNotAllowed() {
  return new Problem(405, 'method-not-allowed', 'Method not allowed', 'This path knows GET and HEAD only.');
}

export function contentTooLarge(limit) {
  const detail = `The body is larger than ${limit} bytes.`;
  return new Problem(413, 'content-too-large', 'Content too large', detail, 'body');
}

export function internal() {
  return new Problem(500, 'internal', 'Internal error', 'The request could not be answered.');
}

/** The headers that stand on every answer, until a route says otherwise. */
export const COMMON_HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' };
