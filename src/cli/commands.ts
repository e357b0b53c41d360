/** The commands and their options, on one page. What each does is a module of its own in `commands/`. */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './context.ts';
import { addStateCommands } from './state-commands.ts';
import { parseSince } from './times.ts';

/** Each command knows its own options (declared below). @returns the exit code; nothing: 0. */
type Action = (
  context: CommandContext,
  args: readonly string[],
  options: never,
) => Promise<number | undefined>;

const levels = ['debug', 'info', 'warning', 'error', 'critical'];
const states = [
  'queued',
  'running',
  'waiting',
  'held',
  'succeeded',
  'cached',
  'failed',
  'cancelled',
  'superseded',
];
const dispositions = ['processed', 'cached', 'failed', 'quarantined', 'ignored', 'unrouted', 'held'];

export function addCommands(program: Command): void {
  const to =
    (load: () => Promise<{ run: Action }>) =>
    async (...called: unknown[]): Promise<void> => {
      const command = called.at(-1) as Command;
      const [{ run }, { createContext }] = await Promise.all([load(), import('./context.ts')]);
      const context = createContext(program.opts());
      process.exitCode = (await run(context, command.args, command.opts() as never)) ?? 0;
    };
  const json = () => new Option('--json', 'print JSON');
  const limit = () => new Option('--limit <n>', 'how many at most').argParser(count).default(100);
  const since = (what: string) =>
    new Option('--since <time>', `${what}: 30m, 1d, 2026-11-20`).argParser(sinceTime);
  const group = (name: string) => program.command(name).helpCommand(false);
  const print = () => new Option('--print', 'print what would be done, and do nothing');

  program.commandsGroup('Set up:');
  program
    .command('init [dir]')
    .description('make a project: a commented configuration that works')
    .action(to(() => import('./commands/init.ts')));
  program
    .command('check')
    .description('validate the configuration')
    .addOption(json())
    .action(to(() => import('./commands/check.ts')));
  const config = group('config').description('show | schema | migrate | history');
  config
    .command('show')
    .description('the configuration in force, with every default filled in')
    .addOption(json())
    .action(to(() => import('./commands/config/show.ts')));
  config
    .command('schema')
    .addArgument(new Argument('[of]').choices(['orchestrator', 'workflow']).default('orchestrator'))
    .description('the JSON Schema of the configuration, or of workflow files, for editors')
    .action(to(() => import('./commands/config/schema.ts')));
  config
    .command('migrate')
    .description('write an older style (watcher, watcher_endpoints) as agents; comments stay')
    .option('--write', 'change the file, keeping the old one as FILE.bak (default: print)')
    .action(to(() => import('./commands/config/migrate.ts')));
  config
    .command('history')
    .description('who changed the running configuration, when, and what')
    .addOption(limit())
    .addOption(json())
    .action(to(() => import('./commands/config/history.ts')));
  const agents = group('agents').description('list | test | detect | pause | resume');
  agents
    .command('list', { isDefault: true })
    .description('how the agents stand, what waits for them, and how they did; the tier in force')
    .addOption(limit())
    .addOption(json())
    .allowExcessArguments()
    .action(to(() => import('./commands/agents/list.ts')));
  agents
    .command('test <name>')
    .description('give an agent a one-line job and show step by step what came back')
    .option('--prompt <text>', 'what it is asked (default: for the word OK)')
    .addOption(json())
    .action(to(() => import('./commands/agents/test.ts')));
  agents
    .command('pause <name>')
    .description('start nothing more on this agent; its jobs wait')
    .action(to(async () => (await import('./commands/agents/control.ts')).pause));
  agents
    .command('resume <name>')
    .description('let it go on, also before the time that it named for its quota')
    .action(to(async () => (await import('./commands/agents/control.ts')).resume));
  agents
    .command('detect')
    .description('find agent CLIs and tools on this machine, and propose their entries')
    .option('--write', 'add what is missing to the configuration; what is there stays')
    .addOption(json())
    .action(to(() => import('./commands/agents/detect.ts')));
  program
    .command('doctor')
    .description('look for what will not work on this machine')
    .option('--as-service', 'in the bare environment that a service gets')
    .addOption(json())
    .action(to(() => import('./commands/doctor.ts')));
  const service = group('service').description('install | uninstall | status: run by systemd or launchd');
  const user = () => new Option('--user', 'a service of this user, not of the system');
  service
    .command('install')
    .description('install the daemon as a service, and start it')
    .addOption(user())
    .option('--run-as <name>', 'the user that a system service runs as')
    .addOption(print())
    .action(to(() => import('./commands/service/install.ts')));
  service
    .command('uninstall')
    .description('stop and remove the service; files and results stay')
    .addOption(user())
    .addOption(print())
    .action(to(() => import('./commands/service/uninstall.ts')));
  service
    .command('status')
    .description('what the service manager says')
    .addOption(user())
    .action(to(() => import('./commands/service/status.ts')));
  program
    .command('completion')
    .description('print a completion script')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(to(() => import('./commands/completion.ts')));

  program.commandsGroup('Process:');
  program
    .command('start')
    .description('run the daemon in the foreground')
    .action(to(() => import('./commands/start.ts')));
  program
    .command('run [paths...]')
    .description('process what is there once; exit 1 if anything failed')
    .option('--force', 'run again what has a result')
    .option('--report <kind=file,...>', 'also write junit=FILE and/or sarif=FILE', reportTargets)
    .addOption(json())
    .action(to(() => import('./commands/run.ts')));
  const workflow = group('workflow').description('new | validate | graph | run | list | show | approve …');
  workflow
    .command('list', { isDefault: true })
    .description('workflows and their last runs; with --runs the runs, newest first')
    .option('--runs', 'runs instead of workflows')
    .option('--workflow <name>', 'only runs of this one')
    .addOption(new Option('--state <names>', 'only runs in these states').argParser(runStateNames))
    .option('--all', 'also runs that other runs called')
    .addOption(limit())
    .addOption(json())
    .allowExcessArguments()
    .action(to(() => import('./commands/workflow/list.ts')));
  workflow
    .command('run [name]')
    .description('run a workflow and wait for it; exit 1 if it failed')
    .addOption(
      new Option('--input <name=value>', 'an input; as often as there are').argParser(
        (text: string, before: readonly string[] = []) => [...before, text],
      ),
    )
    .option('--file <file>', 'a definition that the configuration does not name')
    .option('--detach', 'leave it to the daemon and print its id')
    .option('--force', 'take nothing from the cache')
    .addOption(json())
    .action(to(() => import('./commands/workflow/run.ts')));
  workflow
    .command('show [run]')
    .description('a run step by step: by id, of a workflow the latest, or the latest of all')
    .addOption(json())
    .action(to(() => import('./commands/workflow/show.ts')));
  workflow
    .command('cancel <run>')
    .description('end a run and everything that it started')
    .action(to(async () => (await import('./commands/workflow/control.ts')).cancel));
  workflow
    .command('resume [run]')
    .description('run again what failed in the latest run, or this one, and what depends on it')
    .option('--detach', 'leave it to the daemon and print its id')
    .option('--force', 'take nothing from the cache')
    .addOption(json())
    .action(to(async () => (await import('./commands/workflow/control.ts')).resume));
  for (const [name, what] of [
    ['approve', 'let the run that waits for a person, or this one, go on'],
    ['reject', 'say no: the step has failed'],
  ] as const)
    workflow
      .command(`${name} [run] [step]`)
      .description(what)
      .option('--comment <text>', 'why; it stands in the report')
      .addOption(json())
      .action(to(async () => (await import('./commands/workflow/control.ts'))[name]));
  workflow
    .command('validate [files...]')
    .description('check workflow files, or all that the configuration names')
    .addOption(json())
    .action(to(() => import('./commands/workflow/validate.ts')));
  workflow
    .command('graph <name>')
    .description('draw the steps of a workflow, or of a run with their states')
    .addOption(new Option('--format <name>', 'how it is drawn').choices(['text', 'mermaid']).default('text'))
    .action(to(() => import('./commands/workflow/graph.ts')));
  workflow
    .command('new [name]')
    .description('write a workflow from a template')
    .option('--template <name>', 'which (default: list them)')
    .option('--force', 'also over a file that is there')
    .action(to(() => import('./commands/workflow/new.ts')));
  program
    .command('undo <job>')
    .description('put back what a job changed (`workspace: copy`)')
    .option('--force', 'also files that changed since')
    .addOption(json())
    .action(to(() => import('./commands/undo.ts')));
  program
    .command('stop')
    .description('end the daemon; running attempts get `daemon.drain`')
    .option('--wait', 'wait for it however long it takes (default: drain and 10 s)')
    .option('--no-wait', 'do not wait for it')
    .action(to(() => import('./commands/stop.ts')));
  program
    .command('pause')
    .description('start nothing new; what lands is queued')
    .action(to(() => import('./commands/pause.ts')));
  program
    .command('resume')
    .description('go on after a pause')
    .action(to(() => import('./commands/resume.ts')));
  program
    .command('reload')
    .description('take over the changed configuration now')
    .action(to(() => import('./commands/reload.ts')));

  program.commandsGroup('Look:');
  program
    .command('status')
    .description('the daemon, its queue, limits, agents and problems')
    .addOption(json())
    .action(to(() => import('./commands/status.ts')));
  program
    .command('schedules')
    .description('when each starts its workflow next')
    .addOption(new Option('--next <n>', 'how many of the next times').argParser(count).default(1))
    .addOption(limit())
    .addOption(json())
    .action(to(() => import('./commands/schedules.ts')));
  program
    .command('stats')
    .description('files a minute, errors, queue and cost, drawn over time')
    .addOption(since('how far back (default: 1h)'))
    .addOption(json())
    .action(to(() => import('./commands/stats.ts')));
  program
    .command('why <path>')
    .description('what happens to a file, and why')
    .addOption(json())
    .action(to(() => import('./commands/why.ts')));
  program
    .command('files')
    .description('the files that were taken in, and where they ended')
    .addOption(new Option('--disposition <name>', 'only those that ended so').choices(dispositions))
    .option('--root <name>', 'only of this root')
    .option('--under <dir>', 'only below this folder of a root')
    .addOption(limit())
    .addOption(json())
    .action(to(() => import('./commands/files.ts')));
  const jobs = group('jobs').description('list | show | retry | cancel | release | review …');
  jobs
    .command('list', { isDefault: true })
    .description('jobs, newest first')
    .addOption(
      new Option('--state <names>', 'only in these states, such as failed,held').argParser(stateNames),
    )
    .option('--agent <name>', 'only of this agent')
    .addOption(since('only those that ended since'))
    .addOption(limit())
    .addOption(json())
    .allowExcessArguments()
    .action(to(() => import('./commands/jobs/list.ts')));
  jobs
    .command('show <id>')
    .description('the receipt of a job (its id, or its file) in words, and its result')
    .option('--follow', 'the live output of its agent, until it ends')
    .addOption(json())
    .action(to(() => import('./commands/jobs/show.ts')));
  jobs
    .command('retry [targets...]')
    .description('run again: jobs by id, files by path, or all that failed')
    .option('--failed', 'every file whose latest job failed')
    .addOption(since('with --failed: only those that ended since'))
    .option('--force', 'also what has a result already')
    .addOption(json())
    .action(to(() => import('./commands/jobs/retry.ts')));
  jobs
    .command('cancel <id>')
    .description('end a job; its result is thrown away')
    .action(to(() => import('./commands/jobs/cancel.ts')));
  jobs
    .command('release [ids...]')
    .description('let held jobs go on')
    .option('--held', 'all that are held')
    .option('--rule <name>', 'with --held: only those of this rule')
    .action(to(() => import('./commands/jobs/release.ts')));
  jobs
    .command('review <id>')
    .description('have work that runs looked at by other agents, now')
    .action(to(() => import('./commands/jobs/review.ts')));
  jobs
    .command('approve <id>')
    .description('let an agent run the command it asks for')
    .action(to(async () => (await import('./commands/jobs/answer.ts')).approve));
  jobs
    .command('refuse <id>')
    .description('do not let it')
    .action(to(async () => (await import('./commands/jobs/answer.ts')).refuse));
  program
    .command('answer <id> <text...>')
    .description('tell held work (a job, a file, a run) how to go on')
    .action(to(() => import('./commands/answer.ts')));
  program
    .command('logs')
    .description('what the daemon said')
    .option('--follow', 'go on as lines come')
    .addOption(new Option('--level <name>', 'this level and above').choices(levels))
    .addOption(since('only lines since'))
    .option('--job <id>', 'only about this job')
    .addOption(limit())
    .addOption(json())
    .addOption(new Option('--set-level <name>', 'set the level of the running daemon').choices(levels))
    .action(to(() => import('./commands/logs.ts')));
  program
    .command('open [path]')
    .description('open the overview, or the result of a file')
    .option('--print', 'print the path and URL, and open nothing')
    .action(to(() => import('./commands/open.ts')));
  addStateCommands({ group, to, json, limit });
  const reports = group('reports').description('rebuild');
  reports
    .command('rebuild')
    .description('write receipts and results again that are missing or torn')
    .addOption(json())
    .action(to(() => import('./commands/reports/rebuild.ts')));

  program.commandsGroup('Keep:');
  program
    .command('gc')
    .description('what is kept where; removes what retention allows now')
    .option('--dry-run', 'only say what would go')
    .addOption(json())
    .action(to(() => import('./commands/gc.ts')));
  program
    .command('export <file>')
    .description('a backup: configuration, ledger, results; .tar[.gz]')
    .addOption(json())
    .action(to(() => import('./commands/export.ts')));
  program
    .command('import <file>')
    .description('make a project of a backup, in this folder')
    .option('--replace', 'also where there is one; what is there is set aside')
    .addOption(json())
    .action(to(() => import('./commands/import.ts')));
}

function runStateNames(text: string): readonly string[] {
  return namesOf(text, ['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled']);
}

function count(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 1_000_000)
    throw new InvalidArgumentError('Write a whole number from 1 to 1000000.');
  return number;
}

function sinceTime(text: string): number {
  const time = parseSince(text, Date.now());
  if (time === undefined)
    throw new InvalidArgumentError('Write a length of time (30m, 1d) or a date (2026-11-20).');
  return time;
}

function stateNames(text: string): readonly string[] {
  return namesOf(text, states);
}

function namesOf(text: string, allowed: readonly string[]): readonly string[] {
  const names = text.split(',');
  for (const name of names)
    if (!allowed.includes(name))
      throw new InvalidArgumentError(`"${name}" is no state. Allowed are ${allowed.join(', ')}.`);
  return names;
}

function reportTargets(text: string): Record<string, string> {
  const targets: Record<string, string> = {};
  for (const part of text.split(',')) {
    const [kind, file] = [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)];
    if ((kind !== 'junit' && kind !== 'sarif') || file === '')
      throw new InvalidArgumentError('Write junit=FILE,sarif=FILE.');
    targets[kind] = file;
  }
  return targets;
}
