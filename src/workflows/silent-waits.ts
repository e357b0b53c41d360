/**
 * Jobs of an agent that is left alone are parked many at a time, without a word to each of them. Who follows a job looks
 * now and then whether it is one of them.
 */
const firstMs = 2_000;
const longestMs = 30_000;

/** @param look Resolves to true where looking again soon would see the same. Is not called again before it has ended. */
export function lookNowAndThen(look: () => Promise<boolean>): Disposable {
  let pauseMs = firstMs;
  let isOver = false;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    timer = setTimeout(() => {
      look()
        .then(
          (isSame) => {
            pauseMs = isSame ? Math.min(longestMs, pauseMs * 2) : firstMs;
          },
          // The ledger refuses, or is closed: whoever waits for the job hears of that elsewhere.
          () => {},
        )
        .then(() => {
          if (!isOver) arm();
        });
    }, pauseMs).unref();
  };
  arm();
  return {
    [Symbol.dispose]() {
      isOver = true;
      clearTimeout(timer);
    },
  };
}
