import { expect, vi } from 'vitest'

/**
 * How long a test waits for an event that has to come, in milliseconds. A test that passes does not wait so long; a second, which is
 * what vitest waits by itself, is less than a busy machine may stand still. $PATIENCE_MS is for runs in which many tests are to fail.
 */
const patienceMs = Number(process.env['PATIENCE_MS'] ?? 30_000)

const { waitFor, waitUntil } = vi
vi.waitFor = (callback, options) => waitFor(callback, patient(options))
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options))

const { poll } = expect
expect.poll = (callback, options) => poll(callback, { timeout: patienceMs, ...options })

function patient<Options extends { timeout?: number }>(options: number | Options | undefined): Options {
  const given = typeof options === 'number' ? { timeout: options } : options
  return { timeout: patienceMs, ...given } as Options
}
