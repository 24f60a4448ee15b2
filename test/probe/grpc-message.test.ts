import { describe, expect, it } from 'vitest'
import { encodeRequest } from '../../src/probe/bindings/grpc-message.js'
import { readGrpcAnswer } from '../../src/probe/wire/grpc-answer.js'
import type { HttpAnswer } from '../../src/probe/wire/raw-answer.js'

const get = { name: 'get', taskId: 'abc' } as const
const send = { name: 'send', taskId: 'abc', text: 'hi' } as const

describe('a gRPC request', () => {
  // Tags of a2a.proto by hand: field number << 3 | wire type, then the length and the bytes.
  it.each([
    ['1.0 GetTask', encodeRequest('1.0', get), '0000000005 1203616263'],
    ['1.0 GetTask of a tenant', encodeRequest('1.0', get, 'me'), '0000000009 0a026d65 1203616263'],
    ['0.3 GetTask', encodeRequest('0.3', get, 'me'), '000000000b 0a097461736b732f616263'],
    ['1.0 SendMessage', encodeRequest('1.0', send), '000000000f 120d 0a03616263 2001 2a04 0a026869'],
    ['0.3 SendMessage', encodeRequest('0.3', send), '000000000f 0a0d 0a03616263 2001 2a04 0a026869'],
  ])('%s has the bytes that a2a.proto asks for', (_, bytes, hex) => {
    expect(bytes.toString('hex')).toBe(hex.replaceAll(' ', ''))
  })
})

describe('the details of a gRPC answer', () => {
  const answerWith = (details: string): HttpAnswer => {
    const fields: Record<string, string> = {
      'grpc-status': '5',
      'grpc-message': 'no',
      'grpc-status-details-bin': details,
    }
    return {
      answered: true,
      status: 200,
      header: (name) => (name in fields ? [fields[name] ?? ''] : []),
      body: '',
      raw: '',
      receivedAt: new Date(0),
      durationMs: 1,
      localPort: 1,
    }
  }
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
  const statusWith = (reason: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x08, 5]),
      field(2, Buffer.from('no')),
      field(3, Buffer.concat([field(1, Buffer.from('type')), field(2, field(1, Buffer.from(reason)))])),
    ])

  it('name the reason of an ErrorInfo', () => {
    const details = statusWith('TASK_NOT_FOUND').toString('base64')
    expect(readGrpcAnswer(answerWith(details), 'abc').kind).toBe('authenticated')
  })

  it.each([
    ['another reason', statusWith('SOMETHING_ELSE').toString('base64')],
    ['the reason in words only', field(2, Buffer.from('TASK_NOT_FOUND')).toString('base64')],
    ['bytes that are no message', Buffer.from('TASK_NOT_FOUND').toString('base64')],
    ['no base64', '§§§'],
    ['nothing', ''],
  ])('name none in %s', (_, details) => {
    expect(readGrpcAnswer(answerWith(details), 'abc').kind).toBe('other')
  })
})
