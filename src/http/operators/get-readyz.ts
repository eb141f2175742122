// GET /readyz: whether all that requests need is there, and what is not.
import { z } from 'zod'
import { answers, headers } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { answer } from '../errors.ts'
import { TAGS } from './tags.ts'

export interface GetReadyzDeps {
  /** Each part by name: `ok`, or in a few words what is wrong with it. Never rejects. */
  readiness: () => Promise<Record<string, string>>
  /** Whether it was told to stop: it still answers, and nothing new is to be sent to it. */
  isRetired: () => boolean
  /** The names of the settings in which the instances differ, though they must not. */
  differingSettings: () => readonly string[]
}

const report = z.object({
  status: z.enum(['ready', 'not ready']),
  checks: z.record(z.string(), z.string()).meta({ description: '`ok`, or what is wrong with that part.' }),
  settings: z.string().meta({
    description:
      '`ok`, or which settings that must be the same differ between the instances. It is ready all the same.',
  }),
})

const operation: Operation = {
  operationId: 'checkReadiness',
  summary: 'Tell whether everything that requests need is there',
  tags: TAGS,
  security: [],
  responses: {
    '200': answers('It is.', report, {
      status: 'ready',
      checks: { postgres: 'ok', redis: 'ok', denylist: 'ok', clock: 'ok' },
      settings: 'ok',
    }),
    '503': {
      ...answers('Some of it is not.', report, {
        status: 'not ready',
        checks: { postgres: 'does not answer', redis: 'ok', denylist: 'ok', clock: 'ok' },
        settings: 'ok',
      }),
      headers: headers('Retry-After'),
    },
  },
}

export function getReadyz({ readiness, isRetired, differingSettings }: GetReadyzDeps): Endpoint {
  return {
    method: 'GET',
    path: '/readyz',
    operation,
    handler: async (ctx) => {
      const checks = { ...(await readiness()), ...(isRetired() && { process: 'is stopping' }) }
      const isReady = Object.values(checks).every((check) => check === 'ok')
      const settings = settingsText(differingSettings())
      const body: z.infer<typeof report> = { status: isReady ? 'ready' : 'not ready', checks, settings }
      answer(ctx, { status: isReady ? 200 : 503, body })
    },
  }
}

/** No reason not to be ready: while a setting is changed at one instance after the other, all of them go on. */
function settingsText(differing: readonly string[]): string {
  return differing.length === 0
    ? 'ok'
    : `the instances differ in ${differing.join(', ')}: the log says which has what`
}
