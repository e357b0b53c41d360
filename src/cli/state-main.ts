/** The entry of `sluice state` inside an attempt. */
export {};
