import { defaultServerFile, type Fragment, type ServerInput } from './fragment.js'
import { resourceName } from '../core/resource-name.js'

/** A compose override that mounts the server file as a secret. */
export const serverCompose: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'a compose override that mounts the server file as a secret',
  secret: false,
  make: async ({ roster, serverFile = defaultServerFile }) => {
    const source = resourceName(roster.agent)
    const target = '/run/secrets/a2a-totp-server.json'
    const { yamlDocument } = await import('./yaml-document.js')
    return yamlDocument(
      [
        `The server file of agent "${roster.agent}" for its container. Made by \`a2a-totp config server --format compose\`.`,
        'Not secret. The file it names is; write that with `a2a-totp config server --format json --out FILE`.',
        'Replace "agent" with the name of your service, then run: docker compose -f compose.yaml -f THIS up',
        'Compose mounts the file itself, so after a change run `docker compose up --force-recreate`.',
      ],
      {
        services: {
          agent: {
            environment: { A2A_TOTP_SERVER_FILE: target },
            secrets: [{ source, target }],
          },
        },
        // A single dollar sign would begin a variable.
        secrets: { [source]: { file: serverFile.replaceAll('$', '$$$$') } },
      },
    )
  },
}
