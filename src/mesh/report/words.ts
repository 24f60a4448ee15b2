import type { AgentResult, MeshReport } from '../prove/mesh-report.js'
import { countsOf } from '../../probe/report/words.js'

/** What the reports of a mesh are headed with. */
export const proveTitle = 'a2a-totp mesh prove'

/** An agent's verdict in a word. */
export function agentVerdict({
  ok,
  report,
  reachable,
}: AgentResult): 'PASS' | 'FAIL' | 'no answer' | 'not probed' {
  if (report === null) return ok ? 'not probed' : reachable ? 'FAIL' : 'no answer'
  if (!reachable) return 'no answer'
  return ok ? 'PASS' : 'FAIL'
}

/** What was found at an agent, in one line. */
export function agentNumbers({ report, detail, peer }: AgentResult): string {
  if (report === null) return detail
  return `${countsOf(report)}${peer === null ? '' : `, as ${peer}`}`
}

/** `5 peers, 4 agents, 9 declared edges`. */
export function sizeOf({ agents, matrix }: MeshReport): string {
  const peers = new Set(matrix.map(({ peer }) => peer)).size
  const declared = matrix.filter((edge) => edge.declared).length
  const words = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`
  return [words(agents.length, 'agent'), words(peers, 'peer'), words(declared, 'declared edge')].join(', ')
}

/** A name without its middle where it is longer than `most` letters. */
export function shortened(name: string, most: number, gap = '…'): string {
  // By letters: half of a pair of surrogates would be no character.
  const letters = Array.from(name)
  if (letters.length <= most) return name
  const half = (most - 1) / 2
  return [...letters.slice(0, Math.ceil(half)), gap, ...letters.slice(-Math.floor(half))].join('')
}
