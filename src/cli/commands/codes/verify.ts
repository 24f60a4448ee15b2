import { TOTPError, isTOTPError } from '../../../core/errors.js'
import { verifyCode, type Verification } from '../../../core/totp.js'
import { count } from '../../../core/text.js'
import { findCodeSource, type CodeSource } from './code-source.js'
import { peerArgument } from '../../completes.js'
import { inContext } from '../../context.js'
import { exitCodes } from '../../errors.js'
import { time } from '../../options.js'

export const define = inContext((command, context) =>
  command
    .argument('<code>', 'the code, or - to read it from standard input')
    .argument(
      ...peerArgument('[name]', 'the peer (default: $A2A_TOTP_SEED, else the only peer of the store)'),
    )
    .option(...time('--at <time>', 'check at another time: RFC 3339 or unix seconds'))
    .addHelpText(
      'after',
      `
Prints valid or invalid, and for a valid code its drift in time steps (-1: the peer is one step behind).
Exit code 0 if valid, 1 if not. Spaces and dashes between the digits do not count. With --at the seeds count that are valid
at that time, whenever they were created.

Examples:
  $ a2a-totp verify 287082 alice
  valid (drift 0)
  $ a2a-totp verify '287 082' alice
  $ oathtool --totp -b "$SEED" | a2a-totp verify - alice`,
    )
    .action(async (given: string, name: string | undefined, { at }: { at?: Date }) => {
      // Somebody may type it; what counts is the time when it is there.
      const code = codeIn(given === '-' ? (await context.readStdin()).toString() : given)
      const instant = at ?? context.now()
      const source = await findCodeSource(context, name, instant).catch((error: unknown) => {
        throw isSecondGroup(given, name, error)
          ? new TOTPError('ERR_USAGE', `quote a code with spaces: a2a-totp verify '${given} ${name}'`)
          : error
      })
      const verification = source.seeds
        .map((seed) => verifyCode(seed, source.profile, code, instant))
        .reduce<Verification>((found, next) => (found.valid ? found : next), { valid: false })
      const { valid, timeStep, drift } = verification.valid
        ? verification
        : { ...verification, timeStep: null, drift: null }
      context.output.result(valid ? `valid (drift ${drift})` : 'invalid', {
        valid,
        peer: source.peer ?? null,
        timeStep,
        drift,
      })
      const flaw = valid ? undefined : flawOf(code, source)
      if (flaw !== undefined) context.output.say(flaw)
      if (!valid) context.setExitCode(exitCodes.no)
    }),
)

/** Whether the name that no peer has is the rest of a code that was not quoted. */
const isSecondGroup = (code: string, name: string | undefined, error: unknown): name is string =>
  isTOTPError(error) &&
  error.code === 'ERR_PEER_UNKNOWN' &&
  [code, name].every((one) => /^\d{2,4}$/.test(one ?? ''))

/** People write codes in groups: `287 082`, `287-082`. */
const codeIn = (text: string): string => text.replace(/[\s\p{Pd}]+/gu, '')

/** What is wrong with the form of a code. */
function flawOf(code: string, { peer, profile: { digits } }: CodeSource): string | undefined {
  if (!/^[0-9]*$/.test(code))
    return 'a code is made of the digits 0 to 9 alone, not of other letters or digits'
  if (code.length === digits) return undefined
  return `a code ${peer === undefined ? 'here' : `of ${peer}`} has ${digits} digits; this has ${count(code.length, 'digit')}`
}
