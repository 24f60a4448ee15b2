import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'
import { notes } from './notes.js'

/** A maker that has each secret noted before anybody gets it. */
function noting<T>(make: (from: never) => T, note: (made: T) => void): (from: never) => T {
  return (from) => {
    const made = make(from)
    note(made)
    return made
  }
}

// The recorder sees what is made and what is used. This is for what is only read.
if (notes) {
  const { noteSecret } = notes
  const noteSeed = (seed: Seed): void => noteSecret('seed', Buffer.from(seed.bytes).toString('hex'))
  const noteToken = (token: Token): void => noteSecret('token', token.value)
  Object.assign(Seed, {
    fromBase32: noting(Seed.fromBase32.bind(Seed), noteSeed),
    fromBytes: noting(Seed.fromBytes.bind(Seed), noteSeed),
  })
  Object.assign(Token, { parse: noting(Token.parse.bind(Token), noteToken) })
}
