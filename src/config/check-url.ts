/** URLs of agents and webhooks: whole, http or https, without a password in them; parts of them may be secret references. */
import { findReferences } from './reference.ts';
import { checkReferences, type Resolving } from './resolving.ts';
import type { Path } from './source.ts';

export async function checkUrl(context: Resolving, at: Path, text: string): Promise<void> {
  await checkReferences(context, at, text);
  // What a reference stands for is not known yet; any letter keeps the rest of the form.
  const known = findReferences(text).reduce((url, { text: reference }) => url.replace(reference, 'x'), text);
  // Where `${{ … }}` is filled in it may be a host, a port or a part of the path; or all of the URL.
  const shape = context.checkTemplate ? known.replaceAll(/\$\{\{.*?\}\}/gs, '1') : known;
  if (context.checkTemplate && /^\$\{\{/.test(text)) return;
  const url = URL.canParse(shape) ? new URL(shape) : undefined;
  // The whole URL may come from a secret.
  if (!url && shape === 'x') return;
  if (!url)
    context.findings.error(
      'BAD_VALUE',
      at,
      `${JSON.stringify(text)} is no URL`,
      'Write it whole: `http://localhost:8001/analyze`.',
    );
  else if (url.protocol !== 'http:' && url.protocol !== 'https:')
    context.findings.error(
      'BAD_VALUE',
      at,
      `the URL ${JSON.stringify(text)} is neither http nor https`,
      `Begin with \`http://\` or \`https://\`: \`http://${text.replace(/^\w+:\/\//, '')}\`.`,
    );
  else if (url.username || url.password)
    context.findings.error(
      'BAD_VALUE',
      at,
      'the URL holds a user name or password',
      'Send it as a header: `headers: { Authorization: "Basic ${env:NAME}" }`.',
    );
}
