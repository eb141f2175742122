// Guessing passwords from outside: slowed where it comes from, and nobody else is.
import { expect } from 'chai'
import {
  PASSWORD,
  statusAndBody,
  testEnvironment,
  type TestEnvironment,
} from '../support/service/environment.ts'
import type { Answer } from '../support/service/signoff.ts'
import { guessUntilThrottled, holdAttempts } from '../support/service/throttled.ts'

const GUESSES = 200
const ELSEWHERE = '203.0.113.200'

describe('guessing passwords', () => {
  let env: TestEnvironment
  let linesBefore: number
  let addresses = 0
  /** Where nobody has guessed before, in this test or another. */
  let from: string

  before(async () => {
    env = await testEnvironment({ TRUST_PROXY: 'loopback' })
  })
  beforeEach(async () => {
    const counts = await env.redis.client.keys('attempts:*')
    if (counts.length > 0) await env.redis.client.del(counts)
    linesBefore = env.signoff.log.length
    from = `192.0.2.${++addresses}`
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

  /** As many of one name from one address as are evaluated in that time: ten, and then some that are 1, 2, 4 … seconds apart. */
  const mostEvaluated = (sinceMs: number): number =>
    storesThatCounted() * (10 + Math.floor(Math.log2((performance.now() - sinceMs) / 1000 + 1)))

  /** Redis, and the memory of the service as well where Redis was too slow for it: each begins to count at nothing. */
  const storesThatCounted = (): number =>
    env.signoff.log
      .slice(linesBefore)
      .some(({ msg }) => String(msg).includes('counted by this instance alone'))
      ? 2
      : 1

  async function expectSlowed(): Promise<void> {
    const startedAt = performance.now()
    const answers: Answer[] = []
    for (let i = 0; i < GUESSES; i++) answers.push(await guess('alice', from))

    const evaluated = answers.filter(({ status }) => status === 401)
    const refused = answers.filter(({ status }) => status === 429)
    expect(evaluated.length).to.be.within(10, mostEvaluated(startedAt))
    expect(refused.length).to.equal(GUESSES - evaluated.length)
    expect(answers.slice(0, 10).map(({ status }) => status)).to.deep.equal(
      Array.from({ length: 10 }, () => 401),
    )
    for (const { headers, json } of refused) {
      const seconds = headers['retry-after']
      const plural = seconds === '1' ? '' : 's'
      const detail = `Request was throttled. Expected available in ${String(seconds)} second${plural}.`
      expect(json).to.deep.equal({ detail })
    }
    expect((await login('alice', PASSWORD, { from: ELSEWHERE })).status, 'the owner').to.equal(200)
  }

  it('slows hundreds of wrong guesses from one address; the owner logs in from elsewhere', async () => {
    await expectSlowed()
  })

  it('refuses the right password too where too many wrong ones came from', async () => {
    const answers = await guessUntilThrottled(env.redis, async () => await guess('alice', from))

    expect(answers.length).to.be.above(10)
    expect((await login('alice', PASSWORD, { from })).status, 'from there').to.equal(429)
    expect((await login('alice', PASSWORD, { from: ELSEWHERE })).status, 'the owner').to.equal(200)
  })

  it('lets no more through when they come all at once', async () => {
    const startedAt = performance.now()
    const answers = await Promise.all(Array.from({ length: 100 }, () => guess('alice', from)))

    const counts = statuses(answers)
    expect(counts[401]).to.be.within(10, mostEvaluated(startedAt))
    expect((counts[401] ?? 0) + (counts[429] ?? 0)).to.equal(100)
  })

  it('evaluates no more of one address when they come all at once for as many names', async () => {
    const first = await guess('user-0', from)
    // The minute of the address begins with its first failure, and would end before a slow machine has done the rest.
    await holdAttempts(env.redis, 'address')
    const others = await Promise.all(Array.from({ length: 299 }, (_, n) => guess(`user-${n + 1}`, from)))

    const counts = statuses([first, ...others])
    // One that was answered 503, for Postgres was too slow, has counted all the same.
    expect(counts[401]).to.be.within(60, 120 * storesThatCounted())
    expect((counts[401] ?? 0) + (counts[429] ?? 0)).to.equal(300)
  })

  it('lets a hundred right passwords in at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => login('alice', PASSWORD, { from })))

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
    const known = await guessUntilThrottled(env.redis, async () => await guess('alice', from))
    const unknown = await guessUntilThrottled(env.redis, async () => await guess('nobody', ELSEWHERE))

    const [knownLast, unknownLast] = [known.pop(), unknown.pop()]
    expect(unknown.slice(0, 10).map(statusAndBody)).to.deep.equal(known.slice(0, 10).map(statusAndBody))
    expect([knownLast?.status, unknownLast?.status]).to.deep.equal([429, 429])
    expect(withoutSeconds(unknownLast)).to.equal(withoutSeconds(knownLast))
  })

  it('counts an IPv6 network as one, and names in any spelling', async () => {
    let count = 0
    const spellings = async () => await guess(count % 2 ? 'ALICE' : ' alice ', `2001:db8:1:2::${count++}`)
    await guessUntilThrottled(env.redis, spellings)

    const same = await guess('alice', '2001:db8:1:2:aaaa::1')
    const neighbour = await guess('alice', '2001:db8:1:3::1')

    expect([same.status, neighbour.status]).to.deep.equal([429, 401])
  })

  it('forgets failures when the right password comes', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 9; i++) expect((await guess('alice', from)).status).to.equal(401)
      expect((await login('alice', PASSWORD, { from })).status).to.equal(200)
    }
  })

  it('keeps the owner of a name that is attacked from everywhere able to log in from anywhere', async () => {
    for (let i = 0; i < 110; i++) expect((await guess('alice', `198.51.100.${i}`)).status).to.equal(401)

    const firstGuess = await guess('alice', '203.0.113.8')
    await holdAttempts(env.redis, 'wait')
    const secondGuess = await guess('alice', '203.0.113.8')
    const owner = await login('alice', PASSWORD, { from: '203.0.113.9' })

    expect([firstGuess.status, secondGuess.status]).to.deep.equal([401, 429])
    expect(owner.status).to.equal(200)
  })

  it("speaks each dialect's own words", async () => {
    await guessUntilThrottled(env.redis, async () => await guess('alice', from))

    const browser = await guess('alice', from, '/auth/session')
    const v1 = await guess('alice', from, '/api/v1/auth/login')

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
      let count = 0
      const claimingToBeSomebodyElse = async () =>
        await direct.signoff.call('/auth/login/', {
          json: { username: 'alice', password: 'a wrong guess' },
          headers: { 'X-Forwarded-For': `192.0.2.${count++}` },
        })
      await guessUntilThrottled(direct.redis, claimingToBeSomebodyElse)
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

/** How long there is to wait depends on when the two came. */
function withoutSeconds(answer: Answer | undefined): string | undefined {
  return answer?.text.replace(/\d+ seconds?/, 'so long')
}
