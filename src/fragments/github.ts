import { profileToVariables } from '../core/profile-variables.js'
import { signedVariable } from './client-env.js'
import type { ClientInput, Fragment } from './fragment.js'
import { requireLive } from './live.js'

/** By commit, since a tag can be moved. */
const actions = {
  checkout: { version: 'v4.2.2', commit: '11bd71901bbe5b1630ceea73d27597364c9af683' },
  'setup-node': { version: 'v4.4.0', commit: '49933ea5288caeca8642d1e84afbd3f7d6820020' },
} as const

const use = (name: keyof typeof actions): string => `actions/${name}@${actions[name].commit}`

/** A workflow that probes the agent, and the commands that store its secrets. */
export const clientGithub: Fragment<ClientInput> = {
  kind: 'text',
  summary: 'a workflow that probes the agent, and its `gh secret set` commands',
  secret: false,
  make: async (input) => {
    requireLive(input)
    const { roster, peer } = input
    const { url } = roster
    const signed = signedVariable(input)
    const profile = {
      ...profileToVariables({ ...roster.profile, ...peer }),
      // Proofs are bound to the agent's name: without it nothing can be signed.
      ...(Object.keys(signed).length > 0 && { A2A_TOTP_AGENT: roster.agent, ...signed }),
    }
    const client = `a2a-totp config client ${peer.name} --format json`
    const { yamlDocument } = await import('./yaml-document.js')
    return yamlDocument(
      [
        `Probes agent "${roster.agent}" as "${peer.name}" every day. Made by \`a2a-totp config client ${peer.name} --format github\`.`,
        'Save it as .github/workflows/a2a-totp.yml. It is not secret. Store the two secrets from standard input:',
        '',
        `  ${client} | jq -r .token | gh secret set A2A_TOTP_TOKEN`,
        `  ${client} | jq -r .seed | gh secret set A2A_TOTP_SEED`,
        ...(url === undefined ? ["  gh variable set A2A_TOTP_URL --body 'https://THE-AGENT'"] : []),
        '',
        'Use a separate peer with 8 digits: each run makes up to 4 guesses, and the budget for guesses is small.',
        `Actions are pinned by commit: ${Object.entries(actions)
          .map(([name, { version }]) => `${name} ${version}`)
          .join(', ')}.`,
        'a2a-totp is not in a registry: commit the tarball that `npm pack` creates, or change the line that installs it.',
      ],
      {
        name: 'a2a-totp probe',
        on: { workflow_dispatch: {}, schedule: [{ cron: '17 5 * * *' }] },
        permissions: { contents: 'read' },
        jobs: {
          probe: {
            'runs-on': 'ubuntu-latest',
            'timeout-minutes': 10,
            steps: [
              { uses: use('checkout') },
              { uses: use('setup-node'), with: { 'node-version': 22 } },
              { run: 'npm install --global ./a2a-totp-*.tgz' },
              {
                run: 'a2a-totp probe --strict --format github -- "$A2A_TOTP_URL"',
                env: {
                  A2A_TOTP_URL: url === undefined ? '${{ vars.A2A_TOTP_URL }}' : withoutExpressions(url),
                  A2A_TOTP_AGENT: roster.agent,
                  ...profile,
                  A2A_TOTP_TOKEN: '${{ secrets.A2A_TOTP_TOKEN }}',
                  A2A_TOTP_SEED: '${{ secrets.A2A_TOTP_SEED }}',
                },
              },
            ],
          },
        },
      },
    )
  },
}

/** GitHub evaluates `${{ … }}` in every value. (A header name cannot contain that.) */
function withoutExpressions(text: string): string {
  return text.replaceAll('${{', '%24{{')
}
