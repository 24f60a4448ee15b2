import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'

/** The folder of the bundles: that of this one; for the source, that of the last build. A thread is started from a file. */
const bundles = resolve(import.meta.dirname, import.meta.filename.endsWith('.ts') ? '../../dist/cli' : '.')

/** What became of the work of a thread that did not answer. */
export type Unfinished = 'too long' | 'too much memory'

/**
 * Lets a thread of its own do what can take minutes with the wrong input and cannot be interrupted, such as parsing. The
 * thread is ended when the signal is aborted, or when it takes too long or too much memory.
 *
 * @param bundle the file of the thread, in the folder of the bundles
 * @param data what the thread is given as `workerData`
 * @returns what it posts first
 */
export async function inThread<T>(
  bundle: string,
  data: unknown,
  { longestMs, signal }: { readonly longestMs: number; readonly signal: AbortSignal },
): Promise<T | Unfinished> {
  signal.throwIfAborted()
  const worker = new Worker(resolve(bundles, bundle), {
    workerData: data,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  let end = (): void => undefined
  const ended = new Promise<T | Unfinished>((done, fail) => {
    const timer = setTimeout(() => done('too long'), longestMs)
    const interrupt = (): void => fail(new Error('interrupted'))
    signal.addEventListener('abort', interrupt)
    end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', interrupt)
      void worker.terminate()
    }
    worker.once('message', done)
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') done('too much memory')
      else fail(error)
    })
  })
  return ended.finally(end)
}
