import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { invalidImport } from './fields.js'
import { parsePng } from './png.js'
import type { Found } from './qr-worker.js'

/** How long to look for a code. A screenshot takes less than a second. */
const longestMs = 10_000

/**
 * The bundle of `qr-worker.ts`, beside the bundle that this is part of; for the source, that of the last build. A thread
 * can only be started from a file.
 */
const workerFile = resolve(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../dist/cli' : '.',
  'import-qr-worker.cjs',
)

/**
 * Returns the text of the QR code in a PNG image. It is read in a thread, which is ended when the signal is aborted or
 * when it takes too long: an image of noise keeps the reader busy for minutes.
 *
 * @throws {TOTPError} `ERR_IMPORT_INVALID` when the image is damaged, too large or without a QR code
 */
export async function readQr(bytes: Uint8Array, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  // Refused without a thread if its header shows what is wrong.
  parsePng(bytes)
  const found = await inThread(bytes, signal)
  if (found === 'too long')
    throw invalidImport(`no QR code found in this image in ${longestMs / 1000} s; ${crop}`)
  if ('problem' in found) throw invalidImport(found.problem)
  if (found.text) return found.text
  throw invalidImport(`no QR code found in this image; ${crop}`)
}

const crop = 'crop it to the code and its white border'

function inThread(bytes: Uint8Array, signal: AbortSignal): Promise<Found | 'too long'> {
  const worker = new Worker(workerFile, {
    workerData: bytes,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  })
  let end = (): void => undefined
  const ended = new Promise<Found | 'too long'>((done, fail) => {
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
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        done({ problem: `the image takes too much memory; ${crop}` })
      else fail(error)
    })
  })
  return ended.finally(end)
}
