#!/usr/bin/env node
// An agent CLI that needs no model: it repeats the first line of its prompt. It does what agent CLIs do: takes the prompt by
// stdin, writes one JSON object a line, has modes, refuses what it may not do and goes on.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

const help = `parrot: repeats the first line of what it is told

  --json            one JSON object a line
  --may MODE        read, edit or all
  --dir DIR         a further folder that it may work in
  --model NAME
  --loud            in capitals
  --resume SESSION
`;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    may: { type: 'string', default: 'read' },
    dir: { type: 'string', multiple: true },
    model: { type: 'string' },
    loud: { type: 'boolean' },
    resume: { type: 'string' },
    help: { type: 'boolean' },
    version: { type: 'boolean' },
  },
});
if (values.version) console.log('parrot 1.4.2');
else if (values.help) console.log(help);
else await work();

async function work() {
  const say = (line) => console.log(JSON.stringify(line));
  const prompt = await text(process.stdin);
  say({ is: 'start', session: values.resume ?? randomUUID(), model: values.model ?? 'polly-1' });
  const [first = ''] = prompt.trim().split('\n');
  const [, path] = /^write (\S+)$/m.exec(prompt) ?? [];
  if (path !== undefined) {
    say({ is: 'tool', tool: 'write', path });
    if (values.may === 'read') say({ is: 'denied', tool: 'write', path });
    else writeFileSync(path, `${first}\n`);
  }
  if (/^be rate limited$/m.test(prompt)) {
    say({ is: 'error', text: 'Too many requests, try again in 30s' });
    say({ is: 'end', ok: false });
    process.exitCode = 1;
    return;
  }
  say({ is: 'say', text: values.loud ? first.toUpperCase() : first });
  say({ is: 'end', ok: true, tokens: { input: prompt.length, output: first.length } });
}
