const inAscii: Readonly<Record<string, string>> = {
  '…': '...',
  '×': 'x',
  '±': '+/-',
  '→': '->',
  '–': '-',
  '—': '-',
  '’': "'",
}

/** Our own texts without the few characters that ASCII lacks. What came from outside stays as it is. */
export const asciiOf = (text: string): string =>
  text.replace(/[…×±→–—’]/g, (character) => inAscii[character] ?? character)
