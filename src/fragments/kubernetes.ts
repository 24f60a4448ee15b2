import { clientVariables } from './client-env.js'
import type { ClientInput, Fragment, ServerInput } from './fragment.js'
import { leftOut } from './live.js'
import { resourceName } from '../core/resource-name.js'
import { makeServerFile } from './server-json.js'

const fileName = 'a2a-totp-server.json'

/** A Secret with the server file, and how to mount it. */
export const serverKubernetes: Fragment<ServerInput> = {
  kind: 'text',
  summary: 'a Secret with the server file, and how to mount it',
  secret: true,
  warnings: leftOut,
  agentReads: makeServerFile,
  make: (input) => {
    const name = resourceName(input.roster.agent)
    return secret(
      name,
      [
        `The server file of agent "${input.roster.agent}" as a Secret. Made by \`a2a-totp config server --format kubernetes\`.`,
        'CONTAINS SECRETS (the seeds of all peers): pipe it into `kubectl apply --server-side -f -`, not into a file.',
        '',
        "Add this to the agent's Deployment. Do not mount it by subPath: a subPath never sees a changed Secret.",
        '  spec:',
        '    template:',
        '      spec:',
        '        containers:',
        '          - name: agent',
        '            env:',
        `              - { name: A2A_TOTP_SERVER_FILE, value: /run/a2a-totp/${fileName} }`,
        '            volumeMounts:',
        '              - { name: a2a-totp, mountPath: /run/a2a-totp, readOnly: true }',
        '        volumes:',
        '          - name: a2a-totp',
        `            secret: { secretName: ${name}, defaultMode: 288 } # 0440: set fsGroup to the group the agent runs as`,
      ],
      { [fileName]: `${JSON.stringify(makeServerFile(input), null, 2)}\n` },
    )
  },
}

/** A Secret with one peer's variables, and how to use it. */
export const clientKubernetes: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a Secret with the variables of the env format, and how to use it',
  secret: true,
  make: (input) => {
    const { roster, peer } = input
    const name = resourceName(roster.agent, peer.name)
    return secret(
      name,
      [
        `What "${peer.name}" needs to call agent "${roster.agent}", as a Secret. Made by ` +
          `\`a2a-totp config client ${peer.name} --format kubernetes\`.`,
        'CONTAINS SECRETS (a token and a seed): pipe it into `kubectl apply --server-side -f -`, not into a file.',
        '',
        "Add this to the peer's Deployment:",
        '  spec:',
        '    template:',
        '      spec:',
        '        containers:',
        '          - name: peer',
        '            envFrom:',
        `              - secretRef: { name: ${name} }`,
      ],
      clientVariables(input),
    )
  },
}

async function secret(
  name: string,
  comments: readonly string[],
  stringData: Readonly<Record<string, string>>,
): Promise<string> {
  const { yamlDocument } = await import('./yaml-document.js')
  return yamlDocument(comments, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'a2a-totp' } },
    type: 'Opaque',
    stringData,
  })
}
