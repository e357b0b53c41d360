import { styleText } from 'node:util';

/** Colour on a terminal, and only there (`NO_COLOR` is respected). */
export function paint(color: 'red' | 'green' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string): string {
  return styleText(color, text, { stream: process.stdout, validateStream: true });
}
