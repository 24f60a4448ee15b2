import { dirname } from 'node:path'
import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { parseNewName } from '../../../core/name.js'
import type { Roster } from '../../../core/roster.js'
import { signedForNew } from '../../../core/policies.js'
import { parseProfile, type ReplayPolicy, type TOTPProfile } from '../../../core/profile.js'
import type { SignedPolicy } from '../../../core/proof/profile.js'
import { seedCredential } from '../../../core/provision.js'
import { mayShareSeed, sharedOnce } from '../../../core/shared-seed.js'
import { makeSeed } from '../../../core/seed.js'
import { count, printable } from '../../../core/text.js'
import { distrustFolder } from '../../../store/trusted-folder.js'
import { plaintext } from '../../../store/protection.js'
import { storeExists } from '../../../store/store.js'
import { inContext, type CliContext } from '../../context.js'
import type { StoreAccess } from '../../store/store-access.js'
import { encryptionOptions, protectionFrom, type EncryptionOptions } from './encryption.js'
import { requireHttpUrl, profileOptions, replayOption, signedOption } from '../../options.js'
import { pitfallOf, reuseWords } from '../policy-words.js'
import { beforePlaintext } from './plaintext.js'
import type { Output } from '../../io/output.js'

interface InitOptions extends Partial<TOTPProfile>, EncryptionOptions {
  agent: string
  url?: string
  replay?: ReplayPolicy
  signed?: SignedPolicy
  strict?: true
  sharedSeed?: true
  ifMissing?: true
  force?: true
  yes?: true
  gitignore: boolean
}

/** What `--strict` stands for. */
const strict = { replay: 'once', signed: 'require', digits: 8, algorithm: 'SHA256' } as const
const strictWords = `the same as ${Object.entries(strict)
  .map(([name, value]) => `--${name} ${value}`)
  .join(' ')}`

export const define = inContext((command, context) =>
  encryptionOptions(
    signedOption(
      replayOption(
        profileOptions(
          command
            .option('--agent <name>', "the agent's stable name", 'agent')
            .option('--url <url>', "the agent's address, for clients and the probe"),
        ),
      ),
    ).option('--strict', strictWords),
  )
    .option(
      '--shared-seed',
      'one seed for all peers; weaker, since each can impersonate the others; with once only beside --signed require',
    )
    .option('--if-missing', 'if the store exists, change nothing and succeed')
    .option('--force', 'create a new store; the old file is kept beside it')
    .option('--yes', 'do not ask before abandoning peers, or writing where git would publish the store')
    .option('--no-gitignore', 'do not add the store to .gitignore')
    .addHelpText(
      'after',
      `
Prints the store's path. The file is readable only by you from the start. It contains every seed and token of
this agent: never share it.

Examples:
  $ a2a-totp init --agent billing --url https://billing.example
  $ a2a-totp init --replay once --digits 8
  $ a2a-totp init --strict                        # each request with a proof of its own
  $ a2a-totp init --encrypt-to age1…              # then it may be committed
  $ a2a-totp --store /etc/billing/a2a-totp.json init --if-missing`,
    )
    .action(async (given: InitOptions) => {
      const options = withStrict(given)
      const { output } = context
      const store = context.store.here()
      const roster = rosterFrom(options, context)
      if (options.ifMissing && store.taken()) {
        await reportExisting(store, output)
        return
      }
      // Before a passphrase is asked for, which would be in vain.
      if (!options.force && store.taken()) throw storeExists(store.path())
      await confirmReplacement(context, store, options)
      const protection = (await protectionFrom(context, options)) ?? plaintext
      // git must not see it in plain text, not even for a moment; encrypted, it may be committed.
      const { yes, gitignore } = options
      const warning =
        protection.kind === 'none'
          ? await beforePlaintext(context, store.path(), {
              yes,
              gitignore,
              action: 'Create a store in plain text',
            })
          : undefined
      const backup = await create(context, store, roster, {
        replace: options.force ?? false,
        protection,
      }).catch((error: unknown) => {
        // Another process created it between our check and our write.
        if (options.ifMissing && isTOTPError(error) && error.code === 'ERR_STORE_EXISTS') return 'there'
        throw error
      })
      if (backup === 'there') {
        await reportExisting(context.store.here(), output)
        return
      }
      output.result(printable(store.path()), {
        store: store.path(),
        agent: roster.agent,
        created: true,
        ...(backup !== undefined && { backup }),
      })
      if (backup) output.say(`the old store is kept as ${backup}`)
      if (warning) output.warn(warning)
      remark(output, store, options, roster)
    }),
)

/** Encrypting with a passphrase takes a second, on purpose. */
async function create(
  { progress }: CliContext,
  store: StoreAccess,
  ...args: Parameters<StoreAccess['create']>
): ReturnType<StoreAccess['create']> {
  const [, { protection }] = args
  if (protection.kind !== 'passphrase') return store.create(...args)
  return progress.during('encrypting the store', () => store.create(...args))
}

/** @throws {TOTPError} `ERR_USAGE` for an option that contradicts `--strict` */
function withStrict(options: InitOptions): InitOptions {
  if (!options.strict) return options
  for (const [name, value] of Object.entries(strict)) {
    const given = options[name as keyof typeof strict]
    if (given !== undefined && given !== value)
      throw new TOTPError(
        'ERR_USAGE',
        `--strict and --${name} ${given} contradict each other: --strict is ${strictWords.replace('the same as ', '')}; omit one`,
      )
  }
  return { ...options, ...strict }
}

function rosterFrom(options: InitOptions, { now, random }: CliContext): Roster {
  const profile = parseProfile({ ...options })
  const making = { at: now(), random }
  const { replay = 'reuse', signed = signedForNew(replay), sharedSeed } = options
  if (sharedSeed && !mayShareSeed({ replay, signed })) {
    const why = `${sharedOnce}; leave out one of them, or add --signed require`
    throw new TOTPError('ERR_USAGE', `--shared-seed and --replay ${replay} exclude each other: ${why}`)
  }
  return {
    agent: parseNewName(options.agent, 'agent'),
    url: options.url === undefined ? undefined : requireHttpUrl('--url', options.url),
    profile,
    replay,
    signed,
    sharedSeeds: sharedSeed ? [seedCredential(makeSeed(profile.algorithm, random), making)] : undefined,
    peers: new Map(),
  }
}

async function reportExisting(store: StoreAccess, output: Output): Promise<void> {
  const agent = await agentIn(store)
  output.result(printable(store.path()), { store: store.path(), agent, created: false })
  output.say(`the store${agent === null ? '' : ` of ${agent}`} already exists; nothing was changed`)
}

/** Null where it is encrypted and no key is at hand: that it is there is all that was asked. */
async function agentIn(store: StoreAccess): Promise<string | null> {
  try {
    return (await store.unasked().read()).agent
  } catch (error) {
    if (isTOTPError(error) && error.code === 'ERR_STORE_KEY_MISSING') return null
    throw error
  }
}

async function confirmReplacement(
  { confirm }: CliContext,
  store: StoreAccess,
  { force, yes }: InitOptions,
): Promise<void> {
  if (!force || yes || !store.taken()) return
  const peers = await peersIn(store)
  if (peers === 0) return
  const what =
    peers === undefined ? 'a store that cannot be read' : `the store and its ${count(peers, 'peer')}`
  if (await confirm(`Abandon ${what} and create a new one?`, '--yes')) return
  throw new TOTPError('ERR_DECLINED', 'the store was not changed')
}

/** The number of peers in the store, with its canaries; undefined if it cannot be read. */
async function peersIn(store: StoreAccess): Promise<number | undefined> {
  try {
    const { peers, canaries } = await store.read()
    return peers.size + (canaries?.size ?? 0)
  } catch {
    return undefined
  }
}

/** What is said of the policy on proofs where it was not chosen. */
const signedWords = {
  observe:
    'signed policy observe: proofs are checked and reported, and decide nothing; with --signed accept or require they do',
  accept:
    'signed policy accept: a request with a proof is good once, and any number of them fit into a period; with --signed require all need one',
} as const

function remark(
  output: Output,
  store: StoreAccess,
  { replay, signed }: InitOptions,
  { replay: chosenReplay, signed: chosen = 'off', sharedSeeds }: Roster,
): void {
  if (replay === undefined) output.say(`replay policy reuse: ${reuseWords(chosen)}`)
  if (signed === undefined) output.say(signedWords[chosen === 'accept' ? 'accept' : 'observe'])
  const pitfall = pitfallOf({ replay: chosenReplay, signed: chosen })
  if (replay !== undefined && signed !== undefined && pitfall !== undefined) output.warn(pitfall)
  if (sharedSeeds) {
    output.warn(
      'one seed for all peers is weaker: any peer with a stolen token can impersonate its owner; prefer one seed per peer',
    )
  }
  const open = distrustFolder(dirname(store.path()))
  if (open !== undefined)
    output.warn(`${open}; commands ignore this store unless --store or $A2A_TOTP_STORE names it`)
  output.say('next: a2a-totp add-peer NAME')
}
