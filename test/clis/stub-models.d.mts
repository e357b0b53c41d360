/** The part of the stub model server that tests use; what it plays stands at the top of `stub-models.mjs`. */
export interface StubRequest {
  readonly n: number;
  readonly api: string;
  readonly scenario: string;
  readonly turn: number;
  readonly path: string;
  readonly model: string;
  /** It came with a key. */
  readonly auth: boolean;
}
export function startStub(options?: object): Promise<{
  readonly port: number;
  readonly url: string;
  base(scenario: string): string;
  requests(): readonly StubRequest[];
  addScenario(name: string, turns: readonly object[] | ((body: object) => readonly object[])): void;
  close(): Promise<void>;
}>;
