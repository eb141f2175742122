// Every dialect that the service speaks, without anything behind it: for what can be told from the outside of them.
import { bearer } from '../../../src/http/bearer/dialect.ts'
import { browser } from '../../../src/http/browser/dialect.ts'
import type { Dialect } from '../../../src/http/endpoint.ts'
import { logoutEndpoint } from '../../../src/http/logout/dialect.ts'
import { openApi } from '../../../src/http/docs/dialect.ts'
import { oauth } from '../../../src/http/oauth/dialect.ts'
import { operators } from '../../../src/http/operators/dialect.ts'
import { gateway, peers } from '../../../src/http/peers/dialect.ts'
import { tokenApi } from '../../../src/http/token-api/dialect.ts'
import { v1 } from '../../../src/http/v1/dialect.ts'

const VERSION = '1.2.3'

/** Those that the application is made with. Their handlers cannot answer: what they would need is not there. */
export function givenDialects({ isRegistrationOpen = true } = {}): Dialect[] {
  const deps = { isRegistrationOpen } as never
  return [tokenApi, browser, logoutEndpoint, bearer, v1, peers, oauth, gateway, operators].map((dialect) =>
    dialect(deps),
  )
}

/** Those, and the one that describes them. */
export function everyDialect(options?: { isRegistrationOpen: boolean }): Dialect[] {
  const described = givenDialects(options)
  return [...described, openApi({ described, version: VERSION })]
}
