import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { previousPath } from '../../src/store/previous.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { readStore, updateStore } from '../../src/store/store.js'
import { planUndo, undoStore } from '../../src/store/undo.js'
import { systemError, watchedFs, type Call } from '../support/faulty-fs.js'
import { makeStore, rejectionOf } from '../support/store-folder.js'
import { useWorkers } from '../support/store-processes.js'

const workers = useWorkers()

/** A store whose agent was renamed from `agent` to `changed`. */
async function makeChanged(): Promise<string> {
  const { path } = makeStore()
  await updateStore(path, {}, (roster) => ({ ...roster, agent: 'changed' }))
  return path
}
const agentIn = async (path: string): Promise<string> => (await readStore(path)).agent

describe('an undo that is killed', () => {
  it('before any one of its calls, leaves the old store or the new one, and can be repeated', async () => {
    const seen = new Set<string>()
    for (let at = 0; ; at++) {
      const path = await makeChanged()
      const worker = workers.start('undo-die-at', path, at)
      await worker.ended()
      const agent = await agentIn(path)
      expect(['agent', 'changed']).toContain(agent)
      if (worker.said.length > 0) {
        expect([agent, at > 20]).toEqual(['agent', true])
        break
      }
      seen.add(agent)
      // Whatever was left, the next undo ends at the old store, or finds that it is there already.
      const error = await planUndo(path, {}).then(
        (plan) => undoStore(path, {}, plan),
        (reason: unknown) => reason,
      )
      if (error !== undefined) expect(error).toMatchObject({ code: 'ERR_NOTHING_TO_UNDO' })
      expect(await agentIn(path)).toBe('agent')
      await updateStore(path, { lock: { deadlineMs: 0 } }, (roster) => ({ ...roster, replay: 'once' }))
      expect(readdirSync(dirname(path)).sort()).toEqual([basename(path), basename(previousPath(path))])
    }
    expect([...seen].sort()).toEqual(['agent', 'changed'])
  }, 60_000)
})

describe('an undo whose disk fails', () => {
  it.each<Call>(['openSync', 'writeFileSync', 'fsyncSync', 'renameSync'])(
    'at any %s is not made, and says so',
    async (failing) => {
      const path = await makeChanged()
      const plan = await planUndo(path, {})
      const before = readFileSync(path)
      let failed = 0
      for (let at = 0; ; at++) {
        let count = 0
        const fs = watchedFs((call) => {
          if (call !== failing) return
          if (count++ === at) throw systemError('EIO')
        })
        const error = await undoStore(path, { fs }, plan).catch((reason: unknown) => reason)
        if (readFileSync(path).equals(before)) {
          expect(error).toMatchObject({ name: 'TOTPError' })
          failed++
          continue
        }
        expect(await agentIn(path)).toBe('agent')
        break
      }
      expect(failed).toBeGreaterThan(0)
    },
  )

  it('after the store was put back, says what is left', async () => {
    const path = await makeChanged()
    const plan = await planUndo(path, {})
    let renamed = false
    const fs = watchedFs((call) => {
      if (call === 'renameSync') renamed = true
      if (call === 'unlinkSync' && renamed) throw systemError('EIO')
    })
    expect(await undoStore(path, { fs }, plan)).toContain('cannot remove')
    expect(await agentIn(path)).toBe('agent')
    expect(await rejectionOf(planUndo(path, {}))).toMatchObject({ code: 'ERR_NOTHING_TO_UNDO' })
  })
})

describe('an undo of something else than it looked at', () => {
  it('is not made when the store was changed in between', async () => {
    const path = await makeChanged()
    const plan = await planUndo(path, {})
    await updateStore(path, {}, (roster) => ({ ...roster, agent: 'again' }))
    expect(await rejectionOf(undoStore(path, {}, plan))).toMatchObject({ code: 'ERR_STORE_LOCKED' })
    expect(await agentIn(path)).toBe('again')
  })

  it('is not made when another undo was faster', async () => {
    const path = await makeChanged()
    const [plan, other] = [await planUndo(path, {}), await planUndo(path, {})]
    await undoStore(path, {}, other)
    expect(await rejectionOf(undoStore(path, {}, plan))).toMatchObject({ code: 'ERR_NOTHING_TO_UNDO' })
  })
})

it('gives the store a serial above all that it had', async () => {
  const path = await makeChanged()
  const roster = parseStore(readFileSync(path, 'utf8')).roster
  writeFileSync(path, formatStore({ ...roster, serial: 41 }), { mode: 0o600 })
  await undoStore(path, {}, await planUndo(path, {}))
  expect((await readStore(path)).serial).toBe(42)
})
