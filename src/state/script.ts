import { createHash } from 'node:crypto'

/** A script, and the digest that Redis knows it by. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })
