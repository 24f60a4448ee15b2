// Runs one part of scripts/test-long.mjs.
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import { stripVTControlCharacters } from 'node:util'

/** So long what is to end may take to do so. */
const patienceMs = 10_000

/**
 * Runs a part to its end, shows what it prints, and keeps that in a file.
 *
 * @param {readonly string[]} args of Node
 * @param {{ cwd: string, log: string, signal: AbortSignal }} where `signal` ends the part, with all that it started
 * @returns {Promise<{ passed: boolean, seconds: number, lastLine: string }>}
 */
export function runPart(args, { cwd, log, signal }) {
  const begin = performance.now()
  const file = createWriteStream(log)
  // A group of its own: whatever the part starts ends with it.
  const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let end = ''
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.on('data', (chunk) => {
      to.write(chunk)
      file.write(chunk)
      end = (end + chunk.toString()).slice(-2000)
    })
  }
  const kill = (/** @type {NodeJS.Signals} */ how) => {
    try {
      process.kill(-child.pid, how)
    } catch {
      // It has ended.
    }
  }
  let last
  const stop = () => {
    kill('SIGTERM')
    last = setTimeout(kill, patienceMs, 'SIGKILL')
  }
  signal.addEventListener('abort', stop, { once: true })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop)
      clearTimeout(last)
      file.end()
      const lines = stripVTControlCharacters(end).split('\n')
      const lastLine = lines.findLast((line) => line.trim() !== '')?.trim() ?? ''
      done({ passed: code === 0, seconds: (performance.now() - begin) / 1000, lastLine })
    })
  })
}
