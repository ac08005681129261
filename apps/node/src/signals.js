import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';

const SIGNALS = ['SIGTERM', 'SIGINT'];

/**
 * Watches SIGTERM and SIGINT from the first moment on.
 * @returns {AbortSignal} aborted when the process was told to stop; a second signal changes nothing
 */
export function watchSignals() {
  const controller = new AbortController();
  const early = process.pid === 1 && signalLostDuringBoot(readStatus());
  for (const name of SIGNALS) process.on(name, () => controller.abort());
  if (early) controller.abort();
  return controller.signal;
}

function readStatus() {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    return '';
  }
}

/**
 * Tells whether SIGTERM or SIGINT came before this program's first line.
 *
 * While Node boots, it catches both with a handler that puts the default action back and raises the signal again. The
 * kernel ignores a default action for PID 1, so the process lives on with the handler gone, and that is visible: one of
 * the two is still caught, the other is not. Both gone is no evidence.
 * @param {string} status the text of /proc/self/status
 */
export function signalLostDuringBoot(status) {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (mask === undefined) return false;
  const [term, interrupt] = SIGNALS.map((name) => (BigInt(`0x${mask}`) >> BigInt(constants.signals[name] - 1)) & 1n);
  return term !== interrupt;
}
