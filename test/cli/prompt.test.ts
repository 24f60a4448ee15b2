import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ask } from '../../src/cli/io/prompt.js'
import { TypedLine, type Typed } from '../../src/cli/io/typed-line.js'
import { main } from '../../src/cli/main.js'
import { makeStore } from '../support/cli.js'

describe('a line that is typed', () => {
  const line = (text: string): Typed => ({ kind: 'line', line: text })
  it.each([
    ['correct horse\r', line('correct horse')],
    ['correct horse\n', line('correct horse')],
    ['correct horse\r\nbattery\r\n', line('correct horse')],
    ['\r', line('')],
    ['  a\tb  \r', line('  a\tb  ')],
    ['horsé🐎\r', line('horsé🐎')],
    ['abc\x7f\x7fd\b\r', line('a')],
    ['\x7f\x7fa\r', line('a')],
    ['a🐎\x7f\r', line('a')],
    ['wrong\x15right\r', line('right')],
    ['correct horse \x17\r', line('correct ')],
    ['a\x1b[D\x1b[3~\x1b[1;5C\x1bOPb\r', line('ab')],
    ['a\x00\x01\x07b\r', line('ab')],
    ['a\x04\r', line('a')],
    ['\x04', { kind: 'end' }],
    ['a\x15\x04', { kind: 'end' }],
    ['a\x03b\r', { kind: 'signal', signal: 'SIGINT' }],
    ['a\x1ab\r', { kind: 'signal', signal: 'SIGTSTP' }],
    ['a\x1c', { kind: 'signal', signal: 'SIGQUIT' }],
    ['not yet', undefined],
  ])('%j comes to %j', (keys, typed) => {
    expect(new TypedLine().add(Buffer.from(keys))).toEqual(typed)
  })

  it('may come byte by byte', () => {
    const typed = new TypedLine()
    const events = [...Buffer.from('é🐎\r')].map((byte) => typed.add(Uint8Array.of(byte)))
    expect(events.filter((event) => event !== undefined)).toEqual([line('é🐎')])
  })
})

/** A terminal that somebody types at. */
function fakeTerminal() {
  const shown: string[] = []
  const modes: boolean[] = []
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
  })
  const stderr = { isTTY: true, columns: 80, write: (text: string) => shown.push(text) > 0 }
  return { stdin, stderr, modes, text: () => shown.join('') }
}

describe('a question', () => {
  const { signal } = new AbortController()

  it('is made harmless, whatever it quotes', async () => {
    const { stdin, stderr, text } = fakeTerminal()
    stdin.write('y\n')
    expect(await ask('Remove \x1b[2Jalice\n::error::?', { stdin, stderr, signal })).toBe('y')
    expect(text()).toBe('\rRemove  [2Jalice : :error: :? ')
  })

  it('leaves the terminal as it is, but for a hidden answer', async () => {
    const visible = fakeTerminal()
    visible.stdin.write('y\n')
    await ask('Sure?', { ...visible, signal })
    expect(visible.modes).toEqual([])
    const hidden = fakeTerminal()
    hidden.stdin.write('horse\r')
    expect(await ask('passphrase:', { ...hidden, signal, hidden: true })).toBe('horse')
    expect(hidden.modes.slice(-2)).toEqual([true, false])
    expect(hidden.text()).toBe('\rpassphrase: \n')
  })

  it('has no answer where the input ends, and neither has the next one', async () => {
    const { stdin, stderr } = fakeTerminal()
    stdin.end('y')
    expect(await ask('Sure?', { stdin, stderr, signal })).toBeUndefined()
    expect(await ask('Really?', { stdin, stderr, signal })).toBeUndefined()
  })

  it('takes the next line for the next question', async () => {
    const { stdin, stderr } = fakeTerminal()
    for (const given of ['one', 'two']) {
      const answer = ask('passphrase:', { stdin, stderr, signal, hidden: true })
      await turn()
      stdin.write(`${given}\r`)
      expect(await answer).toBe(given)
    }
  })

  it('ends when it is interrupted', async () => {
    const { stdin, stderr, text } = fakeTerminal()
    const interruption = new AbortController()
    const answer = ask('Sure?', { stdin, stderr, signal: interruption.signal })
    await turn()
    interruption.abort('SIGTERM')
    await expect(answer).rejects.toThrow('interrupted')
    expect(text()).toBe('\rSure? \n')
    expect(stdin.isPaused()).toBe(true)
  })

  it.each([
    { typed: 'n\n', exitCode: 1, code: 'ERR_DECLINED' },
    { typed: '\n', exitCode: 1, code: 'ERR_DECLINED' },
    { typed: '', exitCode: 2, code: 'ERR_CONFIRMATION_NEEDED' },
    { typed: 'y', exitCode: 2, code: 'ERR_CONFIRMATION_NEEDED' },
  ])('answered with $typed and the end of input exits with $exitCode', async ({ typed, exitCode, code }) => {
    const cwd = await makeStore(['alice'])
    const { stdin, stderr, text } = fakeTerminal()
    stdin.end(typed)
    const stdout = fakeTerminal()
    const run = main(['remove-peer', 'alice'], {
      env: {},
      cwd,
      stdin: () => stdin,
      stdout: stdout.stderr,
      stderr,
      signal,
    })
    expect(await run).toBe(exitCode)
    expect(text()).toContain(code)
    expect(stdout.text()).toBe('')
  })
})
