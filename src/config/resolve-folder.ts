/**
 * A folder that an agent may be given. It is checked as it stands on disk: a link in a path that looks harmless would open
 * another place than the one a person read and agreed to.
 */
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { contains } from './contains.ts';
import { projectPath, type Resolving, refuseReferences } from './resolving.ts';
import type { Path } from './source.ts';

/** What to write instead of a placeholder, and instead of the project folder; `word`: that which stands for the project. */
export interface FolderAdvice {
  readonly placeholder: string;
  readonly project: string;
  readonly word?: string;
}

/** @returns an absolute path without links in it; or the word for the project. */
export async function resolveFolder(
  context: Resolving,
  at: Path,
  entry: string,
  advice: FolderAdvice,
): Promise<string | undefined> {
  const { findings, projectDir } = context;
  refuseReferences(context, at, entry);
  if (entry.includes('${{')) {
    findings.error('BAD_PLACEHOLDER', at, '`${{ … }}` is not filled in here', advice.placeholder);
    return undefined;
  }
  const path = entry === advice.word ? projectDir : projectPath(context, entry);
  if (contains(join(projectDir, '.sluice'), path)) return coversState(context, at, entry, advice, false);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) {
    findings.error(
      'BAD_FILE',
      at,
      `"${entry}" does not exist`,
      `Create it (\`mkdir -p '${path}'\`), or correct the path; it is relative to the project folder.`,
    );
    return undefined;
  }
  const home = await realpath(homedir()).catch(() => homedir());
  if (contains(real, home)) {
    findings.error(
      'BAD_VALUE',
      at,
      real === home ? `"${entry}" is the home folder itself` : `"${entry}" holds the home folder`,
      'Name the folders in it that the agent needs.',
    );
    return undefined;
  }
  if (entry === advice.word) return entry;
  const within = (await seemsToLieIn(projectDir, path)) ?? (await seemsToLieIn(homedir(), path));
  if (within ? !contains(within, real) : real !== path) {
    findings.error(
      'BAD_VALUE',
      at,
      `"${entry}" is or goes through a symbolic link and is really "${real}"`,
      `Write the real path if that is what you want: \`${real}\`.`,
    );
    return undefined;
  }
  const project = await realpath(projectDir).catch(() => projectDir);
  const state = join(project, '.sluice');
  if (contains(real, state) || contains(state, real))
    return coversState(context, at, entry, advice, real === project);
  // Below a project that is reached by a link the path keeps its written form: it is the one that agents see.
  if (within === project) return resolve(projectDir, relative(project, real));
  return real;
}

function coversState(
  { findings }: Resolving,
  at: Path,
  entry: string,
  advice: FolderAdvice,
  isProject: boolean,
): undefined {
  findings.error(
    'CONFLICT',
    at,
    `"${entry}" covers \`.sluice\`, where Sluice keeps its own state`,
    isProject
      ? advice.project
      : 'Name the folders that the agent needs; the folder of its job is always writable.',
  );
}

/** The real path of `folder` when `path`, as it is written, lies in it. */
async function seemsToLieIn(folder: string, path: string): Promise<string | undefined> {
  return contains(folder, path) ? realpath(folder).catch(() => folder) : undefined;
}
