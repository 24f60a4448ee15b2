/** Quotes a text so that a POSIX shell reads it as one word, unless it needs no quotes (POSIX.1-2017, XCU 2.2.2). */
export function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
