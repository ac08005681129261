import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';

import { invalidParameter } from './problem.js';

const TEXT_BYTES = 1024;
const FORMATS = ['svg', 'png'];
const LARGEST_SCALE = 20;
const DEFAULT_SCALE = 8;

/**
 * Parses a query so that nothing is guessed: every value of a name is kept, and what is not UTF-8 is seen as such.
 * @param {string} query without the question mark, one character a byte, as Node gives it
 * @returns {Record<string, (string | undefined)[]>} undefined stands for a value that is not UTF-8
 */
export function parseQuery(query) {
  const values = Object.create(null);
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (name) (values[name] ??= []).push(equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  return values;
}

function decode(raw) {
  if (/%(?![0-9a-f]{2})/i.test(raw)) return undefined;
  const bytes = raw.replaceAll('+', ' ').replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    // Without ignoreBOM the decoder would drop a byte order mark that is part of the text.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return undefined;
  }
}

/**
 * Reads the parameters of `/qr`, or throws the problem that names the first wrong one.
 * @param {ReturnType<typeof parseQuery>} query
 * @returns {{text: string, format: 'svg' | 'png', scale: number}}
 */
export function readQrParameters(query) {
  return { text: readText(query.text), format: readFormat(query.format), scale: readScale(query.scale) };
}

function readText(values) {
  if (values === undefined) throw invalidParameter('text', 'text is missing.');
  onlyOnce('text', values);
  const [text] = values;
  if (text === undefined) throw invalidParameter('text', 'text is not percent-encoded UTF-8.');
  if (text === '' || Buffer.byteLength(text) > TEXT_BYTES) {
    throw invalidParameter('text', `text is not 1 to ${TEXT_BYTES} bytes long.`);
  }
  return text;
}

function readFormat(values = ['svg']) {
  onlyOnce('format', values);
  if (!FORMATS.includes(values[0])) throw invalidParameter('format', `format is not one of ${FORMATS.join(', ')}.`);
  return values[0];
}

function readScale(values = [String(DEFAULT_SCALE)]) {
  onlyOnce('scale', values);
  const scale = /^[0-9]+$/.test(values[0]) ? Number(values[0]) : NaN;
  if (!(scale >= 1 && scale <= LARGEST_SCALE)) {
    throw invalidParameter('scale', `scale is not a whole number from 1 to ${LARGEST_SCALE}.`);
  }
  return scale;
}

function onlyOnce(field, values) {
  if (values.length > 1) throw invalidParameter(field, `${field} is given more than once.`);
}
