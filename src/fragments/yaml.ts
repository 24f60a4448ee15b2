import { makeClientJson } from './client-json.js'
import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { leftOut } from './live.js'
import { makeServerFile } from './server-json.js'

/** The server file as YAML, for inventories and charts. The agent itself reads JSON. */
export const serverYaml: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'the server file as YAML, for inventories and charts',
  secret: true,
  warnings: leftOut,
  agentReads: makeServerFile,
  make: async (input) =>
    (await import('./yaml-document.js')).yamlDocument(
      [
        `The server file of agent "${input.roster.agent}" as YAML. Made by \`a2a-totp config server --format yaml\`.`,
        'CONTAINS SECRETS (the seeds of all peers): keep it at mode 0600 or encrypted, and out of logs.',
        'For tools that convert YAML into the JSON file which the agent reads from A2A_TOTP_SERVER_FILE.',
      ],
      makeServerFile(input),
    ),
}

/** Everything one peer needs, as YAML. */
export const clientYaml: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'everything the peer needs, as YAML',
  secret: true,
  make: async (input) =>
    (await import('./yaml-document.js')).yamlDocument(
      [
        `What "${input.peer.name}" needs to call agent "${input.roster.agent}". Made by ` +
          `\`a2a-totp config client ${input.peer.name} --format yaml\`.`,
        'CONTAINS SECRETS (a token and a seed): keep it at mode 0600, out of version control and out of logs.',
      ],
      makeClientJson(input),
    ),
}
