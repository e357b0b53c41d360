/** How a running attempt reaches the state of its session (`sluice state`): made before it starts, void when it has ended. */
export interface AttemptState {
  /** Unix socket; `SLUICE_STATE_SOCKET` in its environment. */
  readonly socket: string;
  /** `SLUICE_STATE_TOKEN`: opens this one session, as this one agent. */
  readonly token: string;
  /** Goes in front of its PATH: holds a `sluice`. */
  readonly commandsDir: string;
  /** Files and folders that `sluice` consists of. A sandbox shows them and the two above read-only. */
  readonly parts: readonly string[];
  /** The Node that runs it: visible, too, with the installation around it. */
  readonly node: string;
}
