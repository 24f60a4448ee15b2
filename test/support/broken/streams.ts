import type { ServerResponse } from 'node:http'
import { fails, isLive, warns, type Circumstances, type Defect } from './defect.js'

const opened = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })

const pretty = (data: unknown): string =>
  JSON.stringify(data, null, 2)
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('') + '\n'

const rpcError = (code: number, message: string): unknown => ({
  jsonrpc: '2.0',
  id: 1,
  error: { code, message },
})

/** Agents whose streams are guarded less than their other methods, or differently. */
export function streamDefects({ peers }: Circumstances): Defect[] {
  const live = isLive(peers)
  return [
    {
      name: 'wants some code on streams, and takes any',
      quirks: {
        waves: (call, seen) => call.operation === 'subscribe' && live(seen) && seen.codes.length === 1,
      },
      named: fails('auth.stream'),
    },
    {
      name: 'wants no code on streams',
      quirks: { waves: (call, seen) => call.operation === 'subscribe' && live(seen) },
      named: fails('auth.stream'),
    },
    {
      name: 'forgets the guard on streams',
      quirks: { waves: (call) => call.operation === 'subscribe' },
      named: fails('auth.stream'),
    },
    {
      name: 'opens a stream to anyone and stays silent',
      quirks: {
        answers: (response, { operation }) => {
          if (operation !== 'subscribe') return false
          opened(response).write(': welcome\n\n')
          return true
        },
      },
      named: fails('auth.stream'),
    },
    {
      name: 'opens a stream to anyone, and says in it that there is no such task',
      quirks: {
        answers: (response, { operation, taskId }) => {
          if (operation !== 'subscribe') return false
          opened(response).end(pretty(rpcError(-32001, `Task not found: ${taskId}`)))
          return true
        },
      },
      named: fails('auth.stream'),
    },
    {
      name: 'refuses a stream inside of it',
      quirks: {
        refuse: (response, _, { operation }) => {
          if (operation !== 'subscribe') return false
          opened(response).end(pretty(rpcError(-32000, 'Unauthorized: credentials needed')))
          return true
        },
      },
      named: warns('status'),
      httpOnly: true,
    },
    {
      name: 'fails on a stream without credentials',
      quirks: {
        refuse: (response, reason, { operation }) => {
          if (operation !== 'subscribe' || reason !== 'no token') return false
          response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"error":"boom"}')
          return true
        },
      },
      named: fails('status'),
      // It is a door as well, by another method of HTTP.
      follows: ['auth.doors'],
    },
  ]
}
