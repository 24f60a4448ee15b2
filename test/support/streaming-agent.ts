import { LegacyA2AService, legacyGrpcService } from '@a2a-js/sdk/compat/v0_3/server/grpc'
import { TaskState } from '@a2a-js/sdk'
import { AgentEvent, DefaultRequestHandler, InMemoryTaskStore, type AgentExecutor } from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express'
import { A2AService, grpcService } from '@a2a-js/sdk/server/grpc'
import { Server } from '@grpc/grpc-js'
import express from 'express'
import type { Caller } from '../../src/server/index.js'
import { callerStateKey, totpAgentCard, TOTPCallContextBuilder } from '../../src/server/a2a.js'
import { totpGuard } from '../../src/server/express.js'
import { grpcGuard, guardedService } from '../../src/server/grpc.js'
import type { TOTPServerAuthScheme } from '../../src/server/scheme/scheme.js'
import { cardJson } from './guarded-agent.js'
import { listenForAgent } from './agent-servers.js'

export interface StreamingAgent extends AsyncDisposable {
  readonly origin: string
  /** The peers whose work was stopped, by the code of the reason. */
  readonly stopped: [peer: string, code: unknown][]
  /** Completes every task that is still at work. */
  readonly finish: () => void
}

/** An agent on @a2a-js/sdk 1.3 whose tasks are at work until they are finished, or their caller's signal stops them. */
export async function streamingAgent(scheme: TOTPServerAuthScheme): Promise<StreamingAgent> {
  const app = express()
  const grpcServer = new Server({ interceptors: [grpcGuard(scheme)] })
  const { origin, grpc, ...servers } = await listenForAgent(app, grpcServer)

  const stopped: StreamingAgent['stopped'] = []
  const atWork = new Set<() => void>()
  const executor: AgentExecutor = {
    execute: ({ taskId, contextId, userMessage, context }, bus) => {
      const status = (state: TaskState) => ({
        state,
        message: undefined,
        timestamp: new Date().toISOString(),
      })
      const { peer, signal } = context.state.get(callerStateKey) as Caller
      const working = status(TaskState.TASK_STATE_WORKING)
      const task = {
        id: taskId,
        contextId,
        status: working,
        artifacts: [],
        history: [userMessage],
        metadata: {},
      }
      bus.publish(AgentEvent.task(task))
      return new Promise((done) => {
        const end = (state: TaskState): void => {
          atWork.delete(complete)
          bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(state), metadata: {} }))
          bus.finished()
          done()
        }
        const complete = (): void => end(TaskState.TASK_STATE_COMPLETED)
        atWork.add(complete)
        signal.addEventListener('abort', () => {
          stopped.push([peer, (signal.reason as { code: unknown }).code])
          end(TaskState.TASK_STATE_CANCELED)
        })
      })
    },
    cancelTask: () => Promise.resolve(),
  }

  const card = cardJson(origin) as { supportedInterfaces: { url: string; protocolBinding: string }[] }
  for (const each of card.supportedInterfaces) {
    if (each.protocolBinding === 'GRPC') each.url = grpc
  }
  const requestHandler = new DefaultRequestHandler(totpAgentCard(card), new InMemoryTaskStore(), executor)
  const legacyCompat = { enabled: true }
  const { userBuilder, contextBuilder } = new TOTPCallContextBuilder(scheme)
  const options = { requestHandler, legacyCompat, userBuilder, contextBuilder }
  app.use(
    '/.well-known/agent-card.json',
    agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }),
  )
  app.use(totpGuard(scheme))
  app.use('/a2a/jsonrpc', jsonRpcHandler(options))
  app.use('/a2a/rest', restHandler(options))
  grpcServer.addService(guardedService(A2AService), grpcService(options))
  grpcServer.addService(guardedService(LegacyA2AService), legacyGrpcService(options))
  return {
    origin,
    stopped,
    finish: () => [...atWork].forEach((complete) => complete()),
    [Symbol.asyncDispose]: async () => {
      ;[...atWork].forEach((complete) => complete())
      await servers[Symbol.asyncDispose]()
    },
  }
}
