/** More than a timer of ten milliseconds is late by in a process that has a processor for itself. */
const mostOfATick = 25

/**
 * Counts the milliseconds that this process could use: those for which the machine stands still, or is busy with others, do not
 * count. What promises to happen within a second then does so on a busy machine too.
 *
 * @returns a function with the milliseconds until now, less than has passed by the clock
 */
export function ownTime(): () => number {
  let [spent, last] = [0, performance.now()]
  const timer = setInterval(() => {
    const now = performance.now()
    spent += Math.min(now - last, mostOfATick)
    last = now
  }, 10)
  timer.unref()
  return () => spent
}

/** Resolves with a value after so many milliseconds of {@link ownTime}. */
export function ownSleep<Value>(ms: number, value?: Value): Promise<Value | undefined> {
  const spent = ownTime()
  return new Promise((done) => {
    const timer = setInterval(() => {
      if (spent() < ms) return
      clearInterval(timer)
      done(value)
    }, 10)
  })
}
