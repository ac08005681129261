import { pino } from 'pino';

// Where the contract's name of a level differs from pino's.
const TO_PINO = { warning: 'warn' };
const FROM_PINO = { warn: 'warning', fatal: 'error' };

/**
 * A logger that writes one JSON object a line, at once and without a buffer that a crash could lose.
 * @param {string} level the contract's name of the lowest level to write
 * @param {import('pino').DestinationStream} [destination] standard output if left out
 */
export function createLog(level, destination = pino.destination({ dest: 1, sync: true })) {
  return pino(
    {
      level: TO_PINO[level] ?? level,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: FROM_PINO[label] ?? label }) },
      base: undefined,
    },
    destination,
  );
}
