// Server-sent events out of a stream of text (WHATWG HTML, section 9.2.6, "Interpreting an event stream").

export interface StreamEvent {
  /** `message` where the stream names none. */
  type: string
  data: string
  /** Of this event, or of the last one that had one; empty before that. */
  lastEventId: string
}

export interface EventStreamParser {
  /**
   * Takes what has come in, cut anywhere. Throws when an event is larger than 1 MiB (of characters): nothing
   * that follows can be understood then.
   */
  push: (text: string) => void
}

const MAX_EVENT_LENGTH = 1024 * 1024

/** `retry` is left aside: when to come back is the reader's own decision. */
export function eventStreamParser(onEvent: (event: StreamEvent) => void): EventStreamParser {
  let isAfterCr = false
  let line = ''
  let type = ''
  let data: string[] = []
  let length = 0
  let lastEventId = ''

  return {
    push(text) {
      // CR LF is one end of line, also when the two come apart.
      let start = isAfterCr && text.startsWith('\n') ? 1 : 0
      if (text !== '') isAfterCr = text.endsWith('\r')

      const ends = /\r\n?|\n/g
      ends.lastIndex = start
      for (let end = ends.exec(text); end; end = ends.exec(text)) {
        take(line + text.slice(start, end.index))
        line = ''
        start = ends.lastIndex
      }
      line += text.slice(start)
      bound(length + line.length)
    },
  }

  function take(whole: string): void {
    if (whole === '') {
      dispatch()
      return
    }
    bound(length + whole.length)
    const colon = whole.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? whole : whole.slice(0, colon)
    const value = colon === -1 ? '' : whole.slice(whole[colon + 1] === ' ' ? colon + 2 : colon + 1)
    takeField(field, value)
  }

  function takeField(field: string, value: string): void {
    if (field === 'event') type = value
    else if (field === 'data') {
      data.push(value)
      // The end of line counts too, or empty lines would be free.
      length += value.length + 1
    } else if (field === 'id' && !value.includes('\0')) lastEventId = value
  }

  function dispatch(): void {
    const event = { type: type || 'message', data: data.join('\n'), lastEventId }
    const hasData = data.length > 0
    type = ''
    data = []
    length = 0
    if (hasData) onEvent(event)
  }

  function bound(size: number): void {
    if (size > MAX_EVENT_LENGTH) throw new Error(`an event of more than ${MAX_EVENT_LENGTH} characters`)
  }
}
