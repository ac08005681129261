/**
 * The path of a request target, as the client wrote it: without the query, and without the origin of an absolute form.
 * @param {string} target
 */
export function pathOf(target) {
  return /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i.exec(target)[1];
}

/**
 * The path with its percent-encoding undone, or undefined for what is no path.
 * @param {string} target
 */
export function decodedPath(target) {
  const path = pathOf(target);
  if (!path.startsWith('/')) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/**
 * A target that the router can take. It would answer what is no path by itself, past every hook.
 * @param {string} target
 */
export function routableTarget(target) {
  return decodedPath(target) === undefined ? '/no-path' : target;
}
