/** Line by line without an array of all of them: a text of line ends alone would make 16 million strings. */

/** Calls `take` for each line without its end (`\n`, `\r\n`); returning `false` stops. `last` has no line end after it. */
export function eachLine(text: string, take: (line: string, number: number, last: boolean) => unknown): void {
  let from = 0;
  for (let number = 1; from < text.length; number += 1) {
    const end = text.indexOf('\n', from);
    const last = end === -1;
    let to = last ? text.length : end;
    if (to > from && text.charCodeAt(to - 1) === 13) to -= 1;
    if (take(text.slice(from, to), number, last) === false || last) return;
    from = end + 1;
  }
}
