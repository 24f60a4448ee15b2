import { defaultServerFile, type Fragment, type ServerInput } from './fragment.js'
import { resourceName } from './resource-name.js'

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
        'Nothing in here is secret; the file that it names is: `a2a-totp config server --format json --out FILE` writes it.',
        'Name your service in place of "agent", then: docker compose -f compose.yaml -f THIS up',
        'Compose mounts the file itself: after a change run `docker compose up --force-recreate`.',
      ],
      {
        services: {
          agent: {
            environment: { A2A_TOTP_SERVER_FILE: target },
            secrets: [{ source, target }],
          },
        },
        // A dollar sign would be taken for a variable.
        secrets: { [source]: { file: serverFile.replaceAll('$', '$$$$') } },
      },
    )
  },
}
