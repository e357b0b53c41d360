/**
 * What Copilot was refused. It says only that: whether the tool or the place was meant has to be told from the call. A
 * call that may have failed for both gives two denials, since one launch must lift whatever it was.
 */
import { dirname, isAbsolute } from 'node:path';
import type { Denial } from '../../../types/agent-cli.ts';
import { oneLine } from '../reading/events.ts';
import { type Json, textOf } from '../reading/values.ts';

export interface Call {
  readonly tool: string;
  readonly args: Json;
}

export function fileOf({ args }: Call): string | undefined {
  return textOf(args.path) ?? textOf(args.file_path);
}

export function denialsOf(call: Call): readonly Denial[] {
  const { tool, args } = call;
  const file = fileOf(call);
  const about = { tool, ...(file !== undefined && { file }) };
  switch (tool) {
    case 'view':
    case 'grep':
    case 'glob':
    case 'rg':
      return [outside(about, tool === 'view' ? dirname : (path) => path, false)];
    case 'create':
    case 'edit':
    case 'str_replace_editor':
    case 'apply_patch': {
      const write: Denial = {
        ...about,
        message: `${tool} ${file ?? ''}: it may not change files`,
        cure: { kind: 'access', access: 'edit' },
      };
      return file !== undefined && isAbsolute(file) ? [write, outside(about, dirname, true)] : [write];
    }
    default: {
      const main = textOf(args.command) ?? textOf(args.url) ?? '';
      return [
        {
          ...about,
          message: `${tool} ${oneLine(main, 200)}: it may not use this tool, or not there`.trim(),
          // One tool would not do: commands name files and addresses, which it checks too.
          cure: { kind: 'access', access: 'all' },
        },
      ];
    }
  }
}

function outside(
  about: Pick<Denial, 'tool' | 'file'>,
  folderOf: (path: string) => string,
  write: boolean,
): Denial {
  const { tool, file } = about;
  return {
    ...about,
    message: `${tool} ${file ?? ''}: outside of the folders that it was given`,
    ...(file !== undefined &&
      isAbsolute(file) && { cure: { kind: 'directory', path: folderOf(file), write } as const }),
  };
}
