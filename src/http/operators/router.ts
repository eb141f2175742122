// What operators and their orchestrators ask: is the process alive, and is what it stands on there.
import Router from '@koa/router'
import { onlyMethod, answer } from '../errors.ts'

export interface OperatorsDeps {
  /** Each part by name: `ok`, or in a few words what is wrong with it. Never rejects. */
  readiness: () => Promise<Record<string, string>>
}

export function operatorsRouter({ readiness }: OperatorsDeps): Router {
  const router = new Router({ sensitive: true })

  router.all('/healthz', onlyMethod('GET'), (ctx) => {
    ctx.body = { status: 'ok' }
  })

  router.all('/readyz', onlyMethod('GET'), async (ctx) => {
    const checks = await readiness()
    const isReady = Object.values(checks).every((check) => check === 'ok')
    answer(ctx, { status: isReady ? 200 : 503, body: { status: isReady ? 'ready' : 'not ready', checks } })
  })
  return router
}
