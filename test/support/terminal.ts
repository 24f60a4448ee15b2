import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'

export interface Terminal {
  /** Types a line, and Enter. */
  readonly type: (text: string) => void
  /** Presses a key, by the name that tmux has for it: `C-z`. */
  readonly press: (key: string) => void
  readonly screen: (escapes?: boolean) => string
  /** All that was ever written to it. */
  readonly log: () => string
  readonly showsCursor: () => boolean
  /** Takes the terminal away from what runs in it. */
  readonly hangUp: () => void
}

let terminals = 0

/** A real terminal: a tmux server of its own, so that it meddles with nobody's, nor with one that is just ending. */
export function openTerminal(cwd: string, columns: number, rows: number, command = 'sh'): Terminal {
  const server = `a2a-totp-${process.pid}-${++terminals}`
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', server, ...args], {
      cwd,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: cwd,
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        HISTFILE: '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString()
  const record = join(cwd, 'terminal.log')
  writeFileSync(record, '')
  const size = ['-x', String(columns), '-y', String(rows)]
  tmux('-f', '/dev/null', 'new-session', '-d', ...size, command, ';', 'pipe-pane', `cat >> '${record}'`)
  let open = true
  const hangUp = (): void => {
    if (open) tmux('kill-server')
    open = false
  }
  onTestFinished(() => {
    try {
      hangUp()
    } catch {
      // It has ended with what ran in it.
    }
  })
  return {
    // Literally: `end` would be the End key.
    type: (text) => void tmux('send-keys', '-l', '--', text, ';', 'send-keys', 'Enter'),
    press: (key) => void tmux('send-keys', key),
    screen: (escapes = false) => tmux('capture-pane', '-p', ...(escapes ? ['-e'] : [])),
    log: () => readFileSync(record, 'utf8'),
    showsCursor: () => tmux('display-message', '-p', '#{cursor_flag}').trim() === '1',
    hangUp,
  }
}

/** Waits for what a terminal shows, or for what runs in it. */
export async function until(check: () => boolean): Promise<void> {
  const end = Date.now() + 100_000
  while (!check()) {
    if (Date.now() > end) throw new Error('it never came to that')
    await delay(100)
  }
}
