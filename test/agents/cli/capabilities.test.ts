import { expect, test } from 'vitest';
import { builtinCliKinds } from '../../../src/agents/cli/kinds.ts';
import { predefinedCapabilities } from '../../../src/config/capabilities.ts';

test('what the kinds say that they can do has the names by which rules ask for it', () => {
  for (const [name, { capabilities }] of builtinCliKinds) {
    expect(capabilities, name).toContain('code_review');
    for (const capability of capabilities) expect(predefinedCapabilities, name).toContain(capability);
  }
});
