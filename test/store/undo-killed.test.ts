import { readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { previousPath } from '../../src/store/previous.js'
import { updateStore } from '../../src/store/store.js'
import { planUndo, undoStore } from '../../src/store/undo.js'
import { agentIn, makeChangedStore } from '../support/changed-store.js'
import { useWorkers } from '../support/store-processes.js'

const workers = useWorkers()

describe('an undo that is killed', () => {
  it('before any one of its calls, leaves the old store or the new one, and can be repeated', async () => {
    const seen = new Set<string>()
    for (let at = 0; ; at++) {
      const path = await makeChangedStore()
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
