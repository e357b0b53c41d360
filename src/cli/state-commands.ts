/** `sluice state` and `sluice sessions` as commander knows them; a part of `commands.ts`. */
import { type Command, Option } from 'commander';
import type { CommandContext } from './context.ts';

type Action = (
  context: CommandContext,
  args: readonly string[],
  options: never,
) => Promise<number | undefined>;

/** What `commands.ts` makes its commands with. */
interface Ways {
  readonly group: (name: string) => Command;
  readonly to: (load: () => Promise<{ run: Action }>) => (...called: unknown[]) => Promise<void>;
  readonly json: () => Option;
  readonly limit: () => Option;
}

export function addStateCommands({ group, to, json, limit }: Ways): void {
  const sessions = group('sessions').description('list | show: what the steps and agents of a run share');
  sessions
    .command('list', { isDefault: true })
    .description('sessions, newest first')
    .addOption(limit())
    .addOption(json())
    .allowExcessArguments()
    .action(to(() => import('./commands/sessions/list.ts')));
  sessions
    .command('show <id>')
    .description('a session and all of its values')
    .addOption(json())
    .action(to(() => import('./commands/sessions/show.ts')));

  const state = group('state').description('get | set | delete | list | transaction | lock');
  const command = (what: string, usage: string, description: string): Command =>
    state
      .command(usage)
      .description(description)
      .option('--session <id>', 'of this session (inside an attempt: its own)')
      .option('--agent <name>', 'the private state of this agent (inside an attempt: its own)')
      .action(to(async () => ({ run: (await import('./commands/state.ts')).runOf(what) })));
  const isPrivate = () => new Option('--private', "the agent's own, not the one that all share");
  const ifRevision = () => new Option('--if-revision <n>', 'only if it is at this revision; 0: not there');
  command('get', 'get <key>', 'print a value: a text as it is, others as JSON; exit 1 if it is not there')
    .addOption(isPrivate())
    .addOption(new Option('--json', 'with its revision, as JSON'));
  command('set', 'set <key> [value]', 'set a value; `-` reads it from stdin')
    .option('--json-value <json>', 'the value is JSON; `-` reads it from stdin')
    .addOption(isPrivate())
    .option('--ttl <time>', 'it is gone after this time: 30s, 5m, 1d')
    .addOption(ifRevision())
    .addOption(new Option('--json', 'print its revision'));
  command('delete', 'delete <key>', 'delete a value')
    .addOption(isPrivate())
    .addOption(ifRevision())
    .addOption(new Option('--json', 'print its revision'));
  command('list', 'list', 'all values that are seen from here').addOption(json());
  command('transaction', 'transaction', 'changes from stdin as a JSON list, all or nothing');
  command('lock', 'lock <name> [command...]', 'run a command while holding a lock: lock NAME -- COMMAND')
    .option('--ttl <time>', 'so long it is held if we die (default: 1m; renewed while we live)')
    .option('--wait <time>', 'how long to wait for it (default: 10m)');
}
