// The real feed client against an instance's feed, held to the suite that the fake is held to.
import { mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { feed } from '../../../src/peer/index.ts'
import type { Denylist } from '../../../src/peer/index.ts'
import { peerFeedConformance } from '../../conformance/peer-feed.ts'
import { accessToken } from '../../support/builders/access-token.ts'
import { issuerKey } from '../../support/builders/foreign-issuer.ts'
import { eventually } from '../../support/service/environment.ts'
import { feedServer } from '../../support/servers/feed-server.ts'
import { jwksServer } from '../../support/servers/jwks-server.ts'

const ISSUER = 'https://signoff.test'
/** Longer than any of these tests takes; the clock is set to end it. */
const LEASE_SECONDS = 60
/** Longer than a verifier leaves its lease unlooked at, by timers of the same process. */
const NOTICE_MS = 400

peerFeedConformance('the feed', async () => {
  const key = await issuerKey('key')
  const keys = await jwksServer([key.jwk])
  const server = await feedServer({ leaseSeconds: LEASE_SECONDS })
  const real = feed({ url: server.url, clientId: 'a-peer', clientSecret: 'secret' })
  const opened: Denylist[] = []
  const ended = new Set<string>()
  let isCutOff = false

  const allHear = async (): Promise<void> => {
    await eventually(async () => {
      const heard = opened.map((denylist) => denylist.freshness())
      return await Promise.resolve(heard.every(({ isKnown, denials }) => isKnown && denials === ended.size))
    })
  }

  return {
    options: {
      issuer: ISSUER,
      audience: 'signoff',
      jwksUrl: keys.url.href,
      denylist: (context) => {
        const denylist = real(context)
        opened.push(denylist)
        return denylist
      },
    },

    mint: async ({ sid, scope = 'user' } = {}) =>
      await accessToken(key, { issuer: ISSUER, changes: { scope, ...(sid && { sid }) } }),

    async endSession(sid) {
      ended.add(sid)
      server.deny(sid)
      if (!isCutOff) await allHear()
    },

    async goUnknown() {
      isCutOff = true
      server.refuse(503)
      // Who still holds what came before that would take it for a heartbeat.
      await eventually(() => opened.every((denylist) => denylist.freshness().lastError !== null))
      const now = Date.now.bind(Date)
      mock.method(Date, 'now', () => now() + (LEASE_SECONDS + 1) * 1000)
      await sleep(NOTICE_MS)
    },

    async comeBack() {
      isCutOff = false
      server.serve()
      await allHear()
    },

    async close() {
      mock.restoreAll()
      await Promise.all([server.stop(), keys.stop()])
    },
  }
})
