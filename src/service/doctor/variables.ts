/** Secrets and variables that agents are given: are they there, in the environment that will be in force? */
import type { AgentConfig, Config } from '../../config/config.ts';
import { createSecrets } from '../../secrets/secrets.ts';
import { type Check, fail, good, warn } from './check.ts';
import type { Surroundings } from './surroundings.ts';

export async function checkVariables(config: Config, surroundings: Surroundings): Promise<Check[]> {
  const checks: Check[] = [];
  const secrets = createSecrets({ env: surroundings.env, projectDir: config.projectDir });
  let resolved = 0;
  for (const agent of config.agents.values()) {
    for (const text of textsOf(agent)) {
      const references = secrets.references(text);
      const problem = await secrets.check(text);
      if (problem === undefined) resolved += references.length;
      else if (
        references.some(({ kind }) => kind === 'credential') &&
        !surroundings.env.CREDENTIALS_DIRECTORY
      ) {
        checks.push(
          warn(
            'secrets',
            `agent "${agent.name}": ${references.map((reference) => reference.text).join(', ')} can be seen by the service alone`,
            credentialFix(
              references.map((reference) => reference.name),
              surroundings,
            ),
          ),
        );
      } else
        checks.push(
          fail(
            'secrets',
            `agent "${agent.name}": ${problem.message}`,
            fixFor(problem.fix, references, surroundings),
          ),
        );
    }
    for (const entry of agent.env) {
      if (entry.kind !== 'pass' || surroundings.env[entry.name] !== undefined) continue;
      const where =
        surroundings.asService && surroundings.shellEnv[entry.name] !== undefined
          ? 'is set in your shell, but a service does not have it'
          : 'is not set';
      checks.push(
        warn(
          'variables',
          `agent "${agent.name}" may see ${entry.name}, which ${where}`,
          setVariable(entry.name, surroundings),
        ),
      );
    }
  }
  return checks.length > 0
    ? checks
    : [good('secrets', resolved === 0 ? 'none is used' : `${resolved} can be resolved`)];
}

function textsOf(agent: AgentConfig): string[] {
  const own = agent.env.flatMap((entry) => (entry.kind === 'set' ? [entry.value] : []));
  return agent.kind === 'http' ? [agent.url, ...Object.values(agent.headers), ...own] : own;
}

function fixFor(
  fix: string,
  references: readonly { kind: string; name: string }[],
  surroundings: Surroundings,
): string {
  const variable = references.find(
    ({ kind, name }) => kind === 'env' && surroundings.env[name] === undefined,
  );
  return variable && surroundings.asService ? setVariable(variable.name, surroundings) : fix;
}

export function setVariable(name: string, { asService, service }: Surroundings): string {
  if (!asService) return `export ${name}=…`;
  if (service?.manager === 'launchd') return `Add ${name} to EnvironmentVariables in ${service.file}.`;
  return `${editCommand(service?.scope, service?.name)}   # and write: [Service], Environment="${name}=…"; for a secret \`\${file:/path}\` or \`\${credential:${name.toLowerCase()}}\` is safer`;
}

function credentialFix(names: readonly string[], { service }: Surroundings): string {
  const lines = names.map((name) => `LoadCredential=${name}:/etc/sluice/${name}`).join(', ');
  return `${editCommand(service?.scope, service?.name)}   # and write: [Service], ${lines}`;
}

function editCommand(scope: 'system' | 'user' | undefined, name: string | undefined): string {
  return `${scope === 'user' ? 'systemctl --user' : 'sudo systemctl'} edit ${name ?? 'sluice-…'}`;
}
