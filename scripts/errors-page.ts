/** `docs/errors.md`: every code, from the one list. */
import { errorCodes } from '../src/types/error-codes.ts';

export function errorsPage(): string {
  const rows = Object.entries(errorCodes)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([code, meaning]) => `| <a id="${code}"></a>\`${code}\` | ${meaning} |`);
  return `# Errors and conditions

Every error has a code, a message and a fix; every lasting problem is a *condition* with the same three, shown by \`sluice status\` until its
cause is gone. The fix that is printed is the one for your case; this page says what a code means.

| code | meaning |
|---|---|
${rows.join('\n')}

Reasons of failed jobs (\`reason\` on the receipt) are another thing: what an agent did. See [agents](agents.md#reasons).
`;
}
