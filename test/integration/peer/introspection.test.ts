// A verifier that asks the service about each token: what is an answer, and what is none.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  createVerifier,
  introspection,
  type Verifier,
  type VerifierOptions,
} from '../../../src/peer/index.ts'
import { fakeSignoff, type FakeSignoff } from '../../../src/peer/testing/index.ts'
import { HANGING_MS } from '../../support/clients/hanging.ts'
import { tokenRefusalOf } from '../../support/clients/token-refusal.ts'

type Respond = (response: ServerResponse, asked: URLSearchParams) => void

describe('introspection', () => {
  let fake: FakeSignoff
  let server: Server
  let respond: Respond
  let requests: { headers: IncomingMessage['headers']; form: URLSearchParams }[]
  let verifier: Verifier
  let errors: Error[]

  beforeEach(async () => {
    fake = await fakeSignoff()
    requests = []
    errors = []
    respond = answer({ active: false })
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const form = new URLSearchParams(body)
        requests.push({ headers: request.headers, form })
        respond(response, form)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    verifier = create()
  })
  afterEach(async () => {
    await verifier.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  function create(options: Partial<VerifierOptions> = {}): Verifier {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/introspect`
    return createVerifier({
      ...fake.options,
      // The keys come from the fake, the rest from the server.
      fetch: async (asked, init) =>
        asked.startsWith(fake.options.issuer)
          ? await fake.options.fetch(asked, init)
          : await fetch(asked, init),
      denylist: introspection({ url, clientId: 'peer', clientSecret: 'secret' }),
      onError: (error) => errors.push(error),
      ...options,
    })
  }
  function answer(body: unknown, status = 200): Respond {
    return (response) =>
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const outcome = async (token: string, by = verifier) => await tokenRefusalOf(by.verify(token))

  it('accepts what the service calls active, and asks every time', async () => {
    const { token, claims } = await fake.mint()
    respond = answer({ active: true, jti: claims.jti })

    expect(await outcome(token)).to.equal('resolved')
    respond = answer({ active: false })
    expect(await outcome(token)).to.equal('token_denied')

    expect(requests[0]?.headers).to.include({
      authorization: `Basic ${btoa('peer:secret')}`,
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(Object.fromEntries(requests[0]?.form ?? [])).to.deep.equal({
      token,
      token_type_hint: 'access_token',
    })
    expect(requests).to.have.length(2)
  })

  it('asks nothing about a token that is not good', async () => {
    const { token } = await fake.mint({ expiresInSeconds: -60 })

    expect(await outcome(token)).to.equal('token_expired')
    expect(await outcome(`${token}x`)).to.equal('token_invalid')
    expect(requests).to.deep.equal([])
  })

  for (const [what, body, status] of [
    ['another status', { active: true }, 201],
    ['401', { error: 'invalid_client' }, 401],
    ['503', '', 503],
    ['no JSON', '<html>', 200],
    ['nothing', '', 200],
    ['null', null, 200],
    ['a list', [], 200],
    ['no boolean', { active: 'true' }, 200],
    ['about another token', { active: true, jti: 'other' }, 200],
    ['more than 64 KiB', { active: true, padding: 'x'.repeat(64 * 1024) }, 200],
  ] as const) {
    it(`cannot tell when the answer is ${what}`, async () => {
      respond = answer(body, status)

      expect(await outcome((await fake.mint()).token)).to.equal('denylist_unknown')
    })
  }

  it('follows no redirect with its credentials', async () => {
    respond = (response) => response.writeHead(307, { location: '/elsewhere' }).end()

    expect(await outcome((await fake.mint()).token)).to.equal('denylist_unknown')
    expect(requests).to.have.length(1)
  })

  it('cannot tell when there is no answer in two seconds, and lets pass what may', async () => {
    const { token } = await fake.mint()
    const allowing = create({ onUnknown: 'allow' })
    respond = () => undefined

    const startedAt = performance.now()
    expect(await Promise.all([outcome(token), outcome(token, allowing)])).to.deep.equal([
      'denylist_unknown',
      'resolved',
    ])
    expect(performance.now() - startedAt).to.be.within(1_900, HANGING_MS)
    await allowing.close()
  })

  it('tells of an outage, once for many checks, and is known again when it is over', async () => {
    const { token } = await fake.mint()
    respond = answer('', 503)
    for (let index = 0; index < 5; index++) await outcome(token)
    const during = verifier.freshness()

    respond = answer({ active: false })
    await outcome(token)

    expect(errors.map(({ message }) => message)).to.deep.equal(['introspection gives no answer'])
    expect(during).to.include({ isKnown: false, ageSeconds: null, denials: null })
    expect(during.lastError?.cause).to.be.an.instanceOf(Error)
    expect(verifier.freshness()).to.include({ isKnown: true, lastError: null })
  })

  it('is ready when the service knows its credentials', async () => {
    respond = answer({ error: 'invalid_client' }, 401)
    expect(await tokenRefusalOf(verifier.ready(50))).to.equal('denylist_unknown')

    respond = answer({ active: false })
    expect(await tokenRefusalOf(verifier.ready())).to.equal('resolved')
  })

  it('cannot tell when a session ends, and says so', () => {
    expect(() => verifier.onSessionEnd('a-session', () => undefined)).to.throw('feed or redis')
  })
})
