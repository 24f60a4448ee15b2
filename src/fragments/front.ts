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
  async make(input) {
    const { frontFiles } = await import('./front-files.js')
    return frontFiles(names, input)
  },
})
