/**
 * The spellings in which a secret turns up in output: as it is, in JSON, in a URL, in base64 (also in the middle of a
 * longer text, as in a Basic authorization header). Hashes and encryption by the agent itself are out of reach.
 */

/** Shorter values would redact half of every text; they are refused as secrets. */
export const minSecretLength = 4;
/** A piece of base64 shorter than this stands in any picture by chance. */
const minBase64Length = 6;

/** All distinct spellings of a value but those in base64, the value first. */
export function formsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const ascii = json.replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const url = encodeURIComponent(value.toWellFormed());
  const strictUrl = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const forms = [
    value,
    json,
    json.replaceAll('/', '\\/'),
    ascii,
    url,
    strictUrl,
    lower(url),
    lower(strictUrl),
    new URLSearchParams([['', value]]).toString().slice(1),
    strictUrl.replaceAll('%20', '+'),
  ];
  return [...new Set(forms)];
}

/** Programs break these into lines, at any place. */
export function base64FormsOf(value: string): string[] {
  const forms = [0, 1, 2].flatMap((shift) => {
    const text = base64At(value, shift);
    if (text.length < minBase64Length) return [];
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [...new Set(forms)];
}

/** The characters of a base64 text that the value alone decides when `shift` bytes (modulo 3) stand before it. */
function base64At(value: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value, 'utf8')]);
  const whole = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(Math.ceil((shift * 8) / 6), whole);
}
