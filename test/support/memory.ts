import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** In bytes, garbage not counted. */
export function heapUsed(): number {
  return memoryUsed().heapUsed
}

/** Bytes that this process holds, which is client and server at once; garbage not counted. */
export function bytesHeld(): number {
  const { heapUsed, external } = memoryUsed()
  return heapUsed + external
}

function memoryUsed(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  return process.memoryUsage()
}
