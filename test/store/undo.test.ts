import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { previousPath } from '../../src/store/previous.js'
import { formatStore, parseStore } from '../../src/store/store-file.js'
import { readStore, updateStore } from '../../src/store/store.js'
import { planUndo, undoStore } from '../../src/store/undo.js'
import { agentIn, makeChangedStore } from '../support/changed-store.js'
import { systemError, watchedFs, type Call } from '../support/faulty-fs.js'
import { rosterOf } from '../support/roster.js'
import { rejectionOf } from '../support/store-folder.js'

describe('an undo whose disk fails', () => {
  it.each<Call>(['openSync', 'writeFileSync', 'fsyncSync', 'renameSync'])(
    'at any %s is not made, and says so',
    async (failing) => {
      const path = await makeChangedStore()
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
    const path = await makeChangedStore()
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

describe('an undo that meets a mistake of ours', () => {
  const mistake = new RangeError('a mistake of ours')

  it('lets it pass when the previous store cannot be removed for it', async () => {
    const path = await makeChangedStore()
    const plan = await planUndo(path, {})
    let renamed = false
    const fs = watchedFs((call) => {
      if (call === 'renameSync') renamed = true
      if (call === 'unlinkSync' && renamed) throw mistake
    })
    expect(await undoStore(path, { fs }, plan).catch((error: unknown) => error)).toBe(mistake)
    expect(await agentIn(path)).toBe('agent')
  })

  it('lets it pass when the previous store cannot be read for it', async () => {
    const path = await makeChangedStore()
    const fs = watchedFs((call, index) => {
      if (call === 'openSync' && index > 0) throw mistake
    })
    expect(await planUndo(path, { fs }).catch((error: unknown) => error)).toBe(mistake)
  })
})

describe('an undo of something else than it looked at', () => {
  it('is not made when the store was changed in between', async () => {
    const path = await makeChangedStore()
    const plan = await planUndo(path, {})
    await updateStore(path, {}, (roster) => ({ ...roster, agent: 'again' }))
    expect(await rejectionOf(undoStore(path, {}, plan))).toMatchObject({ code: 'ERR_STORE_LOCKED' })
    expect(await agentIn(path)).toBe('again')
  })

  it('is not made when what was kept is another one, although the store is the same', async () => {
    const path = await makeChangedStore()
    const plan = await planUndo(path, {})
    writeFileSync(previousPath(path), formatStore(rosterOf([], { agent: 'other' })))
    const before = readFileSync(path)
    const error = await rejectionOf(undoStore(path, {}, plan))
    expect(error).toMatchObject({
      code: 'ERR_STORE_LOCKED',
      message: 'another process changed the store in the meantime; nothing was undone, try again',
    })
    expect(readFileSync(path)).toEqual(before)
    expect((await readStore(previousPath(path))).agent).toBe('other')
  })

  it('is not made when the lock was lost right before it', async () => {
    const path = await makeChangedStore()
    const plan = await planUndo(path, {})
    const before = readFileSync(path)
    const fs = watchedFs((call) => {
      if (call !== 'fsyncSync') return
      for (const name of readdirSync(dirname(path)))
        if (name.includes('.lock-')) unlinkSync(join(dirname(path), name))
    })
    expect(await rejectionOf(undoStore(path, { fs }, plan))).toMatchObject({ code: 'ERR_STORE_LOCKED' })
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(dirname(path)).sort()).toEqual([basename(path), basename(previousPath(path))])
  })

  it('is not made when another undo was faster', async () => {
    const path = await makeChangedStore()
    const [plan, other] = [await planUndo(path, {}), await planUndo(path, {})]
    await undoStore(path, {}, other)
    expect(await rejectionOf(undoStore(path, {}, plan))).toMatchObject({ code: 'ERR_NOTHING_TO_UNDO' })
  })
})

it('gives the store a serial above all that it had', async () => {
  const path = await makeChangedStore()
  const roster = parseStore(readFileSync(path, 'utf8')).roster
  writeFileSync(path, formatStore({ ...roster, serial: 41 }), { mode: 0o600 })
  await undoStore(path, {}, await planUndo(path, {}))
  expect((await readStore(path)).serial).toBe(42)
})
