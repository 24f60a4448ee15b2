import type { Command } from 'commander'
import { totpSecurityOf, withTotpSecurity } from '../../../core/card/security.js'
import { cardProtocols, type CardJson, type CardProtocol } from '../../../core/card/shapes.js'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { isObject, parseJson } from '../../../core/json.js'
import { defaultProfile } from '../../../core/profile.js'
import { replayOf, type Roster } from '../../../core/roster.js'
import { peerNamed } from '../../../core/provision.js'
import { jsonText } from '../../../core/text.js'
import {
  clientFragments,
  renderClientFragment,
  renderServerFragment,
  serverFragments,
  type ClientFormat,
  type Fragment,
  type RenderedFragment,
  type ServerFormat,
} from '../../../fragments/index.js'
import { inContext, type CliContext } from '../../context.js'
import { readGiven } from '../../io/given-file.js'
import { choice } from '../../options.js'
import { emit, outOptions, type OutOptions } from '../../io/result-file.js'

export const define = inContext((command, context) => {
  defineServer(command.command('server'), context)
  defineClient(command.command('client'), context)
  defineCard(command.command('card'), context)
  return command.addHelpText(
    'after',
    `
Examples:
  $ a2a-totp config server --out billing.json
  $ a2a-totp config client alice --out alice.env
  $ a2a-totp config card --merge agent-card.json`,
  )
})

function defineServer(command: Command, context: CliContext): void {
  outOptions(
    command
      .description('print the fragment for the protected agent')
      .option(...formatOption(serverFragments), 'json')
      .option('--server-file <path>', 'path of the server file at the agent, for env, compose and systemd')
      .option('--allow-weak-seed', 'write seeds of less than 128 bits, for an agent that allows them'),
  )
    .addHelpText(
      'after',
      `${listFormats(serverFragments)}
A file that the agent would refuse, for example with a seed of less than 128 bits, is not written (exit 3). A running
agent then keeps its old file, where revoked credentials are still valid.

Examples:
  $ a2a-totp config server --out /etc/billing/a2a-totp-server.json
  $ a2a-totp config server --format python --out a2a_totp_server.py
  $ a2a-totp config server --format kubernetes | kubectl apply -f -
  $ a2a-totp config server --format systemd --server-file /etc/a2a-totp/billing.json
  $ a2a-totp config server --allow-weak-seed --out server.json   # the agent has allowWeakSeeds: true`,
    )
    .action(async (options: ServerOptions) => {
      give(context, options, await acceptedFragment(context, options))
    })
}

interface ServerOptions extends OutOptions {
  format: ServerFormat
  serverFile?: string
  allowWeakSeed?: true
}

/**
 * A fragment that the agent's library accepts. One that it would refuse is never written: a running agent would keep its
 * old file, where revoked credentials are still valid.
 */
async function acceptedFragment(
  { output, store, now }: CliContext,
  { format, serverFile, allowWeakSeed }: ServerOptions,
): Promise<RenderedFragment> {
  const roster = await store.read()
  if (roster.peers.size === 0) output.warn('the store has no peers, so the agent would refuse every caller')
  if (format === 'maps') refuseOnce(roster)
  const input = { roster, at: now(), serverFile }
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

/** @throws {TOTPError} `ERR_CONFIG_INVALID` for the replay policy once, which maps cannot express. */
function refuseOnce(roster: Roster): void {
  const once = [...roster.peers.values()].find((peer) => replayOf(roster, peer) === 'once')
  if (!once) return
  throw new TOTPError(
    'ERR_CONFIG_INVALID',
    `maps cannot express the replay policy once of ${once.name}; use --format json`,
  )
}

function defineClient(command: Command, context: CliContext): void {
  outOptions(
    command
      .description('print the fragment for one peer: its token and its seed')
      .argument('<name>', 'the peer')
      .option(...formatOption(clientFragments), 'env'),
  )
    .addHelpText(
      'after',
      `${listFormats(clientFragments)}
Examples:
  $ a2a-totp config client alice --out alice.env
  $ a2a-totp config client alice --format json | ssh alice.example 'umask 077; cat > totp.json'
  $ a2a-totp config client alice --format crewai --out a2a_totp_crewai_client.py`,
    )
    .action(async (name: string, { format, ...out }: OutOptions & { format: ClientFormat }) => {
      const roster = await context.store.read()
      const peer = peerNamed(roster, name)
      give(context, out, await renderClientFragment(format, { roster, peer, at: context.now() }))
    })
}

function defineCard(command: Command, context: CliContext): void {
  outOptions(
    command
      .description('print the part of the agent card that requires bearer AND the code')
      .option(...choice('--protocol <version>', 'A2A protocol version to write', cardProtocols))
      .option('--merge <card>', 'print this card with the second factor added; - is standard input')
      .option('--replace', 'with --merge: drop alternatives without bearer'),
  )
    .addHelpText(
      'after',
      `
--merge adds the code to every alternative that has bearer, including those of skills. It never appends an
alternative: alternatives are an OR, so a new one would bypass the others.

Examples:
  $ a2a-totp config card --protocol both
  $ a2a-totp config card --merge agent-card.json --out agent-card.totp.json`,
    )
    .action(async ({ protocol, merge, replace, ...out }: CardOptions) => {
      if (replace && merge === undefined)
        throw new TOTPError('ERR_USAGE', '--replace needs a card; pass --merge CARD as well')
      const header = context.store.exists()
        ? (await context.store.read()).profile.header
        : defaultProfile.header
      const card =
        merge === undefined
          ? totpSecurityOf(protocol ?? '1.0', header)
          : withTotpSecurity(await readCard(context, merge), {
              header,
              replace: replace ?? false,
              protocol,
            })
      emit(context, out, jsonText(card, 2), card)
    })
}

interface CardOptions extends OutOptions {
  protocol?: CardProtocol
  merge?: string
  replace?: true
}

const formatOption = (table: Readonly<Record<string, unknown>>): ReturnType<typeof choice> =>
  choice('--format <format>', 'what to print', Object.keys(table))

/** One line per format, for the help text. */
function listFormats(table: Readonly<Record<string, Pick<Fragment<never>, 'summary' | 'secret'>>>): string {
  const width = Math.max(...Object.keys(table).map((name) => name.length))
  const lines = Object.entries(table).map(
    ([name, { summary, secret }]) => `  ${name.padEnd(width)}  ${summary}${secret ? ' (secret)' : ''}`,
  )
  return `\nFormats:\n${lines.join('\n')}\n`
}

function give(context: CliContext, out: OutOptions, { content, document, warnings }: RenderedFragment): void {
  for (const warning of warnings) context.output.warn(warning)
  emit(context, out, content, document)
}

async function readCard(context: CliContext, path: string): Promise<CardJson> {
  const card = parseJson((await readGiven(context, 'the agent card', path)).toString())
  if (isObject(card)) return card
  throw new TOTPError(
    'ERR_CARD_INVALID',
    'the agent card is not a JSON object; pass it as the agent serves it',
  )
}
