/** The start of one attempt, as the spawner takes it: the launch, our own variables, and the files that it needs. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CliAgent } from '../../config/config.ts';
import type { AgentCall } from '../../types/agent.ts';
import { fsPath } from '../../types/path-bytes.ts';
import { outputFiles } from '../command-output.ts';
import { type Environment, stateEnvironment } from '../environment.ts';
import { literal } from '../placeholders.ts';
import type { StartRequest } from '../spawner/spawner.ts';
import { launchedFile, launchedOf } from './launched.ts';
import type { Plan } from './plan.ts';

/** Makes the folders that its files go to. */
export function startRequest(
  call: AgentCall,
  agent: CliAgent,
  file: string,
  plan: Plan,
  env: Environment,
): StartRequest {
  const { launch, cwd } = plan;
  const { workDir, schema } = call;
  const { stdout, stderr } = outputFiles(workDir);
  const stdin = join(workDir, 'stdin');
  const temporary = join(workDir, 'tmp');
  for (const dir of [temporary, ...launch.files.map(([path]) => dirname(path))])
    mkdirSync(fsPath(dir), { recursive: true, mode: 0o700 });
  const { idleTimeoutMs, timeoutMs, maxOutputBytes, limits } = agent;
  return {
    ...{ job: call.jobId, n: call.attempt, journal: call.journal },
    argv: [file, ...launch.args],
    limits,
    env: {
      ...env,
      TMPDIR: temporary,
      ...launch.env,
      ...stateEnvironment(env, call.state),
      SLUICE_JOB_ID: call.jobId,
      SLUICE_SESSION_ID: call.sessionId,
      SLUICE_RULE: call.rule,
      SLUICE_DEPTH: String(call.depth),
      SLUICE_OUTPUT_DIR: call.outputDir,
    },
    cwd,
    ...{ stdout, stderr },
    ...(launch.stdin !== undefined && { stdin }),
    // Texts, not paths: characters in them that stand for bytes in a path mean themselves.
    files: [
      ...launch.files,
      ...(launch.stdin === undefined ? [] : [[stdin, launch.stdin] as const]),
      ...(schema ? [[join(workDir, 'schema.json'), JSON.stringify(schema.schema)] as const] : []),
      launchedFile(launchedOf(plan), workDir),
    ].map(([path, text]) => [path, literal(text)] as const),
    timeoutMs,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    maxOutputBytes,
  };
}
