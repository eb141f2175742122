// A reader of the feed, as simple as one can be: keeps every event with when it came.
import { readFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { FEED_PATH, type FeedDenial, type FeedSync } from '../../../src/contract/feed.ts'
import { eventually } from '../service/environment.ts'
import { eventParser, type ServerSentEvent } from './server-sent-events.ts'
import type { Signoff } from '../service/signoff.ts'

export interface FeedClient {
  status: number
  headers: IncomingMessage['headers']
  events: (ServerSentEvent & { at: number })[]
  /** Of `deny` and `snapshot`, in their order. */
  ids: () => string[]
  /** Resolves to when that denial came, by `performance.now()`. */
  denied: (id: string) => Promise<number>
  /** Resolves to the next one from now on. */
  nextSync: () => Promise<FeedSync & { id: string }>
  /** Resolves to whether the end was a proper one. */
  ended: Promise<boolean>
  isOpen: () => boolean
  /** No more is read from here on; the connection stays. */
  pause: () => void
  close: () => void
}

export interface FeedClientOptions {
  /** The Authorization header of a peer. */
  basic: string
  lastEventId?: string
}

/** With what every request for the feed is sent. */
export function feedHeaders({ basic, lastEventId }: FeedClientOptions): Record<string, string> {
  return { Authorization: basic, ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }) }
}

/** Resolves when there is an answer, whatever its status. */
export async function feedClient(signoff: Signoff, options: FeedClientOptions): Promise<FeedClient> {
  const url = new URL(FEED_PATH, signoff.url)
  const ca = await readFile(signoff.files.certFile)
  const asking =
    url.protocol === 'https:'
      ? secureRequest(url, { ca, headers: feedHeaders(options), agent: false })
      : request(url, { headers: feedHeaders(options), agent: false })
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asking.once('response', resolve)
    asking.once('error', reject)
    asking.end()
  })

  const events: FeedClient['events'] = []
  const parser = eventParser()
  answer.setEncoding('utf8')
  answer.on('error', () => undefined)
  answer.on('data', (text: string) => {
    if (answer.statusCode !== 200) return
    const at = performance.now()
    for (const event of parser.take(text)) events.push({ ...event, at })
  })
  const ended = new Promise<boolean>((resolve) => {
    answer.once('close', () => {
      resolve(answer.complete)
    })
  })

  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    events,
    ids: () => events.flatMap(denialsOf).map(({ id }) => id),
    denied: async (id) => {
      const find = () => events.find((event) => denialsOf(event).some((denial) => denial.id === id))
      await eventually(() => find() !== undefined)
      return find()?.at ?? NaN
    },
    nextSync: async () => {
      const since = events.length
      const find = () => events.slice(since).find(({ event }) => event === 'sync')
      await eventually(() => find() !== undefined)
      const sync = find()
      return { ...(sync?.data as FeedSync), id: sync?.id ?? '' }
    },
    ended,
    isOpen: () => !answer.destroyed,
    pause: () => {
      answer.pause()
      // Else it goes on filling its own buffer.
      answer.socket.pause()
    },
    close: () => {
      answer.destroy()
    },
  }
}

function denialsOf({ event, data }: ServerSentEvent): FeedDenial[] {
  if (event === 'snapshot') return data as FeedDenial[]
  return event === 'deny' ? [data as FeedDenial] : []
}
