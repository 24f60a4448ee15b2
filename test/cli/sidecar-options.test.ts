import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import {
  listenAddress,
  operationOptions,
  requireAdminAllowed,
  socketPath,
  type OperationOptions,
} from '../../src/cli/commands/sidecar-options.js'

function parsed(...args: string[]): OperationOptions {
  const command = operationOptions(new Command()).exitOverride()
  return command.parse(args, { from: 'user' }).opts<OperationOptions>()
}

const usage = expect.objectContaining({ code: 'ERR_USAGE' }) as unknown

describe('the options that proxy and gate share', () => {
  it('have defaults', () => {
    expect(parsed()).toEqual({ log: 'text', drain: 20 })
  })

  it('are read', () => {
    const given = parsed('--admin', '[::1]:9464', '--log', 'json', '--drain', '0')
    expect(given).toEqual({ admin: { host: '::1', port: 9464 }, log: 'json', drain: 0 })
    expect(() => requireAdminAllowed(given)).not.toThrow()
  })

  it.each([
    ['--drain', '-1'],
    ['--drain', '5s'],
    ['--log', 'xml'],
    ['--admin', 'agent.example:80'],
    ['--admin', ':80'],
  ])('refuse %s %s', (...args) => {
    expect(() => parsed(...args)).toThrow(usage)
  })

  it.each(['0.0.0.0:9464', '[::]:9464', '10.0.0.1:9464'])(
    'refuse --admin %s without --admin-public',
    (address) => {
      expect(() => requireAdminAllowed(parsed('--admin', address))).toThrow(usage)
      expect(() => requireAdminAllowed(parsed('--admin', address, '--admin-public'))).not.toThrow()
    },
  )

  it('refuse --admin-public alone', () => {
    expect(() => requireAdminAllowed(parsed('--admin-public'))).toThrow(usage)
  })
})

it('an address error names the option', () => {
  const [, , parse] = listenAddress('--listen-grpc <host:port>', 'gRPC')
  expect(parse('8080')).toEqual({ host: '127.0.0.1', port: 8080 })
  expect(() => parse('*:8080')).toThrow(/^--listen-grpc must be HOST:PORT/)
})

describe('the path of a socket', () => {
  const where = { cwd: '/srv/agents' }

  it('is absolute', () => {
    expect(socketPath(where, '--socket', 'gate.sock')).toBe('/srv/agents/gate.sock')
  })

  it('is refused if it is empty, or too long to be one', () => {
    expect(() => socketPath(where, '--socket', '')).toThrow(usage)
    expect(() => socketPath(where, '--socket', 'x'.repeat(92))).toThrow(usage)
    expect(socketPath(where, '--socket', 'x'.repeat(91))).toHaveLength(103)
  })
})
