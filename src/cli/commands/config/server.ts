import type { Command } from 'commander'
import { basename } from 'node:path'
import { isTOTPError } from '../../../core/errors.js'
import { sharedSeedProblem } from '../../../core/shared-seed.js'
import {
  renderServerFragment,
  serverFragments,
  type RenderedFragment,
  type ServerFormat,
} from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { outFile, secretOutOptions, type SecretOutOptions } from '../../io/result-file.js'
import { formatOption, listFormats, writeFragment } from './format.js'
import { frontOptions, readFrontOptions, type FrontInput, type FrontOptions } from './front-options.js'
import { checkVendored, requireVendorable, vendoredOptions, type VendoredOptions } from './vendored.js'

/** `config server`: what the protected agent needs. */
export function defineServer(command: Command, context: CliContext): void {
  secretOutOptions(
    frontOptions(
      vendoredOptions(
        command
          .description('print the fragment for the protected agent')
          .option(...formatOption(serverFragments), 'json')
          .option(
            '--server-file <path>',
            'path of the server file at the agent, for env, compose and systemd',
          )
          .option('--allow-weak-seed', 'write seeds of less than 128 bits, for an agent that allows them'),
      ),
    ),
  )
    .addHelpText(
      'after',
      `${listFormats(serverFragments)}
A file that the agent would refuse, for example with a seed of less than 128 bits, is not written (exit 3). A running
agent then keeps its old file, where revoked credentials are still valid.

nginx, caddy, traefik, haproxy and envoy are complete configurations of a proxy that asks \`gate --authz\` about each
request and passes on what is let in, with the peer's name in TotpPeer and without credentials. The agent card is public.
Further files that haproxy and traefik need are written beside the file of --out; --json has all of them. With
--authz-token-file, the same as that of the gate, they have its content and are secret.

Examples:
  $ a2a-totp config server --out /etc/billing/a2a-totp-server.json
  $ a2a-totp config server --format python --vendored --out a2a_totp_server.py
  $ a2a-totp config server --check a2a_totp_server.py          # does it match this version?
  $ a2a-totp config server --format kubernetes | kubectl apply --server-side -f -
  $ a2a-totp config server --format systemd --server-file /etc/a2a-totp/billing.json
  $ a2a-totp config server --allow-weak-seed --out server.json   # the agent has allowWeakSeeds: true
  $ a2a-totp config server --format nginx --listen 0.0.0.0:8080 --gate 127.0.0.1:8181 --agent 127.0.0.1:9999
  $ a2a-totp config server --format haproxy --agent-grpc 127.0.0.1:50051 --out /etc/haproxy/haproxy.cfg`,
    )
    .action(async (options: ServerOptions) => {
      if (options.check !== undefined) return checkVendored(context, options.check, options)
      requireVendorable(options.format, options.vendored)
      const isFront = serverFragments[options.format].kind === 'files'
      const front = await readFrontOptions(context, isFront, options)
      await writeFragment(context, options, await acceptedFragment(context, options, front))
    })
}

interface ServerOptions extends SecretOutOptions, VendoredOptions, FrontOptions {
  format: ServerFormat
  authzTokenFile?: string
  serverFile?: string
  allowWeakSeed?: true
}

/**
 * A fragment that the agent's library accepts. One that it would refuse is never written: a running agent would keep its
 * old file, where revoked credentials are still valid.
 */
async function acceptedFragment(
  { output, store, now }: CliContext,
  options: ServerOptions,
  front: FrontInput,
): Promise<RenderedFragment> {
  const { format, serverFile, allowWeakSeed, vendored } = options
  const file = outFile(options.out)
  const roster = await store.read()
  if (roster.peers.size === 0) output.warn('the store has no peers, so the agent would refuse every caller')
  const problem = sharedSeedProblem(roster)
  if (problem) throw (await import('./server-reader.js')).refused(`${problem.message}; ${problem.fix}`)
  const input = {
    roster,
    at: now(),
    serverFile,
    vendored,
    ...front,
    ...(file !== undefined && !output.json && { mainName: basename(file) }),
  }
  try {
    const fragment = await renderServerFragment(format, input)
    if (!fragment.agentReads) return fragment
    const { readAsAgent } = await import('./server-reader.js')
    const warning = readAsAgent(fragment.agentReads, allowWeakSeed ?? false)
    return warning === undefined ? fragment : { ...fragment, warnings: [...fragment.warnings, warning] }
  } catch (error) {
    // Without a live shared seed the agent would refuse any file.
    if (!isTOTPError(error) || error.code !== 'ERR_CREDENTIAL_EXPIRED') throw error
    throw (await import('./server-reader.js')).refused(error.message)
  }
}
