/** A file that is about to get its final name. */
export interface Placed {
  readonly jobId: string;
  readonly root: string;
  readonly path: string;
  readonly change: 'added' | 'changed';
  /** `formatStamp` of the version that will stand there. */
  readonly stamp: string;
  readonly sha256: string;
}

export type OnPlaced = (placed: Placed) => void | Promise<void>;
