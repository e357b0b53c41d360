/** `sluice import FILE`: into the folder it is called in, or that of `--config`; never into a project further up. */
import { dirname } from 'node:path';
import { projectDirOf } from '../../config/find.ts';
import { importProject } from '../../operations/import.ts';
import type { CommandContext } from '../context.ts';
import { printJson, printLine } from '../print.ts';

export async function run(
  context: CommandContext,
  [file = '']: readonly string[],
  { replace = false, json }: { readonly replace?: boolean; readonly json?: boolean },
): Promise<number> {
  const projectDir = context.namedConfig === undefined ? process.cwd() : projectDirOf(context.namedConfig);
  const report = await importProject({ file, projectDir, replace, now: Date.now() });
  if (json) printJson(report);
  else {
    printLine(`${report.files} files of ${report.exported_at} → ${report.project}`);
    if (report.set_aside !== undefined) printLine(`what stood there is in ${report.set_aside}`);
    printLine(
      `\`sluice check\`, then \`sluice start\` (${dirname(report.config_file)}/ holds the configuration)`,
    );
  }
  return 0;
}
