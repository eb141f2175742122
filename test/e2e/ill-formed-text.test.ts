// Text that is no Unicode, in each field of each dialect: refused as such, and no way around the counting of guesses.
import { expect } from 'chai'
import { PASSWORD, testEnvironment, type TestEnvironment } from '../support/service/environment.ts'
import { guessUntilThrottled } from '../support/service/throttled.ts'

const HALF = '\ud800'

describe('ill-formed text', () => {
  let env: TestEnvironment

  before(async () => {
    env = await testEnvironment({ REGISTRATION: 'open' })
  })
  after(async () => {
    await env.stop()
  })

  const alice = { username: 'alice', password: PASSWORD }
  const cases: [path: string, field: string, others: object][] = [
    ['/api/v1/auth/login', 'username', alice],
    ['/api/v1/auth/login', 'password', alice],
    ['/api/v1/auth/register', 'username', { username: 'new', password: PASSWORD }],
    ['/api/v1/auth/register', 'password', { username: 'new', password: PASSWORD }],
    ['/api/v1/auth/refresh', 'refresh_token', {}],
  ]
  for (const [path, field, others] of cases) {
    it(`is a problem with the field: ${field} at ${path}`, async () => {
      const { status, json } = await env.signoff.post(path, { ...others, [field]: `alice${HALF}` })

      expect(status).to.equal(400)
      expect(json).to.deep.include({
        code: 'invalid_request',
        errors: [{ field, message: 'Well-formed Unicode is expected.' }],
      })
    })
  }

  it('is a problem with the field where an account is changed', async () => {
    const { access } = await env.login()
    const headers = { Authorization: `Bearer ${access}` }
    const asked = async (method: string, path: string, json: object) => {
      const answer = await env.signoff.call(`/api/v1/auth/${path}`, { method, json, headers })
      return [
        answer.status,
        (answer.json as { errors: { field: string }[] }).errors.map(({ field }) => field),
      ]
    }

    expect(await asked('DELETE', 'me', { password: HALF })).to.deep.equal([400, ['password']])
    expect(await asked('PUT', 'password', { current_password: HALF, new_password: HALF })).to.deep.equal([
      400,
      ['current_password', 'new_password'],
    ])
  })

  for (const field of ['username', 'password']) {
    it(`is a problem with the ${field} of the browser`, async () => {
      const { status, json } = await env.signoff.post('/auth/session', { ...alice, [field]: `a${HALF}` })

      expect(status).to.equal(400)
      expect(json).to.deep.equal({
        error_code: 'INVALID_REQUEST',
        message: `${field}: Well-formed Unicode is expected.`,
      })
    })
  }

  it('is taken when the halves make a pair', async () => {
    const { status } = await env.signoff.post('/auth/login/', {
      username: '\ud83d\ude00',
      password: '\ud83d\ude00',
    })

    expect(status).to.equal(401)
  })

  it('is no guess: a name so altered is not checked, and waits like the name itself', async () => {
    await env.addUser('guessed')
    const guess = async (username: string) =>
      await env.signoff.post('/auth/login/', { username, password: 'wrong' })
    await guessUntilThrottled(env.redis, async () => await guess('guessed'))

    const altered = [await guess(`guessed${HALF}`), await guess(`${HALF}guessed`)]

    expect(altered.map(({ status }) => status)).to.deep.equal([400, 400])
    expect((await guess('guessed')).status).to.equal(429)
  })
})
