/**
 * Keys of features that this version does not have. They are refused by name, so that nobody believes in a limit or a
 * confinement that does not act, and so that the message is better than "unknown key".
 */
import type { Findings, Path } from './source.ts';

/** `*` stands for any name or place in a list. */
const unsupportedKeys: readonly string[] = [
  'reviews',
  'server',
  ...['model', 'effort', 'max_turns', 'tools', 'permissions', 'on_quota'].map((key) => `agents.*.${key}`),
];
const unsupportedKinds = ['claude', 'codex', 'gemini'];

const hints: Readonly<Record<string, string>> = {
  on_quota: 'Remove it; `rate`, `circuit_breaker` and `fallback` say what happens when an agent cannot work.',
};

/**
 * Reports every such key and takes it out of `data`, so that nothing later reports it a second time. An agent of a kind
 * that is missing is taken out whole.
 */
export function refuseUnsupported(data: Record<string, unknown>, findings: Findings): void {
  for (const pattern of unsupportedKeys) {
    const parts = pattern.split('.');
    const depth = pattern.includes('*') ? 2 : 0;
    const key = parts.slice(depth).join('.');
    each(data, parts, [], (holder, path) => {
      findings.add(
        'error',
        'NOT_SUPPORTED_YET',
        { path, key: true },
        `this version does not have \`${key}\``,
        hints[key] ?? `Remove \`${path.at(-1)}\`: it would have no effect.`,
      );
      delete holder[path.at(-1) as string];
    });
  }
  each(data, ['watch', '*', 'on'], [], (root, path) => {
    if (!Array.isArray(root.on) || !root.on.includes('removed')) return;
    findings.error(
      'NOT_SUPPORTED_YET',
      [...path, root.on.indexOf('removed')],
      'this version starts no work for a file that was removed',
      'Write `on: [added, changed]`; a removal cancels a job that has not started, results stay.',
    );
    root.on = root.on.filter((type) => type !== 'removed');
    if ((root.on as unknown[]).length === 0) delete root.on;
  });
  each(data, ['agents', '*', 'kind'], [], (agent, path) => {
    if (!unsupportedKinds.includes(agent.kind as string)) return;
    findings.error(
      'NOT_SUPPORTED_YET',
      path,
      `this version does not have agents of kind "${agent.kind}"`,
      `Call the program as a command: \`kind: command\` with \`command: [${agent.kind}, …]\`.`,
    );
    delete (data.agents as Record<string, unknown>)[path[1] as string];
  });
}

function each(
  value: unknown,
  parts: readonly string[],
  path: Path,
  found: (holder: Record<string, unknown>, path: Path) => void,
): void {
  const [part, ...rest] = parts;
  if (part === undefined || typeof value !== 'object' || value === null) return;
  if (part === '*') {
    const entries: [string | number, unknown][] = Array.isArray(value)
      ? [...value.entries()]
      : Object.entries(value);
    for (const [key, inner] of entries) each(inner, rest, [...path, key], found);
  } else if (isMapping(value) && Object.hasOwn(value, part)) {
    if (rest.length === 0) found(value, [...path, part]);
    else each(value[part], rest, [...path, part], found);
  }
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
