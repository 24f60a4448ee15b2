import { printable } from '../../../core/text.js'
import type { DoneChange, MeshChange } from '../../../mesh/plan/plan.js'

/** A change in words, such as `change alice -> billing: replay reuse -> once`. Notes are text from outside. */
export const wordsOf = (change: MeshChange): string => printable(wordsFor(change))

function wordsFor({ agent, peer, canary, field, action, from, to }: MeshChange): string {
  const edge = peer === undefined ? agent : canary ? `canary ${peer} of ${agent}` : `${peer} -> ${agent}`
  if (action === 'deliver')
    return peer === undefined
      ? `deliver the server file of ${agent}`
      : `deliver the client file of ${peer} (${agent})`
  if (action === 'change')
    return `change ${edge}: ${field ?? ''} ${String(from ?? 'none')} -> ${String(to ?? 'none')}`
  return `${action} ${edge}${field === undefined ? '' : ` (${field})`}`
}

/** The same with what became of it. */
export function doneWordsOf(change: DoneChange): string {
  const { done, problem, needs } = change
  const standing = done ? 'done' : (problem ?? (needs === undefined ? 'not done' : `needs --${needs}`))
  return printable(`${wordsFor(change)}: ${standing}`)
}

/** A row of the JSON document. */
export const rowOf = ({
  agent,
  peer,
  canary,
  field,
  action,
  from,
  to,
  needs,
  done,
  problem,
}: DoneChange): object => ({
  agent,
  ...(peer !== undefined && { peer }),
  ...(canary && { canary }),
  ...(field !== undefined && { field }),
  action,
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  ...(needs !== undefined && { needs }),
  done,
  ...(problem !== undefined && { problem }),
})
