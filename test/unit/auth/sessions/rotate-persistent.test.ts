// That a session cookie outlives the browser stands in the refresh token, and goes through every rotation.
import { expect } from 'chai'
import { login } from '../../../../src/auth/sessions/login.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { payloadOf } from '../../../support/builders/forged-token.ts'
import { testKeys, testTokens } from '../../../support/builders/test-keys.ts'
import { memoryStores, PASSWORD } from '../../../support/fakes/memory-stores.ts'

const keys = testKeys()

describe('rotate of a token whose cookie is kept', () => {
  it('gives one whose cookie is kept, too', async () => {
    const stores = memoryStores()
    const deps = { ...stores, tokens: testTokens(keys, stores.clock) }
    deps.addUser({ username: 'alice' })
    const input = { username: 'alice', password: PASSWORD, rotates: true, isPersistent: true, caller: CALLER }
    let token = (await login(deps, input)).refresh.token

    for (let step = 0; step < 3; step++) {
      expect(payloadOf(token)).to.include({ persistent: true })
      token = (await refreshRotating(deps, { token, caller: CALLER })).refresh.token
    }
    expect(payloadOf(token)).to.include({ persistent: true, gen: 3 })
  })
})
