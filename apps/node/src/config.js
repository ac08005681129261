/** A bad value in the environment; the message is the one line that people see. */
export class ConfigError extends Error {}

const LOG_LEVELS = ['debug', 'info', 'warning', 'error'];
const LONGEST_SECONDS = 3600;

/**
 * @typedef {object} Config
 * @property {number} port
 * @property {'debug' | 'info' | 'warning' | 'error'} logLevel
 * @property {number} drainSeconds
 * @property {number} shutdownSeconds
 * @property {{version: string, commit: string, built: string}} app
 * @property {number | undefined} chaosUnhealthyAfter seconds after the start, undefined is off
 * @property {number | undefined} chaosDelay seconds, undefined is off
 */

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Config}
 */
export function readConfig(env) {
  return {
    port: readPort(env.PORT),
    logLevel: oneOf('LOG_LEVEL', env.LOG_LEVEL ?? 'info', LOG_LEVELS),
    drainSeconds: wholeNumber('DRAIN_SECONDS', env.DRAIN_SECONDS ?? '1', 0, LONGEST_SECONDS),
    shutdownSeconds: wholeNumber('SHUTDOWN_SECONDS', env.SHUTDOWN_SECONDS ?? '8', 0, LONGEST_SECONDS),
    app: {
      version: env.APP_VERSION ?? '0.0.0',
      commit: env.APP_COMMIT ?? 'unknown',
      built: env.APP_BUILT ?? 'unknown',
    },
    chaosUnhealthyAfter: secondsOrOff('CHAOS_UNHEALTHY_AFTER', env.CHAOS_UNHEALTHY_AFTER),
    chaosDelay: secondsOrOff('CHAOS_DELAY', env.CHAOS_DELAY),
  };
}

/** @param {string | undefined} value */
export function readPort(value) {
  return wholeNumber('PORT', value ?? '8080', 1, 65535);
}

function secondsOrOff(name, value) {
  return value ? wholeNumber(name, value, 0, LONGEST_SECONDS) : undefined;
}

function wholeNumber(name, value, least, most) {
  const number = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (number >= least && number <= most) return number;
  // JSON keeps a line break in the value from becoming a second line.
  throw new ConfigError(`${name}: ${JSON.stringify(value)} is not a whole number from ${least} to ${most}`);
}

function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return value;
  throw new ConfigError(`${name}: ${JSON.stringify(value)} is not one of ${allowed.join(', ')}`);
}
