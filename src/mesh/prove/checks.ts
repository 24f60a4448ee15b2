import { count, listSome } from '../../core/text.js'
import type { MeshCheck } from './mesh-report.js'
import { refusalsOf } from './refusals.js'
import { isExpired, type AgentShown, type PairShown } from './shown.js'

const nameOf = ({ pair }: PairShown): string => `${pair.peer} at ${pair.agent.name}`

/** Whether every peer that was removed was refused. */
export function checkRemoved(pairs: readonly PairShown[]): MeshCheck {
  const known = {
    id: 'mesh.removed',
    expected: 'removed peers are refused with the credentials that they had',
  } as const
  const sent = pairs.flatMap((pair) => pair.removed.map((shown) => ({ name: nameOf(pair), ...shown })))
  if (sent.length === 0) {
    return { ...known, status: 'skip', actual: '', detail: 'no peer was removed since it was last shown' }
  }
  const letIn = sent.filter(({ admitted }) => admitted === true)
  const open = sent.filter(({ admitted }) => admitted === null)
  if (letIn.length > 0) {
    const told = letIn.map(({ name, detail }) => `${name}: ${detail}`)
    return {
      ...known,
      status: 'fail',
      actual: `${count(letIn.length, 'peer')} let in`,
      detail: listSome(told),
    }
  }
  if (open.length > 0) {
    const told = open.map(({ name, detail }) => `${name}: ${detail}`)
    return {
      ...known,
      status: 'skip',
      actual: `${count(open.length, 'peer')} not shown`,
      detail: listSome(told),
    }
  }
  return { ...known, status: 'pass', actual: `${count(sent.length, 'peer')} refused`, detail: '' }
}

/**
 * Whether a pair that was not shown had to be: one that is to be let in, one that something could be sent for, and one that is
 * not declared at an agent that was probed.
 */
function isGap({ pair, shown }: PairShown, uncalled: readonly AgentShown[]): boolean {
  if (shown.admitted !== null) return false
  if (refusalsOf(pair).some(({ removed, credentials }) => !removed && credentials)) return true
  if (pair.edge) return !isExpired(pair)
  return shown.status === 'warn' || !uncalled.some(({ agent }) => agent === pair.agent)
}

/**
 * Whether every agent answered, every declared edge was shown, and every other pair was seen to be refused. It names each that
 * was not.
 */
export function checkCoverage(agents: readonly AgentShown[], pairs: readonly PairShown[]): MeshCheck {
  const known = { id: 'mesh.coverage', expected: 'every agent answers, and every edge is shown' } as const
  const missed = agents.filter(({ isGap }) => isGap)
  const isMissed = ({ pair }: PairShown): boolean => missed.some(({ agent }) => agent === pair.agent)
  if (agents.length === 0)
    return { ...known, status: 'fail', actual: 'nothing was sent', detail: 'the mesh has no agent' }
  const uncalled = agents.filter(({ lead }) => lead === undefined)
  const edges = pairs.filter((one) => isGap(one, uncalled))
  const gaps = [
    ...missed.map(({ agent, detail }) => `${agent.name}: ${detail}`),
    ...edges.filter((one) => !isMissed(one)).map((one) => `${nameOf(one)}: ${one.shown.detail}`),
    ...pairs
      .filter((one) => !isMissed(one))
      .flatMap((one) =>
        one.removed
          .filter(({ admitted }) => admitted === null)
          .map(({ detail }) => `${nameOf(one)}, removed: ${detail}`),
      ),
  ]
  if (gaps.length > 0) {
    return { ...known, status: 'fail', actual: count(gaps.length, 'gap'), detail: gaps.join('; ') }
  }
  const declared = pairs.filter(({ pair }) => pair.edge !== undefined)
  const actual = `${count(agents.length, 'agent')}, ${count(declared.length, 'edge')}`
  if (uncalled.length > 0) {
    const names = listSome(uncalled.map(({ agent }) => agent.name))
    const them = uncalled.length === 1 ? 'it' : 'them'
    const detail = `probed without credentials alone, since no peer can call ${them}: ${names}`
    return { ...known, status: 'warn', actual, detail }
  }
  return { ...known, status: 'pass', actual, detail: '' }
}
