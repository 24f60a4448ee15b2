import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { decideScript } from '../../src/state/decide-script.js'
import { takeBackScript } from '../../src/state/take-back-script.js'

const python = readFileSync(
  new URL('../../python/src/a2a_totp/state/redis_scripts.py', import.meta.url),
  'utf8',
)

/** Redis knows a script by its digest: another text would look like a server that has lost its memory. */
it.each([
  ['DECIDE_TEXT', decideScript],
  ['TAKE_BACK_TEXT', takeBackScript],
])('the Python package asks Redis the very same script: %s', (name, { text }) => {
  const [, theirs] = new RegExp(`^${name} = r"""(.*?)"""$`, 'ms').exec(python) ?? []
  expect(theirs).toBe(text)
})
