import type { Roster } from '../../core/roster.js'
import { quoteForShell } from '../../core/shell.js'
import { count, printable } from '../../core/text.js'
import { auditAcross } from '../../doctor/across-audit.js'
import type { Mesh } from '../file/mesh.js'
import type { MeshCheck } from './mesh-report.js'

/** Finds seeds and tokens that several edges share. It sends nothing. */
export function checkSeparate(mesh: Mesh, rosters: ReadonlyMap<string, Roster>): MeshCheck {
  const stores = [...mesh.agents.values()].flatMap(({ name, store }) => {
    const roster = rosters.get(name)
    return roster ? [{ path: store, tool: `a2a-totp --store ${quoteForShell(store)}`, roster }] : []
  })
  const found = auditAcross(stores)
  const known = { id: 'mesh.separate', expected: 'each edge has a seed and a token of its own' } as const
  if (found.length === 0) {
    return { ...known, status: 'pass', actual: `${count(stores.length, 'store')} compared`, detail: '' }
  }
  const told = found.map(({ subject, message, fix }) => `${subject}: ${message}; run \`${fix}\``)
  return {
    ...known,
    status: 'fail',
    actual: `${count(found.length, 'secret')} shared`,
    detail: printable(told.join('; ')),
  }
}
