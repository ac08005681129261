// The program's one entry: `node src/main.js` serves, `node src/main.js healthcheck` asks the server next door.
// Everything heavy is imported after the signals are watched: as PID 1 a SIGTERM that nobody watches is lost.
import process from 'node:process';

import { watchSignals } from './signals.js';

/** @param {string} line @param {number} code */
function refuse(line, code) {
  process.stderr.write(`${line}\n`);
  process.exitCode = code;
}

async function main([command, ...rest]) {
  if (command === 'healthcheck' && rest.length === 0) {
    const { probe } = await import('./healthcheck.js');
    const problem = await probe(process.env.PORT);
    if (problem) refuse(`healthcheck: ${problem}`, 1);
    return;
  }
  if (command !== undefined) {
    refuse('usage: node src/main.js [healthcheck]', 2);
    return;
  }

  const stop = watchSignals();
  const { ConfigError, readConfig } = await import('./config.js');
  let config;
  try {
    config = readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    refuse(error.message, 2);
    return;
  }
  const { serve } = await import('./serve.js');
  // What is still open after the deadline, such as a connection's timer, must not hold the process.
  process.exit(await serve(config, stop));
}

await main(process.argv.slice(2));
