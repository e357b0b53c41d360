/**
 * Programs that are no agents by themselves and do a useful piece of work on dropped files, each with the entry that makes
 * an agent of it. Only what stands on its own: no model, no account, and nothing that the file itself could steer.
 */
import { existsSync } from 'node:fs';
import { askProgram, openThrowAwayHome } from '../cli/ask-program.ts';
import type { AskedKind } from '../cli/probe.ts';
import type { Proposal } from './proposal.ts';

export interface Tool extends AskedKind {
  readonly purpose: string;
  readonly capabilities: readonly string[];
  /** Flags without which it is of no use, and what to do about it. */
  readonly needs?: { readonly flags: readonly string[]; readonly fix: string };
  /**
   * A word that every command for this use of the program has: an agent that runs it without that word is for something
   * else. Absent: any agent that runs the program is for this use.
   */
  readonly telltale?: string;
  proposal(env: NodeJS.ProcessEnv): Proposal;
  /** Something besides the program that has to answer. @returns why it does not. */
  readonly service?: (o: ServiceQuestion) => Promise<ToolProblem | undefined>;
  /** Whether that could be there, by a look at files. */
  readonly hasService?: (env: NodeJS.ProcessEnv) => boolean;
}

export interface ServiceQuestion {
  readonly file: string;
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export interface ToolProblem {
  readonly problem: string;
  readonly fix: string;
}

const installed = (name: string) => `${process.platform === 'darwin' ? 'brew' : 'sudo apt'} install ${name}`;

/** `7.1`, `5.1.9`, `N-118000-gabc`. */
const looseVersion = /(?<=version )\S{1,60}|\d{1,9}(?:\.\d{1,9})+/;

const ffprobe: Tool = {
  ...{ name: 'ffprobe', title: 'ffprobe', programs: ['ffprobe'], install: installed('ffmpeg') },
  ...{ minimumVersion: '0', versionArgs: ['-version'], helpArgs: [], versionPattern: looseVersion },
  purpose: 'facts of audio and video files as JSON: format, streams, chapters, length',
  capabilities: ['media_analysis'],
  proposal: () => ({
    name: 'media_facts',
    entry: {
      ...{ kind: 'command', type: 'specialist' },
      description: 'Facts of audio and video files as JSON: format, streams, chapters, length',
      capabilities: ['media_analysis'],
      // A playlist names other files and addresses: they are not opened.
      command: [
        ...['ffprobe', '-hide_banner', '-loglevel', 'error', '-protocol_whitelist', 'file'],
        ...['-show_format', '-show_streams', '-show_chapters', '-of', 'json', '${{ file.path }}'],
      ],
    },
  }),
};

const ffmpeg: Tool = {
  ...{ name: 'ffmpeg', title: 'FFmpeg', programs: ['ffmpeg'], install: installed('ffmpeg') },
  ...{ minimumVersion: '0', versionArgs: ['-version'], helpArgs: [], versionPattern: looseVersion },
  purpose: 'the sound of audio and video files as 16 kHz FLAC, as speech recognition wants it',
  capabilities: ['audio_extraction'],
  telltale: '-vn',
  proposal: () => ({
    name: 'audio_track',
    entry: {
      ...{ kind: 'command', type: 'specialist' },
      description: 'The sound of audio and video files as 16 kHz FLAC, as speech recognition wants it',
      capabilities: ['audio_extraction'],
      command: [
        ...['sh', '-c'],
        'exec ffmpeg -nostdin -loglevel error -protocol_whitelist file -i "$SLUICE_FILE" -vn -ac 1 -ar 16000 "$SLUICE_OUTPUT_DIR/audio.flac"',
      ],
    },
  }),
};

const docker: Tool = {
  ...{ name: 'docker', title: 'Docker', programs: ['docker'] },
  install: 'see https://docs.docker.com/engine/install/',
  ...{ minimumVersion: '0', versionArgs: ['--version'], helpArgs: ['build', '--help'] },
  versionPattern: /\d{1,9}(?:\.\d{1,9})+/,
  purpose: 'checks Dockerfiles by the rules of BuildKit, without building anything',
  capabilities: ['dockerfile_check'],
  needs: { flags: ['--check'], fix: 'Install buildx 0.15 or newer: https://docs.docker.com/go/buildx/' },
  telltale: '--check',
  hasService: (env) => hostOf(env) !== undefined,
  service: dockerProblem,
  proposal: (env) => ({ name: 'dockerfile_check', entry: dockerEntry(env) }),
};

const pandoc: Tool = {
  ...{ name: 'pandoc', title: 'pandoc', programs: ['pandoc'], install: installed('pandoc') },
  ...{ minimumVersion: '2.15', versionArgs: ['--version'], helpArgs: ['--help'] },
  versionPattern: /\d{1,9}(?:\.\d{1,9})+/,
  purpose: 'documents (docx, odt, epub, html, rtf …) as Markdown, which other agents can read',
  capabilities: ['document_conversion'],
  needs: { flags: ['--sandbox'], fix: `Update it: \`${installed('pandoc')}\`` },
  proposal: () => ({
    name: 'document_text',
    entry: {
      ...{ kind: 'command', type: 'specialist' },
      description: 'Documents (docx, odt, epub, html, rtf …) as Markdown, which other agents can read',
      capabilities: ['document_conversion'],
      // `--sandbox`: a document that includes other files includes nothing.
      command: ['pandoc', '--sandbox', '--wrap=none', '--to=gfm', '${{ file.path }}'],
    },
  }),
};

export const tools: readonly Tool[] = [ffprobe, ffmpeg, docker, pandoc];

const defaultSocket = '/var/run/docker.sock';

/** Where the daemon listens, if it seems to be there. */
function hostOf(env: NodeJS.ProcessEnv): string | undefined {
  if (env.DOCKER_HOST) return env.DOCKER_HOST;
  if (existsSync(defaultSocket)) return `unix://${defaultSocket}`;
  const rootless = `${env.XDG_RUNTIME_DIR ?? '/nowhere'}/docker.sock`;
  return existsSync(rootless) ? `unix://${rootless}` : undefined;
}

function dockerEntry(env: NodeJS.ProcessEnv): Proposal['entry'] {
  const host = hostOf(env);
  return {
    ...{ kind: 'command', type: 'specialist' },
    description: 'Checks Dockerfiles by the rules of BuildKit, without building anything',
    capabilities: ['dockerfile_check'],
    // `# syntax=` in a Dockerfile names an image that would be run to read it: only the official one may.
    command: [
      ...['docker', 'build', '--check', '--build-arg', 'BUILDKIT_SYNTAX=docker/dockerfile:1'],
      ...['--file', '${{ file.path }}', '${{ file.dir }}'],
    ],
    ...(host !== undefined && host !== `unix://${defaultSocket}` && { env: { DOCKER_HOST: host } }),
    sandbox: { mode: 'off', reason: 'it only asks the Docker daemon, whose socket the sandbox hides' },
  };
}

async function dockerProblem({ file, path, env, signal }: ServiceQuestion): Promise<ToolProblem | undefined> {
  const host = hostOf(env);
  await using home = await openThrowAwayHome();
  const answer = await askProgram(file, ['version', '--format', '{{.Server.Version}}'], {
    ...{ path, home, signal, ...(host !== undefined && { env: { DOCKER_HOST: host } }) },
  });
  if (answer.is === 'answered') return undefined;
  return {
    problem: `its daemon does not answer: \`docker version\` ${answer.message}`,
    fix: 'Start it (`sudo systemctl start docker`), and make sure that you may use it (`docker version`).',
  };
}
