/** `sluice files`: what was taken in, and where it ended; the latest first. */
import type { FileQuery, FileView } from '../../operations/file-view.ts';
import { formatBytes } from '../../types/bytes.ts';
import type { CommandContext } from '../context.ts';
import { nameOf, shortId } from '../job-words.ts';
import { printJson, printTableOr, stateColor, tellIfMore } from '../print.ts';
import { shortTime } from '../times.ts';

interface FilesOptions extends FileQuery {
  readonly json?: boolean;
}

export async function run(
  context: CommandContext,
  _args: readonly string[],
  { json, under, ...query }: FilesOptions,
): Promise<number> {
  await using reader = await context.reader();
  const folder = under?.replace(/^\.\/|\/+$/g, '');
  const files = await reader.files({ ...query, ...(folder && { under: folder }) });
  if (json) {
    printJson(files);
    return 0;
  }
  printTableOr('no files yet: drop some into a watched folder, or use `sluice run`', files, [
    { title: 'file', cell: nameOf, cut: 'start' },
    { title: 'ended', cell: endOf, color: (file) => stateColor(endOf(file)) },
    { title: 'size', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
    { title: 'seen', cell: ({ seen_at: seenAt }) => shortTime(seenAt) },
    { title: 'job', cell: ({ job_id: id }) => (id === undefined ? '' : shortId(id)) },
  ]);
  tellIfMore(files.length, query.limit);
  return 0;
}

function endOf({ disposition }: FileView): string {
  return disposition ?? 'open';
}
