/**
 * Receipts as SARIF 2.1.0, for `sluice run --report sarif=FILE`: code hosts show it beside the lines it is about. Pure.
 * A job that failed is a result of its own, located at its input; events of type `finding` are results of the agent.
 */
import { createHash } from 'node:crypto';
import type { AgentEvent } from '../types/agent.ts';
import type { Receipt } from '../types/receipt.ts';

export interface SarifOptions {
  readonly findings?: readonly { readonly receipt: Receipt; readonly event: AgentEvent }[];
  /** Folders of the roots, as `file:` URLs or paths relative to the repository that end in `/`: name → URI. */
  readonly rootUris?: ReadonlyMap<string, string>;
  readonly toolVersion?: string;
}

type Level = 'error' | 'warning' | 'note';

interface Finding {
  readonly receipt: Receipt;
  readonly ruleId: string;
  readonly level: Level;
  readonly text: string;
  /** Relative to the root. */
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
}

export function sarifReport(receipts: readonly Receipt[], o: SarifOptions = {}): string {
  const findings = [...receipts.filter(isProblem).map(fromFailure), ...(o.findings ?? []).map(fromEvent)];
  const ruleIds = [...new Set(findings.map(({ ruleId }) => ruleId))].sort();
  const roots = [...new Set(findings.map(({ receipt }) => receipt.input.root))].sort();
  const unfinished = receipts.some(
    ({ state }) => !['succeeded', 'cached', 'cancelled', 'superseded', 'failed'].includes(state),
  );
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Sluice',
            ...(o.toolVersion !== undefined && { version: o.toolVersion }),
            rules: ruleIds.map((id) => ({ id, shortDescription: { text: ruleText(id) } })),
          },
        },
        // What a tool could not finish must not look like a clean bill of health.
        invocations: [{ executionSuccessful: !unfinished }],
        ...(roots.length > 0 && {
          originalUriBaseIds: Object.fromEntries(roots.map((root) => [baseId(root), baseOf(root, o)])),
        }),
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => toResult(finding, ruleIds)),
      },
    ],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function isProblem({ state }: Receipt): boolean {
  return state === 'failed' || state === 'held' || state === 'waiting';
}

function fromFailure(receipt: Receipt): Finding {
  const { state, reason = state, message = `The job is ${state}`, fix } = receipt;
  const text = fix === undefined ? message : `${message}\nfix: ${fix}`;
  return { receipt, ruleId: `sluice/${reason}`, level: 'error', text, path: receipt.input.path };
}

function fromEvent({ receipt, event }: { receipt: Receipt; event: AgentEvent }): Finding {
  const { payload } = event;
  const text = stringOf(payload.text) ?? stringOf(payload.message) ?? 'A finding without a text';
  const rule = stringOf(payload.rule) ?? stringOf(payload.code) ?? 'finding';
  const line = positive(payload.line);
  const column = line === undefined ? undefined : positive(payload.column);
  return {
    receipt,
    ruleId: `${receipt.agent}/${rule}`,
    level: levelOf(payload.level ?? payload.severity),
    text,
    path: insideRoot(stringOf(payload.file), receipt.input.path),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}

function toResult(finding: Finding, ruleIds: readonly string[]): object {
  const { receipt, ruleId, level, text, path, line, column } = finding;
  const region =
    line === undefined
      ? undefined
      : { startLine: line, ...(column !== undefined && { startColumn: column }) };
  const uri = path
    .split('/')
    .map((name) => encodeURIComponent(name.toWellFormed()))
    .join('/');
  return {
    ruleId,
    ruleIndex: ruleIds.indexOf(ruleId),
    level,
    message: { text },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri, uriBaseId: baseId(receipt.input.root) },
          ...(region && { region }),
        },
      },
    ],
    // The same fault of the same file is the same result in the next run, whatever its job is called then.
    partialFingerprints: {
      'sluice/v1': fingerprint(
        receipt.input.root,
        path,
        ruleId,
        String(line ?? ''),
        line === undefined ? '' : text,
      ),
    },
    properties: { job_id: receipt.job_id, agent: receipt.agent, rule: receipt.rule },
  };
}

function baseId(root: string): string {
  return `ROOT_${root.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}`;
}

function baseOf(root: string, { rootUris }: SarifOptions): object {
  const uri = rootUris?.get(root);
  return { ...(uri !== undefined && { uri }), description: { text: `The watched root "${root}"` } };
}

/** Agents name files as they like; what is not clearly below the root is taken to be about the input. */
function insideRoot(file: string | undefined, input: string): string {
  if (file === undefined || file === '' || file.startsWith('/') || file.split('/').includes('..'))
    return input;
  return file.replace(/^\.\//, '');
}

function levelOf(value: unknown): Level {
  const text = String(value ?? '').toLowerCase();
  if (/^(error|critical|fatal|high|blocker)$/.test(text)) return 'error';
  return /^(note|info|information|low|hint)$/.test(text) ? 'note' : 'warning';
}

function ruleText(id: string): string {
  return id.startsWith('sluice/')
    ? `A job failed: ${id.slice(7).replaceAll('_', ' ')}`
    : `Found by ${id.replace('/', ': ')}`;
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}
