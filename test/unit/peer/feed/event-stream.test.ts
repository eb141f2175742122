// Server-sent events out of text that comes in pieces.
import { expect } from 'chai'
import fc from 'fast-check'
import { eventStreamParser, type StreamEvent } from '../../../../src/peer/feed/event-stream.ts'

function eventsOf(...chunks: string[]): StreamEvent[] {
  const events: StreamEvent[] = []
  const parser = eventStreamParser((event) => events.push(event))
  for (const chunk of chunks) parser.push(chunk)
  return events
}

const event = (data: string, type = 'message', lastEventId = '') => ({ type, data, lastEventId })

describe('eventStreamParser', () => {
  it('reads type, data and id', () => {
    expect(eventsOf('event: deny\nid: 7\ndata: {"id":"x"}\n\n')).to.deep.equal([
      event('{"id":"x"}', 'deny', '7'),
    ])
  })

  it('takes CR, LF and CR LF for ends of line, mixed as they come', () => {
    const expected = [event('a\nb', 'x'), event('c')]

    for (const end of ['\n', '\r', '\r\n']) {
      // A CR is the end of a line once something follows that is no LF.
      const lines = ['event: x', 'data: a', 'data: b', '', 'data: c', '', ':']
      expect(eventsOf(lines.join(end))).to.deep.equal(expected)
    }
    expect(eventsOf('event: x\rdata: a\r\ndata: b\n\r\ndata: c\n\r\n')).to.deep.equal(expected)
  })

  it('takes CR and LF in two pieces for one end of line', () => {
    expect(eventsOf('data: a\r', '\ndata: b\r', '', '\n\r', '\n')).to.deep.equal([event('a\nb')])
  })

  it('takes away one space after the colon, and no more', () => {
    expect(eventsOf('data:a\n\ndata:  b\n\ndata\n\n')).to.deep.equal([event('a'), event(' b'), event('')])
  })

  it('passes over comments, unknown fields and an id with NUL', () => {
    expect(eventsOf(': comment\nwhat: ever\nretry: 5\nid: 1\nid: 2\0\ndata: a\n\n')).to.deep.equal([
      event('a', 'message', '1'),
    ])
  })

  it('keeps the id for the events that follow, and lets an empty one end it', () => {
    expect(eventsOf('id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n')).to.deep.equal([
      event('a', 'message', '1'),
      event('b', 'message', '1'),
      event('c'),
    ])
  })

  it('tells of no event without data, and keeps nothing of it', () => {
    expect(eventsOf('event: x\n\ndata: a\n\n')).to.deep.equal([event('a')])
  })

  it('tells of no event that is not ended', () => {
    expect(eventsOf('data: a\n\ndata: b\n')).to.deep.equal([event('a')])
  })

  it('reads the same however the stream is cut', () => {
    const piece = fc.constantFrom('data:', 'event:', 'id:', ':', ' ', '\n', '\r\n', 'a', '{"x":1}', 'ä', '\0')
    const cuts = fc.array(fc.nat(), { maxLength: 12 })

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), cuts, (pieces, at) => {
        const text = pieces.join('')
        const places = [0, ...at.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length]
        const chunks = places.slice(1).map((end, index) => text.slice(places[index], end))

        expect(eventsOf(...chunks)).to.deep.equal(eventsOf(text))
        expect(eventsOf(...text.split(/(?:)/))).to.deep.equal(eventsOf(text))
      }),
    )
  })

  it('throws at an event of more than 1 MiB that comes in pieces, in one line or in many', () => {
    const half = 'x'.repeat(512 * 1024)

    for (const chunks of [
      ['data: ', half, half, 'x'],
      [`data: ${half}\n`, `data: ${half}\n`],
      Array.from({ length: 5 }, () => 'data\n'.repeat(256 * 1024)),
    ]) {
      expect(() => eventsOf(...chunks)).to.throw('more than 1048576')
    }
  })

  it('takes events just smaller, one after the other, and any number of comments', () => {
    const large = `data: ${'x'.repeat(1024 * 1024 - 10)}\n\n`
    const comments = `: ${'x'.repeat(512 * 1024)}\n`.repeat(4)

    expect(eventsOf(large, large, comments, 'data: a\n\n')).to.have.length(3)
  })
})
