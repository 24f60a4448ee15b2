import type { Command } from 'commander'
import { cardProtocols, type CardProtocol } from '../../../core/card/shapes.js'
import { TOTPError } from '../../../core/errors.js'
import { jsonText } from '../../../core/text.js'
import type { CliContext } from '../../context.js'
import { emit, outOptions, type OutOptions } from '../../io/result-file.js'
import { choice } from '../../options.js'

/** `config card`: what the agent card has to demand. */
export function defineCard(command: Command, context: CliContext): void {
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
--protocol: 1.0, the default, is what A2A 1.0 specifies; a2a-go 2.4 cannot read its empty scopes. 0.3 suits crewAI and the
SDKs of that line, and neither a2a-go nor a2a-java 1.0. "both" is one shape for all of them and for google-adk: schemes in
both spellings, requirements in "security" alone. Only a2a-java 1.0.0.Alpha cannot read it. With --merge the default is the
shape of the card.

--merge adds the code to every alternative that has bearer, including those of skills. It never appends an
alternative: alternatives are an OR, so a new one would bypass the others. Signatures of a card that changes are
dropped, with a warning: they would no longer verify.

From a store, the extension urn:a2a-totp:v1 in capabilities tells clients how codes are made and whether requests have to be
signed. With --merge it replaces an earlier one.

Examples:
  $ a2a-totp config card --protocol both
  $ a2a-totp config card --merge agent-card.json --out agent-card.totp.json`,
    )
    .action(async ({ protocol, merge, replace, ...out }: CardOptions) => {
      if (replace && merge === undefined)
        throw new TOTPError('ERR_USAGE', '--replace needs a card; pass --merge CARD as well')
      const { makeCard } = await import('./card-content.js')
      const card = await makeCard(context, { protocol, merge, replace })
      emit(context, out, jsonText(card, 2), card)
    })
}

interface CardOptions extends OutOptions {
  protocol?: CardProtocol
  merge?: string
  replace?: true
}
