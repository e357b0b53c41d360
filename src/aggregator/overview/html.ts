/**
 * HTML from data that nobody vouches for: whatever is put into the template is escaped unless it was made by the template
 * itself. Escaping by hand at each place was rejected: one forgotten call makes a file name a program.
 */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | undefined | false | readonly (Html | undefined | false)[];

/** `undefined` and `false` leave nothing; lists are joined. Attribute values stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] as string;
  for (const [i, value] of values.entries()) text += render(value) + (parts[i + 1] as string);
  return new Html(text);
}

function render(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeHtml(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.toWellFormed().replace(/[&<>"']/g, (char) => entities[char] as string);
}

/** A relative link to a folder, from the names on the way to it: any name works, none leads elsewhere. */
export function folderHref(place: readonly string[]): string {
  return `${place.map((name) => encodeURIComponent(name.toWellFormed())).join('/')}/`;
}
