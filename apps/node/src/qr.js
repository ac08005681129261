import { correction, generate, mode } from 'lean-qr';
import { toPngBuffer } from 'lean-qr/extras/node_export';
import { toSvgSource } from 'lean-qr/extras/svg';

// The lower bound alone would let the level rise where there is room.
const LEVEL_M = { minCorrectionLevel: correction.M, maxCorrectionLevel: correction.M };
// No Latin-1 and no Shift JIS: many readers take their bytes for UTF-8.
const MODES = { modes: [mode.numeric, mode.alphaNumeric, mode.ascii, mode.utf8] };
const QUIET_ZONE = { pad: 4 };

const RENDERERS = {
  svg: (code, scale) => toSvgSource(code, { ...QUIET_ZONE, scale, on: '#000', off: '#fff' }),
  png: (code, scale) => toPngBuffer(code, { ...QUIET_ZONE, scale, on: [0, 0, 0], off: [255, 255, 255] }),
};

/**
 * Draws the QR code of a text.
 * @param {{text: string, format: 'svg' | 'png', scale: number}} parameters scale is pixels a module
 * @returns {string | Buffer}
 */
export function drawQr({ text, format, scale }) {
  return RENDERERS[format](generate(text, { ...LEVEL_M, ...MODES }), scale);
}
