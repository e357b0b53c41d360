/** What was detected, beside what the configuration has: which agents it is there already, and what would be added for it. */
import { Document, isSeq, visit } from 'yaml';
import { agentsOf } from '../agents/detect/configured.ts';
import type { Detection } from '../agents/detect/detect.ts';
import type { Proposal } from '../agents/detect/proposal.ts';
import type { Config } from '../config/config.ts';
import { printableName } from '../types/printable-name.ts';
import type { Addition } from './add-to-config.ts';

export interface DetectedRow {
  readonly detection: Detection;
  /** Agents of the configuration that are this. */
  readonly agents: readonly string[];
  /** It works, and no agent is it. */
  readonly addition?: Addition;
}

/** @param config Absent: there is none, or none that can be read. */
export function compareWithConfig(
  detections: readonly Detection[],
  config: Pick<Config, 'agents' | 'projectDir'> | undefined,
  env: NodeJS.ProcessEnv,
): readonly DetectedRow[] {
  const taken = new Set(config?.agents.keys());
  return detections.map((detection): DetectedRow => {
    const agents = config === undefined ? [] : agentsOf(detection, config, env);
    if (detection.state.is !== 'found' || agents.length > 0) return { detection, agents };
    const name = freeName(detection.proposal.name, taken);
    taken.add(name);
    return { detection, agents, addition: additionOf({ ...detection.proposal, name }, commentOf(detection)) };
  });
}

/** An agent of that name that is something else keeps it. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let number = 2, name = wanted; ; number++) {
    if (!taken.has(name)) return name;
    name = `${wanted}-${number}`;
  }
}

function commentOf({ title, state }: Detection): string {
  return printableName(state.is === 'found' ? `${title}, found as ${state.file}` : title);
}

function additionOf({ name, entry }: Proposal, comment: string): Addition {
  const document = new Document({ [name]: entry }, { version: '1.2' });
  visit(document, {
    Seq: (_, node) => {
      if (isSeq(node)) node.flow = true;
    },
  });
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  return { section: 'agents', name, value: entry, lines: [`# ${comment}`, ...text.trimEnd().split('\n')] };
}
