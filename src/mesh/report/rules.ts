import { checkIds, explainCheck, type CheckId } from '../../probe/index.js'
import type { CheckTexts } from '../../probe/report/formats/options.js'
import { meshCheckIds, type MeshCheckId } from '../prove/mesh-report.js'

/**
 * What results of a mesh are about besides the checks of an agent. `mesh.agent` and `mesh.edge` stand where no check shows
 * what became of an agent or an edge.
 */
export type MeshRuleId = MeshCheckId | 'mesh.agent' | 'mesh.edge'
export type RuleId = CheckId | MeshRuleId

/** Every rule, in the order of the report. */
export const ruleIds: readonly RuleId[] = [...meshCheckIds, 'mesh.agent', 'mesh.edge', ...checkIds]

const unused = 'Remove an agent that no peer calls from the mesh file, or give it a peer.'

const texts: Readonly<Record<MeshRuleId, CheckTexts>> = {
  'mesh.separate': {
    proves: 'no seed and no token is in two stores',
    expects: 'each edge has a seed and a token of its own',
    means:
      'Two edges share a seed or a token. Each of these agents can make the codes of the other edge, and a peer that has one ' +
      'of them can call as the other.',
    mend: [
      'Rotate the edges that it names: `a2a-totp mesh rotate --only PEER:AGENT`.',
      'Do not copy a store to make another one; `a2a-totp mesh apply` creates each.',
    ],
  },
  'mesh.removed': {
    proves: 'edges that were removed are refused with the credentials they had',
    expects: 'refused',
    means:
      'A peer that the mesh file no longer names is still let in: its agent runs with an older server file.',
    mend: [
      'Deliver the server file again: `a2a-totp mesh apply`.',
      'Check that the agent reads the file that is delivered, and follows its changes.',
    ],
  },
  'mesh.coverage': {
    proves: 'every agent and every edge was shown, and every other pair was seen to be refused',
    expects: 'every agent answers, and every declared edge has credentials that can be used',
    means: 'The run shows nothing about the agents, edges and undeclared pairs that it names.',
    mend: [
      'Start the agents that did not answer, or correct their `url` in the mesh file.',
      'Give edges without usable credentials new ones: `a2a-totp mesh rotate --only PEER:AGENT`.',
      'Run the whole of it: without `--only`, or with a longer `--deadline`.',
      unused,
    ],
  },
  'mesh.agent': {
    proves: 'the agent can be probed',
    expects: 'it answers, and one of its peers has credentials',
    means: 'Nothing was sent to this agent, or it did not answer.',
    mend: [
      'Start the agent, or correct its `url` in the mesh file.',
      'Create its store and the credentials of its peers: `a2a-totp mesh apply`.',
      unused,
    ],
  },
  'mesh.edge': {
    proves: 'a peer is let in exactly where the mesh file says so',
    expects: 'declared edges are let in, every other is refused',
    means:
      'The agent, or the peer, does not have what the mesh file says: it was not delivered, or not read.',
    mend: [
      'Deliver what has changed: `a2a-totp mesh apply`.',
      'Check that the agent reads the file that is delivered, and follows its changes.',
    ],
  },
}

const isOfMesh = (id: RuleId): id is MeshRuleId => id in texts

/** What a rule proves, what its failure means, and how to fix it. */
export function textsOf(id: RuleId): CheckTexts {
  return isOfMesh(id) ? texts[id] : explainCheck(id)
}

/** The command that explains a rule; empty for those of the mesh. */
export const explainOf = (id: RuleId): string => (isOfMesh(id) ? '' : `a2a-totp probe --explain ${id}`)
