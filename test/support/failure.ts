import { TOTPError, type ErrorCode } from '../../src/core/errors.js'

/** Whatever goes wrong, an error says so in words. */
export function wellPut<E extends Error>(error: E): E {
  if (error.message.split(' ').length >= 3) return error
  throw new Error(`an error says ${JSON.stringify(error.message)}, which tells nobody what is wrong`)
}

/** What a call fails with; it fails itself when the call does not, or with an error that is not ours. */
export function failureOf(call: () => unknown): TOTPError {
  try {
    call()
  } catch (error) {
    if (error instanceof TOTPError) return wellPut(error)
    throw new Error('it failed with an error that is not ours', { cause: error })
  }
  throw new Error('it should have failed')
}

/** The code of what a call fails with. */
export function codeOf(call: () => unknown): ErrorCode {
  return failureOf(call).code
}
