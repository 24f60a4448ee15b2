import type { Env } from '../../programs/environment.js'

/**
 * Whether the locale of the environment has more characters than ASCII that we draw with. Where nothing is said, as in
 * most containers, it has: their terminals are those of a desktop.
 */
export function speaksUnicode(env: Env): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value)
  return locale === undefined || /utf-?8/i.test(locale)
}
