import { doors, type Door } from '../agent-doors.js'
import { sendJson } from '../broken-agent.js'
import { fails, isLive, type Circumstances, type Defect } from './defect.js'

/** The methods that no other check calls. */
const besides = doors.filter((door) => door !== 'get' && door !== 'subscribe')

/** gRPC of 0.3 cannot list tasks. */
const isServed = (door: Door) => (cell: string) => door !== 'list' || cell !== 'grpc 0.3'

/** Agents that guard what is usually tried, and leave one other method open. */
export function doorDefects({ peers }: Circumstances): Defect[] {
  const live = isLive(peers)
  return [
    ...besides.map((door): Defect => ({
      name: `leaves "${door}" open to anyone`,
      quirks: { waves: (call) => call.door === door },
      cells: isServed(door),
      named: fails('auth.doors'),
    })),
    ...besides.map((door): Defect => ({
      name: `leaves "${door}" open to a token without a code`,
      quirks: { waves: (call, seen) => call.door === door && live(seen) && seen.codes.length === 0 },
      cells: isServed(door),
      named: fails('auth.doors'),
    })),
    {
      name: 'guards the two methods that read tasks, and no other',
      quirks: { waves: ({ door }) => door !== undefined && door !== 'get' && door !== 'subscribe' },
      named: fails('auth.doors'),
    },
    {
      name: 'fails where a message comes without credentials',
      quirks: {
        refuse: (response, reason, { door }) => {
          if (door !== 'send' || reason !== 'no token') return false
          sendJson(response, 500, { error: { code: 500, status: 'INTERNAL', message: 'no such user' } })
          return true
        },
      },
      named: fails('auth.doors'),
      follows: ['status'],
    },
    {
      name: 'reads the parameters before it asks for credentials',
      quirks: {
        answers: (response, { door, hollow, binding }) => {
          if (!hollow || (door !== 'send' && door !== 'stream')) return false
          const error = { code: -32602, message: 'message.messageId is required' }
          if (binding === 'jsonrpc') sendJson(response, 200, { jsonrpc: '2.0', id: 1, error })
          else sendJson(response, 400, error)
          return true
        },
      },
      named: fails('auth.doors'),
    },
  ]
}
