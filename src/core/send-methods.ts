/** What sends a message, as JSON-RPC calls it in each version of A2A (1.0 §9.4, 0.3 §7). */
export const sendMethods = {
  '1.0': { send: 'SendMessage', stream: 'SendStreamingMessage' },
  '0.3': { send: 'message/send', stream: 'message/stream' },
} as const
