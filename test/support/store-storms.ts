import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { readStore, updateStore } from '../../src/store/store.js'
import { formatStore } from '../../src/store/store-file.js'
import { rosterOf } from './roster.js'
import { makeStoreFolder } from './store-folder.js'
import type { Workers } from './store-processes.js'

/** A store whose agent's name is a counter at 0. */
export function makeCounter(): string {
  const path = join(makeStoreFolder(), 'a2a-totp.json')
  writeFileSync(path, formatStore(rosterOf([], { agent: 'n-0' })), { mode: 0o600 })
  return path
}

export async function countIn(path: string): Promise<number> {
  return Number((await readStore(path)).agent.slice(2))
}

/** How long a change takes, in milliseconds. It fails if it has to wait for more than 250 ms for the lock. */
async function timedChange(path: string): Promise<number> {
  const startMs = performance.now()
  await updateStore(path, { lock: { deadlineMs: 250 } }, (roster) => ({
    ...roster,
    url: `http://agent.example/${startMs}`,
  }))
  return performance.now() - startMs
}

/**
 * Kills a writer at a random moment, again and again. After each kill: the store is whole, nothing that was
 * acknowledged is lost, the next change does not wait for the dead, and nothing is left lying about.
 *
 * @returns how many changes were acknowledged, and the longest that a change after a kill took
 */
export async function killStorm(
  workers: Workers,
  kills: number,
): Promise<{ acknowledged: number; slowestMs: number }> {
  const path = makeCounter()
  let acknowledged = 0
  let slowestMs = 0
  for (let kill = 0; kill < kills; kill++) {
    const worker = workers.start('count', path)
    await worker.hasSaid(1)
    await sleep(randomInt(0, 20))
    worker.child.kill('SIGKILL')
    await worker.ended()
    const last = Number(worker.said.at(-1))
    const found = await countIn(path)
    expect([last, last + 1]).toContain(found)
    slowestMs = Math.max(slowestMs, await timedChange(path))
    expect(await countIn(path)).toBe(found)
    expect(readdirSync(dirname(path)).sort()).toEqual([basename(path), `${basename(path)}.bak-prev`])
    acknowledged += worker.said.length
  }
  return { acknowledged, slowestMs }
}

/**
 * Lets many contend for a lock whose holder was killed, again and again.
 *
 * @returns what each of them said when it had the lock: `alone`, or what was wrong
 */
export async function contention(workers: Workers, contenders: number, rounds: number): Promise<string[]> {
  const path = makeCounter()
  const holder = workers.start('hold', path)
  await holder.hasSaid(1)
  const lockFile = join(dirname(path), '.a2a-totp.json.lock-1')
  const left = readFileSync(lockFile)
  holder.child.kill('SIGKILL')
  await holder.ended()

  const all = Array.from({ length: contenders }, () => workers.start('contend', path))
  for (let round = 1; round <= rounds; round++) {
    // A killed holder's file, as it was found: sometimes under another number.
    writeFileSync(join(dirname(path), `.a2a-totp.json.lock-${randomInt(1, 4)}`), left)
    for (const { child } of all) child.stdin?.write('go\n')
    await Promise.all(all.map((worker) => worker.hasSaid(round)))
  }
  for (const { child } of all) child.stdin?.end()
  await Promise.all(all.map((worker) => worker.ended()))
  expect(readdirSync(dirname(path))).toEqual([basename(path)])
  return all.flatMap((worker) => worker.said)
}

/** Lets several processes add peers at once; gives back what they said they added, and what is there. */
export async function writers(
  workers: Workers,
  processes: number,
  changes: number,
  before?: (index: number) => readonly string[],
): Promise<{ acknowledged: string[]; present: string[] }> {
  const path = makeCounter()
  const all = Array.from({ length: processes }, (_, index) =>
    workers.start('add', path, changes, before?.(index)),
  )
  await Promise.all(all.map((worker) => worker.ended()))
  return { acknowledged: all.flatMap(({ said }) => said), present: [...(await readStore(path)).peers.keys()] }
}
