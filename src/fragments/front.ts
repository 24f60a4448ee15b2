import type { FilesFragment, ServerInput } from './fragment.js'
import type { FrontSource } from './front-sources.js'

/**
 * A fragment that is the whole configuration of a proxy in front of an agent.
 *
 * @param names of its files, the main one first; the sources are by the same names
 */
export const frontFragment = (
  summary: string,
  names: readonly [FrontSource, ...FrontSource[]],
): FilesFragment<ServerInput> => ({
  kind: 'files',
  summary: `${summary}, in front of \`gate --authz\``,
  secret: ({ frontToken }) => frontToken !== undefined,
  warnings: unseenBodies,
  async make(input) {
    const { frontFiles } = await import('./front-files.js')
    return frontFiles(names, input, gateOptions(input))
  },
})

/** Whether the gate would refuse to start without `--body-unchecked`. */
const requiresProofs = ({ roster }: ServerInput): boolean =>
  roster.signed === 'require' || Array.from(roster.peers.values()).some(({ signed }) => signed === 'require')

const unseenBodies = (input: ServerInput): readonly string[] =>
  requiresProofs(input)
    ? [
        'proofs are required, and a proxy shows the gate no body to compare with them: start the gate with --body-unchecked, or put gate --upstream in its place',
      ]
    : []

const gateOptions = (input: ServerInput): string =>
  (input.frontToken === undefined ? '' : ' --authz-token-file FILE') +
  (requiresProofs(input) ? ' --body-unchecked' : '')
