import { extname } from 'node:path'
import { TOTPError } from '../../../core/errors.js'
import {
  replayOf,
  seedsOf,
  signedOf,
  type Canary,
  type Credential,
  type Peer,
  type Roster,
} from '../../../core/roster.js'
import { peerNamed } from '../../../core/provision.js'
import { newestSeed, sourceFromStore } from '../codes/code-source.js'
import { peerArgument } from '../../completes.js'
import { inContext, type CliContext } from '../../context.js'
import { keyUriOf } from './credential-rows.js'
import { ageOf, noteOf, pendingOf, viewRoster } from './peer-view.js'
import { table } from '../../io/table.js'
import {
  emit,
  emitSecret,
  keepSecret,
  secretOutOptions,
  writeResult,
  type SecretOutOptions,
} from '../../io/result-file.js'

interface ShowOptions extends SecretOutOptions {
  uri?: true
  qr?: true
  qrFile?: string
}

export const define = inContext((command, context) =>
  secretOutOptions(
    command
      .argument(...peerArgument('<name>', 'the peer'))
      .option('--uri', 'print its otpauth key URI instead; secret, since it contains the seed')
      .option('--qr', 'show the key URI as a QR code, on a terminal')
      .option('--qr-file <file>', 'write the QR code to FILE.png or FILE.svg, readable only by you'),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ a2a-totp show alice
  $ a2a-totp show alice --qr
  $ a2a-totp show alice --qr-file alice.png`,
    )
    .action(async (name: string, options: ShowOptions) => {
      const roster = await context.store.read()
      const asked = options.uri ?? options.qr ?? options.qrFile !== undefined
      const canary = asked ? undefined : roster.canaries?.get(name)
      if (canary) {
        emit(context, options, describeCanary(roster, canary, context.now()), viewRoster(roster, [canary]))
        return
      }
      const peer = peerNamed(roster, name)
      const view = viewRoster(roster, [peer])
      if (!asked) {
        emit(context, options, describe(roster, peer, context.now()), view)
        return
      }
      const uri = keyUriOf(roster, peer, newestSeed(sourceFromStore(roster, peer, context.now())))
      if (options.qrFile !== undefined) await writeQr(context, options.qrFile, uri, options)
      if (options.uri) await emitSecret(context, options, uri, { ...view, uri })
      else if (options.out !== undefined) emit(context, options, describe(roster, peer, context.now()), view)
      else context.output.result('', view)
      if (options.qr) (await import('../../io/qr.js')).showQr(context.output, context.env, uri)
    }),
)

async function writeQr(context: CliContext, file: string, uri: string, options: ShowOptions): Promise<void> {
  const { qrImages } = await import('../../io/qr.js')
  const image = qrImages[extname(file).toLowerCase()]
  if (!image) {
    throw new TOTPError('ERR_USAGE', `--qr-file must end in ${Object.keys(qrImages).join(' or ')}`)
  }
  const path = writeResult(context, file, image(uri), options.force)
  context.output.say(`wrote the QR code to ${file}; it contains the seed`)
  await keepSecret(context, path, options)
}

function describe(roster: Roster, peer: Peer, now: Date): string {
  const { window, header } = roster.profile
  return table([
    ['peer', peer.name],
    ['agent', roster.agent],
    ['codes', `${peer.algorithm}, ${peer.digits} digits, ${peer.period} s, window ${window}, in ${header}`],
    ['replay', replayOf(roster, peer)],
    ['signed', signedOf(roster, peer)],
    ['created', peer.createdAt.toISOString()],
    ...(peer.note === undefined ? [] : [['note', noteOf(peer)]]),
    ...(peer.pending ? [['rotation', `pending: ${pendingOf(peer, now)}`]] : []),
    ...seedsOf(roster, peer).map((seed) => [roster.sharedSeeds ? 'shared seed' : 'seed', life(seed, now)]),
    ...peer.tokens.map((token) => ['token', life(token, now)]),
  ])
}

function describeCanary({ agent }: Roster, canary: Canary, now: Date): string {
  return table([
    ['canary', canary.name],
    ['agent', agent],
    ['created', canary.createdAt.toISOString()],
    ...(canary.note === undefined ? [] : [['note', noteOf(canary)]]),
    ...canary.tokens.map((token) => ['token', life(token, now)]),
  ])
}

function life({ id, createdAt, expiresAt, staged }: Credential, now: Date): string {
  const end =
    expiresAt === undefined ? '' : `, ${expiresAt <= now ? 'expired' : 'expires'} ${expiresAt.toISOString()}`
  return `${id}, ${ageOf(createdAt, now)} old${end}${staged ? ', staged: not in use yet' : ''}`
}
