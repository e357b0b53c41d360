/** Values for `-c key=value`, which Codex CLI reads as TOML. */

/** A basic string: JSON's escapes are TOML's too, but for the two that TOML does not let stand. */
export function tomlText(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007f');
}

/** `{a="x",b=false}`; keys are quoted, since paths and names are no bare keys. */
export function tomlTable(fields: Readonly<Record<string, string | boolean>>): string {
  const entries = Object.entries(fields).map(
    ([key, value]) => `${tomlText(key)}=${typeof value === 'string' ? tomlText(value) : value}`,
  );
  return `{${entries.join(',')}}`;
}
