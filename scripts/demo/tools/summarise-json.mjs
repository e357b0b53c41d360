// An agent as anybody would write one: reads the file, tells how it goes, leaves an output, prints the result.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [file] = process.argv.slice(2);
const event = (type, payload) =>
  console.log(
    JSON.stringify({ type, agent: 'summarise-json', timestamp: new Date().toISOString(), payload }),
  );

event('status', { text: 'reading' });
const value = JSON.parse(readFileSync(file, 'utf8'));
const keys = Array.isArray(value) ? [] : Object.keys(value);
const summary = {
  type: Array.isArray(value) ? 'array' : typeof value,
  entries: Array.isArray(value) ? value.length : keys.length,
  keys,
};
writeFileSync(join(process.env.SLUICE_OUTPUT_DIR, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
event('progress', { progress: 1 });
console.log(
  `${summary.type} with ${summary.entries} entries${keys.length > 0 ? `: ${keys.join(', ')}` : ''}`,
);
