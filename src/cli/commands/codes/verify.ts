import { verifyCode, type Verification } from '../../../core/totp.js'
import { findCodeSource } from './code-source.js'
import { inContext } from '../../context.js'
import { exitCodes } from '../../errors.js'
import { time } from '../../options.js'

export const define = inContext((command, context) =>
  command
    .argument('<code>', 'the code, or - to read it from standard input')
    .argument('[name]', 'the peer (default: $A2A_TOTP_SEED, else the only peer of the store)')
    .option(...time('--at <time>', 'check at another time: RFC 3339 or unix seconds'))
    .addHelpText(
      'after',
      `
Prints valid or invalid, and for a valid code its drift in time steps (-1: the peer is one step behind).
Exit code 0 if valid, 1 if not.

Examples:
  $ a2a-totp verify 287082 alice
  valid (drift 0)
  $ oathtool --totp -b "$SEED" | a2a-totp verify - alice`,
    )
    .action(async (given: string, name: string | undefined, { at }: { at?: Date }) => {
      const source = await findCodeSource(context, name)
      const code = given === '-' ? (await context.readStdin()).toString().trim() : given
      const instant = at ?? context.now()
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
      if (!valid) context.setExitCode(exitCodes.no)
    }),
)
