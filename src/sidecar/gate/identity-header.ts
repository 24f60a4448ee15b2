/** The field that tells the agent who called. It has no separator, so no other spelling of it means the same to anybody. */
export const defaultIdentityHeader = 'TotpPeer'

/** Fields without a separator that mean something else already, in lower case. */
const taken: ReadonlySet<string> = new Set([
  ...['accept', 'age', 'allow', 'authorization', 'connection', 'cookie', 'cookie2', 'date', 'etag', 'expect'],
  ...['expires', 'forwarded', 'from', 'host', 'location', 'origin', 'pragma', 'priority', 'range', 'referer'],
  ...['server', 'signature', 'te', 'trailer', 'upgrade', 'vary', 'via', 'warning', 'link', 'traceparent'],
  ...['tracestate', 'baggage', 'totpassertion', 'totpstatus', 'totpchallenges', 'totpretryafter'],
  ...['totpauthztoken', 'totpproof'],
])

/** Whether a name can carry the identity: letters and digits alone, and no field that exists. */
export function isIdentityHeader(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name) && !taken.has(name.toLowerCase())
}
