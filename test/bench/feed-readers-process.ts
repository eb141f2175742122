// The process that holds many readers of the feed: each on a connection of its own, and throwing away what it reads.
import { once } from 'node:events'
import { Client } from 'undici'

export interface ReadersOrder {
  origin: string
  /** PEM. */
  certificate: string
  /** Of several peers: they take turns. */
  authorizations: string[]
  count: number
}

/** TLS handshakes under way at a time. */
const AT_ONCE = 50

const [message] = (await once(process, 'message')) as [ReadersOrder]
let opened = 0
for (let done = 0; done < message.count; done += AT_ONCE) {
  const batch = Array.from({ length: Math.min(AT_ONCE, message.count - done) }, async (_, index) => {
    await read(message, done + index)
  })
  await Promise.all(batch)
}
process.send?.(opened)
// The parent is done, or gone.
process.on('disconnect', () => process.exit())

async function read({ origin, certificate, authorizations }: ReadersOrder, turn: number): Promise<void> {
  const client = new Client(origin, { connect: { ca: certificate }, bodyTimeout: 0 })
  const { statusCode, body } = await client.request({
    method: 'GET',
    path: '/denylist/feed',
    headers: { authorization: authorizations[turn % authorizations.length] ?? '' },
  })
  body.on('error', () => undefined)
  body.resume()
  if (statusCode === 200) opened += 1
}
