// The part of the demo about a client that knows nothing of codes.
import { randomUUID } from 'node:crypto'
import { SendMessageRequest } from '@a2a-js/sdk'
import { ClientFactory } from '@a2a-js/sdk/client'

/**
 * Sends a message and streams one, with the client of @a2a-js/sdk as it comes; prints what the agent said.
 *
 * @param {string} url where the client thinks the agent is
 * @param {(line: string) => void} log
 * @returns {Promise<boolean>} whether the agent took both calls for alice's
 */
export async function callUnchanged(url, log) {
  const messageOf = (text) =>
    SendMessageRequest.fromJSON({
      message: { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }] },
    })
  try {
    const client = await new ClientFactory().createFromUrl(url)
    const sent = saidIn(await client.sendMessage(messageOf('hello')))
    log(`send:   ${sent}`)
    const events = []
    for await (const event of client.sendMessageStream(messageOf('hello again'))) events.push(event)
    const streamed = saidIn(events)
    log(`stream: ${streamed}, in ${events.length} events\n`)
    return sent === 'alice said: hello' && streamed === 'alice said: hello again'
  } catch (error) {
    log(`FAILED: ${error.message}\n`)
    return false
  }
}

/** The echo of the agent in an answer or in the events of one. */
const saidIn = (answer) => /\w+ said: [^"]*/.exec(JSON.stringify(answer))?.[0] ?? 'nothing'
