// Publishes a document for everybody, pages of any origin included, to be kept for a while.
import type { Endpoint } from '../endpoint.ts'

/** Peers may keep it this long; `keys rotate` publishes a key for much longer before it signs. */
const MAX_AGE_SECONDS = 300

/** Describes the answer. */
export const KEPT = 'May be kept for five minutes.'

export function publish(document: () => object): Endpoint['handler'] {
  return (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
    // For pages everywhere, and so with nobody's credentials, not even a listed origin's.
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.remove('Access-Control-Allow-Credentials')
    ctx.body = document()
  }
}
