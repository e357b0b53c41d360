/**
 * A prompt in which Gemini CLI sees no commands of its own. At its beginning `/word` is a command, and everywhere `@word` is
 * a file or folder whose content it adds, or an agent that it then tells the model to use: in text that came with a dropped
 * file either must not be. No setting turns that off; a backslash does, which the model gets to see, hence the note.
 */
const note = 'In this message "\\@" stands for the at sign alone.';

export function harmlessPrompt(prompt: string): string {
  const text = prompt.replace(/(?<!\\)@(?=\S)/g, '\\@');
  if (text !== prompt) return `${note}\n\n${text}`;
  return text.startsWith('/') ? `\n${text}` : text;
}
