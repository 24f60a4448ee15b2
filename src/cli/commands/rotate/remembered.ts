import * as v from 'valibot'
import { parseJson } from '../../../core/json.js'
import { jsonText } from '../../../core/text.js'
import { clientFragments, type ClientFormat } from '../../../fragments/index.js'
import type { CliContext } from '../../context.js'
import { readState, writeState } from '../../store/state-folder.js'
import { rememberedAs, rememberedIn } from './remembered-file.js'
import type { StagedOptions } from './staged-options.js'

/*
 * The options of a rotation that is not finished, among them commands, are not kept in the store: an encrypted store may be
 * public, anyone can encrypt to its recipients, and a command from there would be run. They are kept in a folder that only
 * the user can write to.
 */

const text = v.string()
const yes = v.literal(true)
const schema = v.strictObject({
  cwd: text,
  deliver: v.exactOptional(text),
  format: v.picklist(Object.keys(clientFragments) as ClientFormat[]),
  serverOut: v.exactOptional(text),
  deliverServer: v.exactOptional(text),
  prove: v.exactOptional(text),
  wait: v.number(),
  timeout: v.number(),
  allowHost: v.exactOptional(v.array(text)),
  insecureHttp: v.exactOptional(yes),
  ca: v.exactOptional(text),
  allowWeakSeed: v.exactOptional(yes),
})

/** Keeps the options of a rotation for `--resume`. Without a place for them it says so, and the rotation goes on. */
export function remember(context: CliContext, id: string, options: StagedOptions): void {
  const why = writeState(rememberedIn(context), rememberedAs(context, id), `${jsonText(options)}\n`)
  if (why === undefined) return
  context.output.say(`the options are not remembered (${why}): --resume will need them again`)
}

/** What is remembered; undefined when nothing is, or others could have written it. */
export function recall(context: CliContext, id: string): StagedOptions | undefined {
  const read = v.safeParse(
    schema,
    parseJson(readState(rememberedIn(context), rememberedAs(context, id)) ?? ''),
  )
  return read.success ? read.output : undefined
}
