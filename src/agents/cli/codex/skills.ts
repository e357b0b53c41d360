/**
 * Skills that a prompt would pull in. Where the prompt says `$name` or `[$name](…/SKILL.md)`, Codex CLI adds the skill of
 * that name to it, also one that lies in the folder it works in, trusted or not. Two dropped files, one with a skill and one
 * that names it, would then give it orders. No setting turns that off; a skill can be switched off by name or path, so those
 * that the prompt names are. Writing the prompt's `$` in another way would change the data.
 */
import { tomlTable } from './toml.ts';

/** One argument holds at most 128 KiB. */
const maxChars = 100_000;
/** Longer ones are no names: Codex takes up to 64 characters, twice for those of plugins. */
const maxName = 130;
const maxPath = 4_096;

export interface HarmlessPrompt {
  /** The value of `skills.config`; undefined: the prompt names none. */
  readonly config?: string;
  /** As it was; of a prompt with thousands of such names those that no longer fit are parted from their `$`. */
  readonly prompt: string;
}

export function withoutSkills(prompt: string): HarmlessPrompt {
  const rules: string[] = [];
  const known = new Set<string>();
  let chars = 0;
  const takeIn = (key: 'name' | 'path', value: string, max: number): boolean => {
    if (value.length > max || known.has(value)) return true;
    const rule = tomlTable({ [key]: value, enabled: false });
    // Bytes count, and a path may hold characters of several.
    chars += Buffer.byteLength(rule) + 1;
    if (chars > maxChars) return false;
    known.add(value);
    rules.push(rule);
    return true;
  };
  // The link is only looked at: a name may stand in its path, too.
  const harmless = prompt.replace(
    /\$([A-Za-z0-9_:-]+)(?=\]\s*\(([^)]{1,4200})\)|)/g,
    (whole, name: string, link: string | undefined) => {
      const path = link?.trim().replace(/^skill:\/\//, '') ?? '';
      const isTaken = takeIn('name', name, maxName);
      const isOff = !path.startsWith('/') || takeIn('path', path, maxPath);
      return isTaken && isOff ? whole : `$\u200b${name}`;
    },
  );
  return { prompt: harmless, ...(rules.length > 0 && { config: `[${rules.join(',')}]` }) };
}
