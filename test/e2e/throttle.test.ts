// Guessing passwords from outside: slowed where it comes from, and nobody else is.
import { expect } from 'chai'
import { PASSWORD, statusAndBody, testEnvironment, type TestEnvironment } from '../support/environment.ts'
import type { Answer } from '../support/signoff.ts'

describe('guessing passwords', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ TRUST_PROXY: 'loopback' })
  })
  beforeEach(async () => {
    const counts = await env.redis.client.keys('attempts:*')
    if (counts.length > 0) await env.redis.client.del(counts)
  })
  after(async () => {
    await env.stop()
  })

  const login = async (
    username: string,
    password: string,
    { from, path = '/auth/login/' }: { from: string; path?: string },
  ): Promise<Answer> =>
    await env.signoff.call(path, { json: { username, password }, headers: { 'X-Forwarded-For': from } })

  const guess = async (username: string, from: string, path?: string) =>
    await login(username, 'a wrong guess', { from, ...(path !== undefined && { path }) })

  const statuses = (answers: Answer[]): Record<number, number> => {
    const counts: Record<number, number> = {}
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
    return counts
  }

  async function expectSlowed(): Promise<void> {
    const answers: Answer[] = []
    for (let i = 0; i < 500; i++) answers.push(await guess('alice', '192.0.2.1'))

    const evaluated = answers.filter(({ status }) => status === 401)
    const refused = answers.filter(({ status }) => status === 429)
    // Ten, and one more for each wait that ended in the meantime.
    expect(evaluated.length).to.be.within(10, 14)
    expect(refused.length).to.equal(500 - evaluated.length)
    expect(answers.slice(0, 10).map(({ status }) => status)).to.deep.equal(
      Array.from({ length: 10 }, () => 401),
    )
    for (const { headers, json } of refused) {
      const seconds = headers['retry-after']
      const plural = seconds === '1' ? '' : 's'
      const detail = `Request was throttled. Expected available in ${String(seconds)} second${plural}.`
      expect(json).to.deep.equal({ detail })
    }
    expect((await login('alice', PASSWORD, { from: '192.0.2.1' })).status, 'from there').to.equal(429)
    expect((await login('alice', PASSWORD, { from: '192.0.2.2' })).status, 'the owner').to.equal(200)
  }

  it('slows 500 wrong guesses from one address; the owner logs in from elsewhere', async () => {
    await expectSlowed()
  })

  it('lets no more through when they come all at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => await guess('alice', '192.0.2.1')),
    )

    const counts = statuses(answers)
    expect(counts[401]).to.be.within(10, 12)
    expect((counts[401] ?? 0) + (counts[429] ?? 0)).to.equal(100)
  })

  it('evaluates no more of one address when they come all at once for as many names', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => await guess(`user-${n}`, '192.0.2.1')),
    )

    expect(statuses(answers)).to.deep.equal({ 401: 120, 429: 180 })
  })

  it('lets a hundred right passwords in at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => await login('alice', PASSWORD, { from: '192.0.2.1' })),
    )

    expect(statuses(answers)).to.deep.equal({ 200: 100 })
  })

  it('refuses logins that a page of another site sends through its visitor, before they count', async () => {
    const sent = async (headers: Record<string, string>) =>
      await env.signoff.call('/auth/login/', {
        body: new URLSearchParams({ username: 'alice', password: 'a wrong guess' }).toString(),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      })
    const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }

    for (let i = 0; i < 12; i++) expect((await sent(foreign)).status).to.equal(403)

    expect((await sent({})).status).to.equal(401)
  })

  it('treats a name that nobody has like one that somebody has', async () => {
    const known: Answer[] = []
    const unknown: Answer[] = []
    for (let i = 0; i < 11; i++) {
      known.push(await guess('alice', '192.0.2.1'))
      unknown.push(await guess('nobody', '192.0.2.3'))
    }
    const [knownLast, unknownLast] = [await guess('alice', '192.0.2.1'), await guess('nobody', '192.0.2.3')]

    expect(unknown.map(statusAndBody)).to.deep.equal(known.map(statusAndBody))
    expect([knownLast.status, unknownLast.status]).to.deep.equal([429, 429])
  })

  it('counts an IPv6 network as one, and names in any spelling', async () => {
    for (let i = 0; i < 10; i++) await guess(i % 2 ? 'ALICE' : ' alice ', `2001:db8:1:2::${i}`)
    await guess('alice', '2001:db8:1:2:ffff::1')

    const same = await guess('alice', '2001:db8:1:2:aaaa::1')
    const neighbour = await guess('alice', '2001:db8:1:3::1')

    expect([same.status, neighbour.status]).to.deep.equal([429, 401])
  })

  it('forgets failures when the right password comes', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 9; i++) expect((await guess('alice', '192.0.2.1')).status).to.equal(401)
      expect((await login('alice', PASSWORD, { from: '192.0.2.1' })).status).to.equal(200)
    }
  })

  it('keeps the owner of a name that is attacked from everywhere able to log in from anywhere', async () => {
    for (let i = 0; i < 110; i++) expect((await guess('alice', `198.51.100.${i}`)).status).to.equal(401)

    const firstGuess = await guess('alice', '203.0.113.8')
    const secondGuess = await guess('alice', '203.0.113.8')
    const owner = await login('alice', PASSWORD, { from: '203.0.113.9' })

    expect([firstGuess.status, secondGuess.status]).to.deep.equal([401, 429])
    expect(owner.status).to.equal(200)
  })

  it("speaks each dialect's own words", async () => {
    for (let i = 0; i < 11; i++) await guess('alice', '192.0.2.1')

    const browser = await guess('alice', '192.0.2.1', '/auth/session')
    const v1 = await guess('alice', '192.0.2.1', '/api/v1/auth/login')

    expect(browser.status).to.equal(429)
    expect(browser.json).to.include({ error_code: 'TOO_MANY_ATTEMPTS' })
    expect(v1.status).to.equal(429)
    expect(v1.headers['content-type']).to.include('application/problem+json')
    expect(v1.json).to.include({ code: 'too_many_attempts', status: 429 })
    for (const { headers } of [browser, v1]) expect(Number(headers['retry-after'])).to.be.within(1, 900)
  })

  it('believes nobody who is no trusted proxy about an address', async () => {
    const direct = await testEnvironment()
    try {
      for (let i = 0; i < 11; i++) {
        await direct.signoff.call('/auth/login/', {
          json: { username: 'alice', password: 'a wrong guess' },
          headers: { 'X-Forwarded-For': `192.0.2.${i}` },
        })
      }
      const answer = await direct.signoff.call('/auth/login/', {
        json: { username: 'alice', password: PASSWORD },
        headers: { 'X-Forwarded-For': '192.0.2.99' },
      })

      expect(answer.status).to.equal(429)
    } finally {
      await direct.stop()
    }
  })

  // The last one, since it ends the Redis of all.
  it('does the same with Redis down', async () => {
    await env.redis.signal('SIGKILL')

    await expectSlowed()
  })
})
