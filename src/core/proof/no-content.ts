import { digestOf } from './digest.js'

const bare: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE'])

/** Whether requests of a method of HTTP usually have no content. The method is spelled as it is sent. */
export function isBare(method: string): boolean {
  return bare.has(method)
}

/** The digest of a request of HTTP without content. */
export const noContent: Buffer = digestOf('http', new Uint8Array())
