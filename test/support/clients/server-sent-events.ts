// Server-sent events as a reader takes them apart, strictly: what is no event of ours fails the test.

export interface ServerSentEvent {
  event: string
  id: string | null
  data: unknown
}

export interface EventParser {
  /** Resolves what has come so far to the events that are complete now. */
  take: (text: string) => ServerSentEvent[]
}

export function eventParser(): EventParser {
  let rest = ''
  return {
    take: (text) => {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      return blocks.map(parsed)
    },
  }
}

/** Of a text that ends with an event's end. */
export function eventsOf(text: string): ServerSentEvent[] {
  if (!text.endsWith('\n\n')) throw new Error(`broken off: ${text.slice(-100)}`)
  return eventParser().take(text)
}

function parsed(block: string): ServerSentEvent {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const { name, value } = /^(?<name>event|id|data): (?<value>.*)$/.exec(line)?.groups ?? {}
    if (name === undefined || value === undefined || fields.has(name)) throw new Error(`no event: ${block}`)
    fields.set(name, value)
  }
  const data: unknown = JSON.parse(fields.get('data') ?? '')
  return { event: fields.get('event') ?? '', id: fields.get('id') ?? null, data }
}
