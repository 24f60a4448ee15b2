import { cardPath } from '../../core/card/shapes.js'

/** Where agents of A2A 0.2 serve their card, and some of 0.3. */
export const formerCardPath = '/.well-known/agent.json'

/** Whether a URL is the exact address of a card rather than of an agent or an endpoint. */
export function isCardUrl({ pathname }: URL): boolean {
  return pathname.endsWith('.json') || pathname.includes('/.well-known/')
}

/**
 * Where the card of a target may be, in the order in which to ask: the URL itself if it is one of a card, and nothing
 * else, because the card at another place may be that of another agent. Else below the URL and at the origin, the former
 * path last.
 */
export function cardUrls(target: URL): URL[] {
  if (isCardUrl(target)) return [target]
  const at = (pathname: string): URL => Object.assign(new URL(target), { pathname, search: '' })
  const base = target.pathname.replace(/\/$/, '')
  const urls = [cardPath, formerCardPath].flatMap((path) => [at(base + path), at(path)])
  return urls.filter((url, index) => urls.findIndex(({ href }) => href === url.href) === index)
}
