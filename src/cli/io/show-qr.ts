import type { CliContext } from '../context.js'

/** Draws a key URI on a person's terminal. Elsewhere it says what to do instead, and draws nothing. */
export async function showQr({ output }: CliContext, uri: string): Promise<void> {
  if (!output.forPerson) {
    output.warn('a QR code needs a terminal; use `a2a-totp show NAME --qr-file FILE.png` instead')
    return
  }
  const { drawQr } = await import('./qr.js')
  output.write(drawQr(uri, output.columns))
}
