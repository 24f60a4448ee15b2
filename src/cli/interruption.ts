/** Waits; returns early when the signal is aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((done) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      done()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}

/** Waits for work that does not observe the signal. Throws when it is aborted, and abandons the work. */
export function unlessInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // Nobody waits for it any more, so nobody would hear that it failed.
    work.catch(() => undefined)
    return Promise.reject(new Error('interrupted'))
  }
  let end = (): void => undefined
  const interruption = new Promise<never>((_, fail) => {
    end = () => fail(new Error('interrupted'))
    signal.addEventListener('abort', end)
  })
  // Else a command that works again and again would hold every promise of its life.
  return Promise.race([work, interruption]).finally(() => signal.removeEventListener('abort', end))
}
