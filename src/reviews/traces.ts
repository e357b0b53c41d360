/** What nobody means to leave in a text: marks of an unfinished merge, and what looks like a secret. */

export interface Trace {
  readonly line: number;
  readonly text: string;
  /** A secret is not told again: its beginning alone. */
  readonly evidence: string;
}

/** Forms that a provider gives its keys and that stand in no other text. Each is linear. */
const secretForms: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['a GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})/],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{20}/],
  ['an Anthropic key', /\bsk-ant-[A-Za-z0-9_-]{20}/],
  ['an OpenAI key', /\bsk-(?:proj-)?[A-Za-z0-9_-]{32}/],
  ['a Google key', /\bAIza[0-9A-Za-z_-]{35}/],
  ['a Slack token', /\bxox[abeprs]-[0-9A-Za-z-]{20}/],
  ['a Stripe key', /\b[rs]k_live_[0-9A-Za-z]{20}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
];

const MAX_TRACES = 20;
const MAX_LINE = 4_000;

/** @param wants Of the lines of a diff only those that were added, for example. */
export function tracesIn(text: string, wants: (line: string) => boolean = () => true): readonly Trace[] {
  const found: Trace[] = [];
  let opened: { readonly line: number; readonly mark: string } | undefined;
  let n = 0;
  for (const whole of text.split('\n')) {
    n += 1;
    if (found.length >= MAX_TRACES) break;
    if (!wants(whole)) continue;
    const line = whole.slice(0, MAX_LINE);
    const mark = /^\+?(<{7}|>{7})(?: |\r?$)/.exec(line)?.[1];
    if (mark?.startsWith('<')) opened = { line: n, mark };
    else if (mark !== undefined && opened) {
      found.push({
        line: opened.line,
        text: 'marks of an unfinished merge',
        evidence: `${opened.mark} … ${mark}`,
      });
      opened = undefined;
    }
    for (const [what, form] of secretForms) {
      const secret = form.exec(line)?.[0];
      if (secret !== undefined)
        found.push({ line: n, text: `what looks like ${what}`, evidence: `${secret.slice(0, 8)}…` });
    }
  }
  return found;
}
