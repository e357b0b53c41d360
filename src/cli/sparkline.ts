/** A row of numbers as a row of bars: zero is the lowest bar, the highest number the highest; nothing known is a gap. */
const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** @param width At most so many characters: neighbours become one, the highest of them. */
export function sparkline(numbers: readonly (number | null)[], width: number): string {
  const fitted = numbers.length > width ? squeeze(numbers, width) : numbers;
  const highest = Math.max(0, ...fitted.map((n) => n ?? 0));
  return fitted
    .map((n) => {
      if (n === null) return ' ';
      if (highest === 0 || n <= 0) return bars[0];
      // Little is still more than nothing.
      return bars[Math.max(1, Math.ceil((n / highest) * (bars.length - 1)))];
    })
    .join('');
}

function squeeze(numbers: readonly (number | null)[], width: number): (number | null)[] {
  return Array.from({ length: width }, (_, at) => {
    const part = numbers.slice(
      Math.floor((at * numbers.length) / width),
      Math.floor(((at + 1) * numbers.length) / width),
    );
    const known = part.filter((n) => n !== null);
    return known.length === 0 ? null : Math.max(...known);
  });
}
