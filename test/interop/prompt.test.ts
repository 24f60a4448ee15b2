import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { binary, makeFolder, makeStore, runCli } from '../support/cli.js'
import { openTerminal, until, type Terminal } from '../support/terminal.js'

/** bash gives the terminal back its modes when a job stops; a plain sh, such as dash, takes it as it is. */
const shells = ['sh', 'bash --noprofile --norc']

/** What is typed at a hidden question: an age identity, since a passphrase takes its time. */
let secret: string
let recipient: string

beforeAll(async () => {
  secret = await generateIdentity()
  recipient = await identityToRecipient(secret)
})

const visible = 'Remove alice from agent? [y/N]'
const hidden = 'age identity of the store, or a file with one:'

/** An interactive shell in a folder, and a command line of ours that it runs as a job. */
class Session {
  readonly cwd: string
  readonly terminal: Terminal
  /** How much was on the terminal when something was last typed, pressed or sent. */
  #before = 0
  #looks = 0

  constructor(cwd: string, shell: string) {
    this.cwd = cwd
    this.terminal = openTerminal(cwd, 120, 40, shell)
  }

  /** Starts a command line, and waits for what it asks. */
  async asks(question: string, args: string): Promise<void> {
    this.type(`${job(args)}; echo "ended with $?"`)
    await this.shows(question)
  }

  type(text: string): void {
    this.#before = this.terminal.log().length
    this.terminal.type(text)
  }

  press(key: string): void {
    this.#before = this.terminal.log().length
    this.terminal.press(key)
  }

  kill(signal: NodeJS.Signals): void {
    this.#before = this.terminal.log().length
    process.kill(this.pid, signal)
  }

  /** Waits until that has led to this text. */
  shows(text: string): Promise<void> {
    return until(() => this.terminal.log().slice(this.#before).includes(text))
  }

  async stops(): Promise<void> {
    await until(() => stateOf(this.pid) === 'T')
    await this.shows('Stopped')
  }

  /** Waits until the shell has noticed that it stopped, which may have been long ago. */
  async isStopped(): Promise<void> {
    do {
      const look = ++this.#looks
      this.type(`jobs; echo "look $((${look}))"`)
      await this.shows(`look ${look}\r\n`)
    } while (!this.terminal.log().slice(this.#before).includes('Stopped'))
  }

  /** Continues it, and waits for the same question. */
  async asksAgain(question: string): Promise<void> {
    this.type('fg; echo "ended with $?"')
    await this.shows(question)
  }

  endsWith(exitCode: number): Promise<void> {
    return this.shows(`ended with ${exitCode}\r\n`)
  }

  /** Waits until the shell reads on, and looks whether it does so as it did before. */
  async isUsable(): Promise<void> {
    const look = ++this.#looks
    this.type(`stty -a > modes; echo "look $((${look}))"`)
    await this.shows(`look ${look}\r\n`)
    const modes = readFileSync(join(this.cwd, 'modes'), 'utf8').split(/[\s;]+/)
    expect(modes).toEqual(expect.arrayContaining(['icanon', 'echo', 'isig', 'icrnl']))
  }

  get pid(): number {
    return Number(readFileSync(join(this.cwd, 'pid'), 'utf8'))
  }
}

/** A command line of ours, as shells are given it. The process leaves its id in the file `pid`. */
const job = (args: string): string => `sh -c 'echo $$ > pid; exec "${process.execPath}" "${binary}" ${args}'`

/** `T` where a process is stopped; undefined where there is none. */
function stateOf(pid: number): string | undefined {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

const gone = (pid: number) => (): boolean => [undefined, 'Z'].includes(stateOf(pid))

async function visibleQuestion(shell = 'sh'): Promise<Session & { peers: () => Promise<number> }> {
  const cwd = await makeStore(['alice'])
  const session = new Session(cwd, shell)
  await session.asks(visible, 'remove-peer alice')
  const peers = async (): Promise<number> => {
    const { stdout } = await runCli(['list', '--json'], { cwd })
    return (JSON.parse(stdout) as { peers: unknown[] }).peers.length
  }
  return Object.assign(session, { peers })
}

async function encryptedStore(): Promise<string> {
  const cwd = await makeStore(['alice'])
  expect((await runCli(['encrypt', '--encrypt-to', recipient], { cwd })).exitCode).toBe(0)
  return cwd
}

async function suspend(session: Session): Promise<void> {
  session.press('C-z')
  await session.stops()
}

/** Presses a key, or sends a signal. */
function interrupt(session: Session, by: string): void {
  if (by.startsWith('SIG')) session.kill(by as NodeJS.Signals)
  else session.press(by)
}

/** What was typed at it must never be on the screen. */
async function hiddenQuestion(shell = 'sh'): Promise<Session & { answers: () => Promise<void> }> {
  const session = new Session(await encryptedStore(), shell)
  await session.asks(hidden, 'list')
  const answers = async (): Promise<void> => {
    session.type(secret)
    await session.shows('alice')
    await session.endsWith(0)
    await session.isUsable()
    expect(session.terminal.log()).not.toContain(secret.slice(0, 20))
  }
  return Object.assign(session, { answers })
}

describe.each(shells)('in %s, Ctrl-Z and fg', (shell) => {
  it.each([
    { answer: 'y', exitCode: 0, left: 0 },
    { answer: 'n', exitCode: 1, left: 1 },
  ])(
    'at a visible question ask it again, and the answer $answer counts',
    async ({ answer, exitCode, left }) => {
      const session = await visibleQuestion(shell)
      for (let times = 1; times <= 2; times++) {
        await suspend(session)
        await session.isUsable()
        await session.asksAgain(visible)
        expect(await session.peers()).toBe(1)
      }
      session.type(answer)
      await session.endsWith(exitCode)
      expect(await session.peers()).toBe(left)
      await session.isUsable()
    },
  )

  it('at a hidden question ask it again, and nothing that is typed is shown', async () => {
    const session = await hiddenQuestion(shell)
    for (let times = 1; times <= 2; times++) {
      // What was typed before counts no more.
      session.press('half-an-answer')
      await suspend(session)
      await session.isUsable()
      await session.asksAgain(hidden)
    }
    await session.answers()
    expect(session.terminal.log()).not.toContain('half-an')
  })

  it('at the second question for a new passphrase ask that one again', async () => {
    const session = new Session(makeFolder(), shell)
    await session.asks('new passphrase:', 'init --passphrase')
    session.type('correct horse')
    await session.shows('repeat the passphrase:')
    await suspend(session)
    await session.asksAgain('repeat the passphrase:')
    session.type('correct horse')
    await session.endsWith(0)
    expect(session.terminal.log()).not.toContain('horse')
  })

  it('stop and continue the whole job, whoever waits for the process', async () => {
    const session = new Session(await encryptedStore(), shell)
    session.type(`sh -c '"${process.execPath}" "${binary}" list; echo "list ended with $?"'; echo done`)
    await session.shows(hidden)
    session.press('C-z')
    await session.shows('Stopped')
    await session.isUsable()
    session.type('fg')
    await session.shows(hidden)
    session.type(secret)
    await session.shows('list ended with 0')
    expect(session.terminal.log()).not.toContain(secret.slice(0, 20))
  })
})

describe('a question', () => {
  it('is asked again after SIGTSTP from elsewhere', async () => {
    const session = await hiddenQuestion()
    session.kill('SIGTSTP')
    await session.stops()
    await session.isUsable()
    await session.asksAgain(hidden)
    await session.answers()
  })

  it('is hidden again after SIGSTOP, which no process notices', async () => {
    const session = await hiddenQuestion('bash --noprofile --norc')
    session.kill('SIGSTOP')
    await session.stops()
    await session.isUsable()
    await session.asksAgain(hidden)
    await session.answers()
  })

  it('stays hidden after SIGCONT to a process that was not stopped', async () => {
    const session = await hiddenQuestion()
    session.kill('SIGCONT')
    await session.shows(hidden)
    await session.answers()
  })

  it.each(shells)('waits in the background until fg in %s', async (shell) => {
    const session = await hiddenQuestion(shell)
    await suspend(session)
    for (let times = 1; times <= 2; times++) {
      session.type('bg')
      await session.shows('list')
      await session.isUsable()
      await session.isStopped()
    }
    await session.asksAgain(hidden)
    await session.answers()
  })

  it('waits where it was started in the background, and is shown as it is answered', async () => {
    const session = new Session(await makeStore(['alice']), 'bash --noprofile --norc')
    session.type(`${job('remove-peer alice')} & echo`)
    await session.shows('[1]')
    await session.isStopped()
    await session.isUsable()
    await session.asksAgain(visible)
    session.type('y')
    await session.endsWith(0)
    expect(session.terminal.screen()).toContain(`${visible} y\n`)
  })

  it('ends where it is in the background and no shell can continue it', async () => {
    const session = new Session(await encryptedStore(), 'bash --noprofile --norc')
    session.type(`(set -m; ("${process.execPath}" "${binary}" list; echo "ended with $?") &)`)
    await session.endsWith(3)
    await session.isUsable()
  })

  it('is asked again after Ctrl-Z where no shell could continue the process', async () => {
    const cwd = await encryptedStore()
    const job = `sh -c '"${process.execPath}" "${binary}" list; echo "ended with $?"; exec sleep 100'`
    const session = new Session(cwd, job)
    await session.shows(hidden)
    session.press('C-z')
    await session.shows(hidden)
    session.type(secret)
    await session.endsWith(0)
    expect(session.terminal.log()).not.toContain(secret.slice(0, 20))
  })

  it('of a stopped process lets it be killed', async () => {
    const session = await hiddenQuestion('bash --noprofile --norc')
    await suspend(session)
    session.type('kill %1')
    await until(gone(session.pid))
    await session.isUsable()
  })
})

describe('with a question open', () => {
  const endings = [
    { by: 'C-c', exitCode: 130 },
    { by: 'SIGINT', exitCode: 130 },
    { by: 'SIGTERM', exitCode: 143 },
    { by: 'SIGHUP', exitCode: 129 },
    { by: 'C-\\', exitCode: 131 },
    { by: 'SIGQUIT', exitCode: 131 },
  ]

  it.each([...endings, { by: 'C-d', exitCode: 2 }])(
    '$by ends a visible one with $exitCode',
    async ({ by, exitCode }) => {
      const session = await visibleQuestion()
      interrupt(session, by)
      await session.endsWith(exitCode)
      await session.isUsable()
      expect(await session.peers()).toBe(1)
    },
  )

  it.each([...endings, { by: 'C-d', exitCode: 2 }])(
    '$by ends a hidden one with $exitCode',
    async ({ by, exitCode }) => {
      const session = await hiddenQuestion()
      interrupt(session, by)
      await session.endsWith(exitCode)
      await session.isUsable()
    },
  )

  it('a second signal, which ends the process at once, leaves a terminal that can be used', async () => {
    const session = await hiddenQuestion()
    const { pid } = session
    session.kill('SIGINT')
    try {
      process.kill(pid, 'SIGTERM')
    } catch {
      // The first was quick.
    }
    await session.shows('ended with 1')
    await session.isUsable()
  })

  it.each([
    // The system tells the first process of a terminal, and all that are in the foreground once that has ended.
    { question: visible, args: 'remove-peer alice', from: 'a shell that ends with it' },
    { question: visible, args: 'remove-peer alice', from: 'a script that lives on' },
    { question: hidden, args: 'list', from: 'a shell that ends with it' },
    { question: hidden, args: 'list', from: 'a script that lives on' },
  ])('a terminal that hangs up ends "$question" from $from', async ({ question, args, from }) => {
    const cwd = await (question === hidden ? encryptedStore() : makeStore(['alice']))
    writeFileSync(join(cwd, 'job.sh'), `trap : HUP\n${job(args)}\necho $? > status\n`)
    const livesOn = from.startsWith('a script')
    const session = new Session(cwd, livesOn ? 'sh job.sh' : 'sh')
    if (!livesOn) session.type('sh job.sh')
    await session.shows(question)
    session.terminal.hangUp()
    await until(gone(session.pid))
    const status = join(cwd, 'status')
    await until(() => existsSync(status) && readFileSync(status, 'utf8') !== '')
    expect(readFileSync(status, 'utf8')).toBe('129\n')
  })
})

describe('Ctrl-Z and fg without a question', () => {
  it('leave a spinner turning, and the cursor visible meanwhile', async () => {
    const silent = createServer()
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const session = new Session(await makeStore(['alice']), 'sh')
    await session.asks('probing', `probe --timeout 300 ${url} alice`)
    expect(session.terminal.showsCursor()).toBe(true)
    await suspend(session)
    expect(session.terminal.showsCursor()).toBe(true)
    await session.isUsable()
    await session.asksAgain('probing')
    session.press('C-c')
    await session.endsWith(130)
    expect(session.terminal.showsCursor()).toBe(true)
  })

  it('leave a watched code counting down', async () => {
    const session = new Session(await makeStore(['alice']), 'sh')
    await session.asks('━', 'code alice --watch')
    await suspend(session)
    await session.isUsable()
    await session.asksAgain('━')
    session.press('C-c')
    await session.endsWith(130)
    await session.isUsable()
  })
})
