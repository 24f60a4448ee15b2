/** The columns of our own CSV, in the order in which `export` writes them. */
export const csvColumns = [
  'name',
  'seed',
  'token',
  'algorithm',
  'digits',
  'period',
  'replay',
  'note',
  'signed',
] as const
