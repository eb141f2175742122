// Server-sent events out of a stream of text (WHATWG HTML, section 9.2.6, "Interpreting an event stream").
import { createParser } from 'eventsource-parser'

export interface StreamEvent {
  /** `message` where the stream names none. */
  type: string
  data: string
  /** Of this event, or of the last one that had one; empty before that. */
  lastEventId: string
}

export interface EventStreamParser {
  /**
   * Takes what has come in, cut anywhere. Throws when more than 1 MiB (of characters) waits for the end of its event:
   * nothing that follows can be understood then.
   */
  push: (text: string) => void
}

const MAX_EVENT_LENGTH = 1024 * 1024

/**
 * `retry` is left aside: when to come back is the reader's own decision. Lines end with LF or CR LF, as the service
 * writes them: where a stream is cut after a CR alone, the library may pass over the end of an event.
 */
export function eventStreamParser(onEvent: (event: StreamEvent) => void): EventStreamParser {
  let lastEventId = ''
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: ({ event = 'message', data, id }) => {
      lastEventId = id ?? lastEventId
      onEvent({ type: event, data, lastEventId })
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded')
        throw new Error(`an event of more than ${MAX_EVENT_LENGTH} characters`)
    },
  })
  return {
    push: (text) => {
      parser.feed(text)
    },
  }
}
