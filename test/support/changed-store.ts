import { readStore, updateStore } from '../../src/store/store.js'
import { makeStore } from './store-folder.js'

/** A store whose agent was renamed from `agent` to `changed`. */
export async function makeChangedStore(): Promise<string> {
  const { path } = makeStore()
  await updateStore(path, {}, (roster) => ({ ...roster, agent: 'changed' }))
  return path
}

export const agentIn = async (path: string): Promise<string> => (await readStore(path)).agent
