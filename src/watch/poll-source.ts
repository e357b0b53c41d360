/** The source for mounts that deliver no events: it gives no hints at all; frequent sweeps do the work. */
import type { EnterResult, Source } from './source.ts';

export class PollSource implements Source {
  async open(): Promise<void> {}

  async close(): Promise<void> {}

  enter(): EnterResult {
    return 'watched';
  }

  retain(): void {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
