// REFRESH_ROTATION instance by instance, as while it is rolled out: no order of the two logs a live client out.
import { expect } from 'chai'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import {
  refresh,
  refreshRotating,
  type Refreshed,
  type RefreshDeps,
} from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

type Setting = 'on' | 'off'
const SETTINGS: readonly Setting[] = ['on', 'off']

describe('a client between instances that rotate and instances that do not', () => {
  let deps: MemoryStores

  beforeEach(() => {
    deps = memoryStores()
    deps.addUser({ username: 'alice' })
  })

  const logIn = async (at: Setting): Promise<string> => {
    const input = { username: 'alice', password: PASSWORD, rotates: at === 'on', caller: CALLER }
    return (await login(deps, input)).refresh.token
  }
  const ask = async (at: Setting, token: string, changes: Partial<RefreshDeps> = {}): Promise<Refreshed> => {
    const use = at === 'on' ? refreshRotating : refresh
    return await use({ ...deps, ...changes }, { token, caller: CALLER })
  }
  /** What the client holds afterwards. */
  const held = async (at: Setting, token: string): Promise<string> =>
    (await ask(at, token)).refresh?.token ?? token

  for (const begunAt of SETTINGS) {
    for (const firstAt of SETTINGS) {
      for (const secondAt of SETTINGS) {
        const places = `a login at "${begunAt}", a refresh at "${firstAt}", and "${secondAt}"`

        it(`goes on after ${places}`, async () => {
          const token = await held(firstAt, await logIn(begunAt))

          expect(await refusalOf(ask(secondAt, await held(secondAt, token)))).to.equal('resolved')
        })

        it(`gets the same again after ${places}, when the first answer is lost`, async () => {
          const token = await logIn(begunAt)
          const lost = await ask(firstAt, token)

          const again = await ask(secondAt, token)

          if (lost.refresh) expect(again.refresh?.token).to.equal(lost.refresh.token)
          expect(await refusalOf(ask(firstAt, again.refresh?.token ?? token))).to.equal('resolved')
          expect(deps.database.sessions[0]?.endReason).to.equal(null)
        })

        it(`gets the same again late, after ${places}, when the first answer is lost`, async () => {
          const token = await logIn(begunAt)
          const lost = await ask(firstAt, token)
          deps.clock.advance(deps.rotationGraceSeconds + 1)

          const again = await ask(secondAt, token)

          if (lost.refresh) expect(again.refresh?.token).to.equal(lost.refresh.token)
          expect(deps.database.sessions[0]?.endReason).to.equal(null)
        })

        it(`is refused after ${places}, when it has logged out`, async () => {
          const token = await held(firstAt, await logIn(begunAt))
          await logout(deps, { refreshToken: token, caller: CALLER })

          expect(await refusalOf(ask(secondAt, token))).to.equal('token_denied')
        })
      }
    }
  }

  it('goes on when the instance that does not rotate has not heard of the rotation yet', async () => {
    const token = await logIn('off')
    const { refresh: lost } = await ask('on', token)
    deps.denylist.empty()
    deps.denylist.isTrusted = true

    await ask('off', token)

    expect((await ask('on', token)).refresh?.token).to.equal(lost?.token)
  })

  it('is told to try again, not that it is logged out, while Postgres is away', async () => {
    const token = await logIn('off')
    const { refresh: lost } = await ask('on', token)
    deps.database.isAnswering = false
    const answer = await refusalOf(ask('off', token))
    deps.database.isAnswering = true

    expect(answer).to.equal('unavailable')
    expect((await ask('off', token)).refresh?.token).to.equal(lost?.token)
  })

  it('is found where it does not rotate, when a thief has gone on where it does', async () => {
    const token = await logIn('off')
    const stolen = await held('on', await held('on', token))

    expect(await refusalOf(ask('off', token))).to.equal('token_denied')
    expect(await refusalOf(ask('on', stolen))).to.equal('token_denied')
    expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
  })

  it('is refused without a question to Postgres when the denylist knows that the session is over', async () => {
    const token = await logIn('off')
    await logout(deps, { refreshToken: token, caller: CALLER })
    deps.database.isAnswering = false

    expect(await refusalOf(ask('off', token))).to.equal('token_denied')
  })
})
