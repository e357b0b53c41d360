/**
 * A file name is data: control and direction characters in it would move the cursor, or the eye, of whoever reads. Bytes
 * that are no text (`path-bytes.ts`) are shown as `\xff`.
 */
export function printableName(path: string): string {
  const text = path.replace(/[\uef80-\uefff]/g, (char) => `\\x${(char.charCodeAt(0) - 0xef00).toString(16)}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
