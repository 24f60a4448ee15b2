import type { Trouble } from './raw-answer.js'
import { onlyHttp2, onlyTls } from './trouble.js'
import { tlsTrouble } from './tls-trouble.js'

interface Page {
  readonly status: number
  readonly header: (name: string) => readonly string[]
  readonly body: string
}

/**
 * What an answer shows that comes from a server's transport, before any agent saw the request: the wrong protocol, or no
 * client certificate. nginx, Go, Apache and Node write such pages; they are recognised by status and by words, which are
 * not quoted.
 *
 * @param presented whether the probe has a client certificate
 */
export function impasseIn({ status, header, body }: Page, presented: boolean): Trouble | undefined {
  if (status === 400 && /no required ssl certificate was sent/i.test(body)) {
    return tlsTrouble('', { asked: true, presented: false })
  }
  if (status === 400 && presented && /<title>400 the ssl certificate error/i.test(body)) {
    return tlsTrouble('', { asked: true, presented: true })
  }
  const isPlain =
    /plain http request was sent to https port|sent an http request to an https server|speaking plain http to an ssl-enabled/i
  if (status === 400 && isPlain.test(body)) return onlyTls
  return demandsHttp2(status, header, body) ? onlyHttp2 : undefined
}

/** 464 is AWS's status for a protocol that the servers behind do not take; a 403 with these words is Node's. */
function demandsHttp2(status: number, header: Page['header'], body: string): boolean {
  if (status === 505 || status === 464) return true
  if (status === 426) return header('upgrade').some((one) => /\b(h2c?|http\/2)\b/i.test(one))
  return status === 403 && /^(missing|unknown) alpn protocol, expected `h2`/i.test(body)
}
