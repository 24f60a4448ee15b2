import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AgentCard } from '@a2a-js/sdk'
import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler, type UserBuilder } from '@a2a-js/sdk/server/express'
import express from 'express'
import { onTestFinished } from 'vitest'
import { EchoExecutor } from '../../src/demo/echo-executor.js'
import { listening } from './listening.js'

/** Believes what a gate in front of it says. */
const userBuilder: UserBuilder = ({ headers }) =>
  Promise.resolve({ isAuthenticated: true, userName: String(headers['totppeer'] ?? 'nobody') })

/**
 * Starts a real agent of @a2a-js/sdk without any protection, JSON-RPC and HTTP+JSON of 1.0, which repeats what it is told
 * and the name in `TotpPeer`. It is stopped when the test is over.
 *
 * @returns its origin
 */
export async function startBareAgent(): Promise<string> {
  const app = express()
  const server = createServer(app)
  const at = await listening(server)
  onTestFinished(() => at[Symbol.asyncDispose]())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const card = AgentCard.fromJSON({
    name: 'bare',
    description: 'Repeats what it is told.',
    version: '1.0.0',
    supportedInterfaces: [
      { url: `${origin}/rpc`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: `${origin}/rest`, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Says it back.', tags: ['test'] }],
  })
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), new EchoExecutor())
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }))
  app.use('/rpc', jsonRpcHandler({ requestHandler, userBuilder }))
  app.use('/rest', restHandler({ requestHandler, userBuilder }))
  return origin
}
