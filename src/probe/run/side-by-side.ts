/** The most requests of one cell that are under way at a time. */
export const sideBySide = 8

/** Does something with each item, a few at a time, in their order. */
export async function eachSideBySide<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const actInTurn = async (): Promise<void> => {
    for (const item of left) await act(item)
  }
  await Promise.all(Array.from({ length: sideBySide }, actInTurn))
}
