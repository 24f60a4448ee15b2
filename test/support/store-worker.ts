/**
 * One process that works on a store, for the tests with several: `store-worker COMMAND STORE [ARGUMENT]`. It
 * says on stdout what it has done, a line each, only once that is done.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../src/store/system-error.js'
import { acquireLock } from '../../src/store/lock/lock.js'
import { readStore, updateStore } from '../../src/store/store.js'
import { planUndo, undoStore } from '../../src/store/undo.js'
import { peerOf } from './roster.js'
import { watchedFs } from './faulty-fs.js'

const [command = '', path = '', argument = ''] = process.argv.slice(2)

/** On a busy machine many others may come first; how long a user waits is not what these commands are about. */
const longWait = { lock: { deadlineMs: 600_000 } }

/** Not through process.stdout: what is said must be out before a SIGKILL comes. */
const say = (line: string): void => void writeSync(1, `${line}\n`)

const commands: Readonly<Record<string, () => Promise<void>>> = {
  /** Counts the agent's name up, `n-1`, `n-2` …, until it is killed. */
  async count() {
    for (;;) {
      const { agent } = await updateStore(path, {}, (roster) => ({
        ...roster,
        agent: `n-${Number(roster.agent.slice(2)) + 1}`,
      }))
      say(agent.slice(2))
    }
  },
  /** Counts up once, and kills itself right before the call on the file system with this index. */
  async 'die-at'() {
    const fs = watchedFs((_, index) => {
      if (index === Number(argument)) process.kill(process.pid, 'SIGKILL')
    })
    await updateStore(path, { fs }, (roster) => ({
      ...roster,
      agent: `n-${Number(roster.agent.slice(2)) + 1}`,
    }))
    say('survived')
  },
  /** Undoes the last change, and kills itself right before the call on the file system with this index. */
  async 'undo-die-at'() {
    const plan = await planUndo(path, {})
    const fs = watchedFs((_, index) => {
      if (index === Number(argument)) process.kill(process.pid, 'SIGKILL')
    })
    await undoStore(path, { fs }, plan)
    say('survived')
  },
  /** Adds as many peers as it is told, one change each. Not named after its pid, which others may have elsewhere. */
  async add() {
    const own = randomUUID()
    for (let n = 0; n < Number(argument); n++) {
      const name = `${own}-${n}`
      await updateStore(path, longWait, (roster) => ({
        ...roster,
        peers: new Map(roster.peers).set(name, peerOf(name)),
      }))
      say(name)
    }
  },
  /** Takes the lock and keeps it. */
  async hold() {
    await acquireLock(path)
    say('held')
    await sleep(600_000)
  },
  /** For each `go` that it reads: takes the lock, looks whether it is alone, and gives the lock back. */
  async contend() {
    const proof = join(dirname(path), 'holder')
    for await (const line of createInterface({ input: process.stdin })) {
      if (line !== 'go') return
      const lock = await acquireLock(path, longWait.lock)
      try {
        closeSync(openSync(proof, 'wx'))
        await sleep(1)
        unlinkSync(proof)
        say('alone')
      } catch (error) {
        say(errnoOf(error) ?? 'error')
      }
      lock.release()
    }
  },
  /** Reads, then changes, the store as another user. */
  async 'as-user'() {
    process.setgid?.(Number(argument))
    process.setuid?.(Number(argument))
    try {
      await readStore(path)
      say('read')
      await updateStore(path, {}, (roster) => ({ ...roster, agent: 'changed' }))
      say('changed')
    } catch (error) {
      say(String(error))
    }
  },
}

void commands[command]?.()
