/** One event of a stream (WHATWG HTML §9.2.6). */
export interface StreamEvent {
  /** The name of the event; `message` where the stream gives none. */
  readonly name: string
  /** Its `data` lines, joined by newlines. */
  readonly data: string
}

/** Events that keep a connection open and carry nothing. */
const keepsAlive = /^(ping|heart-?beat|keep-?alive)$/i

/**
 * Reads the events of a stream. An event that the stream ends in is read too: agents hang up without the blank line.
 *
 * @returns the events that carry data, without those that only keep the connection open
 */
export function eventsOf(stream: string): StreamEvent[] {
  return [...blocksOf(stream)].map(({ event }) => event).filter(carriesData)
}

/** Whether the first event that carries data is complete: a blank line ends it. */
export function holdsEvent(stream: string): boolean {
  return [...blocksOf(stream)].some(({ event, complete }) => complete && carriesData(event))
}

const carriesData = ({ name, data }: StreamEvent): boolean => data.trim() !== '' && !keepsAlive.test(name)

function* blocksOf(stream: string): Generator<{ event: StreamEvent; complete: boolean }> {
  let name = ''
  let data: string[] = []
  const taken = (): StreamEvent => ({ name: name === '' ? 'message' : name, data: data.join('\n') })
  const lines = stream.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  // What follows the last line end is no line yet.
  const unfinished = lines.pop() ?? ''
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) yield { event: taken(), complete: true }
      name = ''
      data = []
    } else {
      const [field, value] = fieldOf(line)
      if (field === 'data') data.push(value)
      if (field === 'event') name = value
    }
  }
  const [field, value] = fieldOf(unfinished)
  if (field === 'data') data.push(value)
  if (data.length > 0) yield { event: taken(), complete: false }
}

/** A line's field and value. A comment begins with a colon, so its field has no name. */
function fieldOf(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
