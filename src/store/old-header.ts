import { isHttpToken } from '../core/http-token.js'

const reserved = /^(authorization|cookie|host|a2a-.*|grpc-.*|.*-bin)$/i
const unusable =
  /^(accept|connection|content-(encoding|length|type)|date|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|via)$/i

/**
 * Returns whether version 0.1 took a field for the code. Some of these are refused since, by agents, clients and `--header`. A
 * store with one of them is read nevertheless: only then can `set --header` choose another.
 */
export function wasHeaderName(text: string): boolean {
  return text.length <= 64 && isHttpToken(text) && !reserved.test(text) && !unusable.test(text)
}
