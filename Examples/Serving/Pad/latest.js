/**
 * Makes of a function one that runs once at a time. Of the calls that come meanwhile only the newest is kept.
 * @param {(...args: any[]) => Promise<void>} run
 */
export function latest(run) {
  let waiting = null, isRunning = false;
  return async (...args) => {
    waiting = args;
    if (isRunning)
      return;
    isRunning = true;
    try {
      while (waiting !== null) {
        const next = waiting;
        waiting = null;
        await run(...next);
      }
    } finally {
      isRunning = false;
    }
  };
}
