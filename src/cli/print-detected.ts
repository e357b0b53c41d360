/** `agents detect` for people: a table, then what to do about each that does not work yet. */
import type { Detection, DetectionState } from '../agents/detect/detect.ts';
import { printableName } from '../types/printable-name.ts';
import type { DetectedRow } from './detected.ts';
import { paint } from './paint.ts';
import { printLine } from './print.ts';
import { type Column, printTable } from './table.ts';

export function printDetected(rows: readonly DetectedRow[]): void {
  const there = rows.filter(({ detection }) => detection.state.is !== 'missing');
  const missing = rows.filter(({ detection }) => detection.state.is === 'missing');
  if (there.length > 0)
    printTable(there, [
      { title: 'program', cell: ({ detection }) => detection.id },
      {
        title: 'state',
        cell: ({ detection }) => stateWord(detection.state),
        color: ({ detection }) => (stateWord(detection.state) === 'found' ? 'green' : 'yellow'),
      },
      { title: 'version', cell: ({ detection: { state } }) => (state.is === 'found' ? state.version : '') },
      { title: 'log-in', cell: ({ detection }) => printableName(loginWord(detection.state)) },
      { title: 'agent', cell: agentWord },
      { title: 'what for', cell: ({ detection }) => detection.purpose, cut: 'end' },
    ]);
  for (const { detection } of there) for (const note of notesOf(detection)) printNote(note);
  printMissing(
    missing.map(({ detection }) => detection),
    rows,
  );
}

function stateWord(state: DetectionState): string {
  if (state.is !== 'found') return state.is;
  return state.login?.state === 'logged_out' ? 'not logged in' : 'found';
}

function loginWord(state: DetectionState): string {
  if (state.is !== 'found' || state.login === undefined) return '';
  const { state: is, detail } = state.login;
  return { logged_in: detail || 'yes', logged_out: 'no', unknown: 'not known' }[is];
}

function agentWord({ agents, addition }: DetectedRow): string {
  return agents.length > 0 ? agents.join(', ') : addition === undefined ? '' : `${addition.name} (new)`;
}

interface Note {
  readonly text: string;
  readonly fix?: string;
}

function notesOf({ id, state }: Detection): readonly Note[] {
  if (state.is === 'unusable') return [{ text: `${id}: ${state.problem}`, fix: state.fix }];
  if (state.is === 'missing') return [];
  const notes: Note[] = [];
  const { login, lacks } = state;
  if (login !== undefined && login.state !== 'logged_in')
    notes.push({
      text: `${id}: ${login.state === 'logged_out' ? 'not logged in' : 'whether it is logged in cannot be seen'}${login.detail === '' ? '' : `: ${login.detail}`}`,
      fix: login.fix,
    });
  if (lacks.length > 0)
    notes.push({
      text: `${id}: its help does not name ${lacks.join(', ')}, which it is started with where possible`,
    });
  return notes;
}

function printNote({ text, fix }: Note): void {
  printLine(`\n${printableName(text)}`);
  if (fix !== undefined) printLine(`  fix: ${printableName(fix)}`);
}

function printMissing(missing: readonly Detection[], all: readonly DetectedRow[]): void {
  if (missing.length === 0) return;
  const isAny = all.some(({ detection }) => detection.isAgentCli && detection.state.is !== 'missing');
  if (all.length > missing.length) printLine();
  printLine(
    isAny
      ? paint('dim', 'not installed')
      : 'No agent CLI is installed. Install one, log in, and call this again:',
  );
  const columns: readonly Column<Detection>[] = [
    { title: '', cell: ({ id }) => id },
    { title: '', cell: ({ state }) => (state.is === 'missing' ? state.install : '') },
    {
      title: '',
      cell: ({ state, purpose }) => (!isAny && state.is === 'missing' && state.login) || purpose,
      cut: 'end',
    },
  ];
  printTable(missing, columns, '  ');
}
