/** What may be a token (RFC 6750 §2.1, `b64token`), long enough not to stand in a file by accident. */
const wordIn = /[A-Za-z0-9\-._~+/]{16,8192}=*/g
/** Tokens of this tool, also where something is directly in front of them. */
const ownIn = /a2at_[A-Za-z0-9_-]{43}/g
const base64In = /[A-Za-z0-9+/]{24,}/g

/**
 * The words of a file that may be tokens, in plain text or in base64: a token that is known by its hash alone can only be
 * recognised by hashing whatever may be it.
 */
export function* tokenWords(content: Uint8Array): Generator<string, void, void> {
  // NULs are every other byte of UTF-16.
  const text = Buffer.from(content).toString('latin1').replaceAll('\0', '')
  yield* wordsIn(text)
  // As in a Kubernetes secret.
  for (const [encoded] of text.matchAll(base64In))
    yield* wordsIn(Buffer.from(encoded, 'base64').toString('latin1'))
}

function* wordsIn(text: string): Generator<string, void, void> {
  for (const [own] of text.matchAll(ownIn)) yield own
  for (const [word] of text.matchAll(wordIn)) {
    yield word
    // The end of a sentence.
    if (word.endsWith('.')) yield word.slice(0, -1)
  }
}
