'use strict'

/**
 * Loaded into each program of the soak, before it: its parent sets its clock over the IPC channel, and asks what it holds. The
 * uptime and timers go on as they are, as under a clock that somebody sets.
 */
const RealDate = Date
let ahead = 0

function SetDate(...args) {
  if (!new.target) return new SetDate().toString()
  return Reflect.construct(RealDate, args.length === 0 ? [SetDate.now()] : args, new.target)
}
Object.setPrototypeOf(SetDate, RealDate)
SetDate.prototype = RealDate.prototype
SetDate.now = () => RealDate.now() + ahead
globalThis.Date = SetDate

function holding() {
  // Twice: what the first run only marks for its finalizers.
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  const handles = {}
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1
  return { heapUsed, external, handles }
}

process.on('message', ({ id, aheadMs }) => {
  if (aheadMs !== undefined) ahead = aheadMs
  process.send({ id, ...(aheadMs === undefined && holding()) })
})
process.channel.unref()
