import { SendMessageRequest } from '@a2a-js/sdk'
import type * as sdk03 from 'a2a-sdk-0.3/client'

export const bindings = ['JSONRPC', 'HTTP+JSON', 'GRPC'] as const

export const message13 = (): SendMessageRequest =>
  SendMessageRequest.fromJSON({ message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'hi' }] } })

export const message03 = {
  message: {
    kind: 'message',
    messageId: 'm1',
    role: 'user',
    parts: [{ kind: 'text', text: 'hi' }],
  },
} satisfies Parameters<sdk03.Client['sendMessage']>[0]

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const events: T[] = []
  for await (const event of stream) events.push(event)
  return events
}
