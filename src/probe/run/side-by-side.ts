/** The most requests of one cell that are under way at a time. */
const most = 8

/** Does the work for every item, several at a time; each is begun in the order of the items. */
export async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const workInTurn = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: most }, workInTurn))
}
