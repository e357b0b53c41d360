/** `sluice doctor`: works without a configuration too, for that may be what is wrong. Exit 1 when something will fail. */
import { socketPath } from '../../server/socket-path.ts';
import { type Check, doctor } from '../../service/doctor.ts';
import { printableName } from '../../types/printable-name.ts';
import type { CommandContext } from '../context.ts';
import { paint } from '../paint.ts';
import { printJson, printLine } from '../print.ts';

interface DoctorOptions {
  readonly asService?: boolean;
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { asService = false, json = false }: DoctorOptions,
): Promise<number> {
  const loaded = await context.load().catch((configError: unknown) => ({ configError }));
  const { checks } = await doctor({
    env: context.env,
    asService,
    socketPath,
    ...('config' in loaded ? { config: loaded.config } : { configError: loaded.configError }),
  });
  if (json) printJson(checks);
  else for (const check of checks) print(check);
  return checks.some(({ ok }) => ok === 'fail') ? 1 : 0;
}

function print({ name, ok, message, fix }: Check): void {
  const shown = { ok: paint('green', 'ok  '), warn: paint('yellow', 'warn'), fail: paint('red', 'fail') };
  printLine(`${shown[ok]}  ${name}: ${printableName(message)}`);
  if (fix) printLine(`      fix: ${printableName(fix)}`);
}
