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
  const interruption = new Promise<never>((_, fail) => {
    const end = (): void => fail(new Error('interrupted'))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
  })
  return Promise.race([work, interruption])
}
