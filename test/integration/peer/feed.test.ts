// The feed client against a feed that breaks in every way it can: it comes back, and never says more than it knows.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { mock } from 'node:test'
import { expect } from 'chai'
import { feed, type Denylist } from '../../../src/peer/index.ts'
import { eventually } from '../../support/service/environment.ts'
import { feedServer, type FeedServer } from '../../support/servers/feed-server.ts'

/** No test of those that have it takes as long as half of it, which is when the client would give up. */
const LEASE_SECONDS = 600

describe('feed', () => {
  let server: FeedServer
  let denylist: Denylist
  let errors: Error[]

  beforeEach(async () => {
    await begin(LEASE_SECONDS)
  })
  afterEach(async () => {
    mock.restoreAll()
    await end()
  })

  async function begin(leaseSeconds: number): Promise<void> {
    server = await feedServer({ leaseSeconds })
    errors = []
    denylist = open({ clientId: 'a peer:1', clientSecret: 'ß%' })
    await denylist.whenKnown()
  }
  async function end(): Promise<void> {
    await denylist.close()
    await server.stop()
  }
  /** Where its end is what is waited for. */
  async function withShortLease(): Promise<void> {
    await end()
    await begin(1)
  }

  function open(credentials: { clientId: string; clientSecret: string }): Denylist {
    return feed({ url: server.url, ...credentials })({
      issuer: 'https://signoff.test',
      onUnknown: 'deny',
      fetch,
      now: () => Date.now() / 1000,
      onError: (error) => errors.push(error),
    })
  }
  const until = async (question: () => boolean) => {
    await eventually(question)
  }
  /** Until a heartbeat has come that was sent after this call. */
  const untilSynced = async () => {
    let oldest = 0
    await until(() => {
      const age = denylist.freshness().ageSeconds ?? 0
      const isYounger = age < oldest
      oldest = Math.max(oldest, age)
      return isYounger
    })
  }
  const untilKnown = async () => {
    await until(() => denylist.freshness().isKnown && denylist.freshness().lastError === null)
  }
  const untilRequests = async (count: number) => {
    await until(() => server.requests.length >= count)
  }
  const messages = () => errors.map(({ message }) => message)

  it('shows the credentials as form-encoded Basic, and asks for everything at first', () => {
    const [request] = server.requests

    expect(request?.authorization).to.equal(`Basic ${btoa('a+peer%3A1:%C3%9F%25')}`)
    expect(request?.lastEventId).to.equal(undefined)
  })

  it('resumes where it was after a clean end, and reports no error', async () => {
    server.deny('one')
    await until(() => denylist.freshness().denials === 1)
    await untilSynced()

    server.end()
    await untilRequests(2)

    const [, second] = server.requests
    expect(second?.lastEventId).to.equal('1')
    await untilKnown()
    expect(errors).to.deep.equal([])
    expect(denylist.freshness().denials).to.equal(1)
  })

  it('stays known over a reconnection shorter than the lease', async () => {
    server.refuse(0)
    await untilRequests(2)
    const isKnownMeanwhile = denylist.freshness().isKnown
    server.serve()
    await untilKnown()

    expect(isKnownMeanwhile).to.equal(true)
  })

  it('comes back ever more slowly while it is refused', async () => {
    server.refuse(503)
    await untilRequests(5)

    const at = server.requests.slice(1).map((request) => request.at)
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    expect(pauses[0]).to.be.at.least(195)
    expect(pauses[2]).to.be.at.least(795)
    expect(new Set(messages().slice(1))).to.deep.equal(new Set([`${server.url}/ answered 503`]))
  })

  it('stays away for as long as Retry-After asks', async () => {
    server.refuse(503, { 'retry-after': '1' })
    await untilRequests(3)

    const [, first, second] = server.requests
    expect((second?.at ?? 0) - (first?.at ?? 0)).to.be.at.least(995)
  })

  it('tells of wrong credentials, without them, and leaves the service alone for long after some tries', async () => {
    const pauses = mock.method(globalThis, 'setTimeout').mock
    server.refuse(401)
    await until(() => pauses.calls.some(({ arguments: [, delayMs = 0] }) => delayMs >= 15_000))

    // The first one was let in.
    expect(server.requests).to.have.length(5)
    expect(messages().at(-1)).to.include('clientId and clientSecret')
    expect(denylist.freshness().lastError).to.equal(errors.at(-1))
    expect(JSON.stringify(errors.map(String))).not.to.include('ß')
  })

  it('gives up a connection without a heartbeat after half the lease, and is unknown after the whole of it', async () => {
    await withShortLease()
    server.hush()
    await until(() => !denylist.freshness().isKnown)
    await until(() => messages().includes('the feed was silent for 0.5 s'))
    server.serve()
    await untilKnown()

    expect(server.requests.length).to.be.greaterThan(1)
  })

  it('gives up a connection that leaves it unknown, as after a clock that was set', async () => {
    await withShortLease()
    mock.method(Date, 'now', () => performance.timeOrigin + performance.now() + 10_000)
    await until(() => !denylist.freshness().isKnown)

    await untilRequests(2)
    await untilKnown()

    expect(new Set(messages())).to.deep.equal(new Set(['the feed was silent for 0.5 s']))
  })

  it('gives up a connection that never answers', async () => {
    server.hang()
    await until(() => messages().includes('the feed was silent for 2.5 s'))
    server.serve()

    await untilKnown()
  })

  for (const { what, text } of [
    { what: 'an event that is no JSON', text: 'event: deny\ndata: {\n\n' },
    { what: 'a denial without an end', text: 'event: deny\ndata: {"id":"x"}\n\n' },
    { what: 'a snapshot that is no list', text: 'event: snapshot\ndata: {"id":"x","until":1}\n\n' },
    { what: 'an opening without a lease', text: 'event: open\ndata: {"now":1,"covers":1}\n\n' },
    { what: 'an id that is no header', text: 'id: \u00e4\nevent: sync\ndata: {"as_of":1}\n\n' },
    { what: 'an event of more than 1 MiB', text: `data: ${'x'.repeat(1024 * 1024)}` },
  ]) {
    it(`ends a connection that sends ${what}, and resumes before it`, async () => {
      server.send(text)
      await untilRequests(2)
      await untilKnown()

      expect(errors).to.have.length(1)
      expect(server.requests[1]?.lastEventId).to.equal('0')
      expect(denylist.freshness().denials).to.equal(0)
    })
  }

  it('passes over events and comments that it does not know', async () => {
    server.send(': a comment\n\nevent: new\ndata: something\n\nretry: 1\n\n')
    server.deny('one')
    await until(() => denylist.freshness().denials === 1)

    expect(errors).to.deep.equal([])
  })

  it('says where nobody answers, and why', async () => {
    await server.stop()
    await until(() => errors.length > 1)

    expect(messages().at(-1)).to.equal(`${server.url}/ gives no answer`)
    expect((errors.at(-1)?.cause as Error).message).to.equal('fetch failed')
  })

  it('takes an answer that is no event stream for no feed', async () => {
    server.refuse(200, { 'content-type': 'text/html' })

    await until(() => messages().includes(`${server.url}/ answered 200`))
  })

  it('lets the process end after close, and before it where it is not connected', async () => {
    const script = `
      import { feed } from '${resolve('src/peer/index.ts')}'
      const context = { issuer: 'https://s.test', onUnknown: 'deny', fetch, now: Date.now, onError: () => {} }
      const open = (url) => feed({ url, clientId: 'a', clientSecret: 'b' })(context)
      const connected = open('${server.url}')
      open('http://127.0.0.1:1')
      await connected.whenKnown()
      await connected.close()`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    const [status] = (await once(child, 'exit')) as [number | null]

    expect(status).to.equal(0)
  })
})
