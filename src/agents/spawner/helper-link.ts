/** The helper process as the daemon sees it: started, spoken to, heard, gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AppError, messageOf } from '../../types/errors.ts';
import { entryModule } from '../../types/module-path.ts';
import type { LimitsBackendName } from './limits/cage.ts';
import { spawnerVariable } from './mark.ts';
import { type FromHelper, type HelperOptions, lineSplitter, type ToHelper } from './protocol.ts';

export interface HelperLink {
  readonly pid: number | undefined;
  readonly limitsBackend: LimitsBackendName;
  send(message: ToHelper): void;
  /** The helper ends everything it runs, then itself. */
  close(): Promise<void>;
}

interface LinkOptions {
  readonly options: HelperOptions;
  readonly onMessage: (message: FromHelper) => void;
  /** It is gone without having been asked; everything it said before was heard. */
  readonly onLost: () => void;
}

/** Resolves when the helper is ready. @throws {AppError} `SPAWNER_FAILED`. */
export async function startHelper({ options, onMessage, onLost }: LinkOptions): Promise<HelperLink> {
  const entry = fileURLToPath(entryModule('agents/spawner/main'));
  // Node is told to keep its heap small; nothing of the daemon's own environment is needed there.
  const flags = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, entry, JSON.stringify(options)], {
    detached: true,
    stdio: 'pipe',
    cwd: '/',
    env: { [spawnerVariable]: options.tag },
  });
  let complaint = '';
  let state: 'starting' | 'ready' | 'closing' = 'starting';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4096);
  });
  child.stdin.on('error', () => {});
  const closed = once(child, 'close').catch(() => {});
  const limitsBackend = await new Promise<LimitsBackendName>((resolve, reject) => {
    const hear = lineSplitter((line) => {
      const message = JSON.parse(line) as FromHelper;
      if (message.op !== 'ready') return onMessage(message);
      state = 'ready';
      resolve(message.limits);
    });
    child.stdout.setEncoding('utf8').on('data', hear);
    child.once('error', (error) => reject(failed(messageOf(error))));
    child.once('close', (code, signal) => {
      if (state === 'ready') onLost();
      else if (state === 'starting') reject(failed(complaint.trim() || `it ended with ${signal ?? code}`));
    });
  });
  return {
    pid: child.pid,
    limitsBackend,
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    close: async () => {
      state = 'closing';
      child.stdin.end();
      await closed;
    },
  };
}

function failed(detail: string): AppError {
  return new AppError('SPAWNER_FAILED', `Cannot start the helper process that starts agents: ${detail}`, {
    fix: 'Check free memory and the limit on processes (`ulimit -u`), then start again.',
  });
}
