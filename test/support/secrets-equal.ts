import { expect } from 'vitest'
import { Seed } from '../../src/core/seed.js'
import { Token } from '../../src/core/token.js'

/** Seeds and tokens have no properties to compare, so that any two would be equal to `toEqual`. */
expect.addEqualityTesters([
  (one, other) => (one instanceof Seed && other instanceof Seed ? one.base32 === other.base32 : undefined),
  (one, other) => (one instanceof Token && other instanceof Token ? one.value === other.value : undefined),
])
