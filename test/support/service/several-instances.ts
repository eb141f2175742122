// Several instances of one service, on the same keys: each may reach the stores by a way of its own.
import { eventually } from './environment.ts'
import { startSignoff, type Answer, type Signoff, type SignoffOptions } from './signoff.ts'

/** Starts one after the other, so that the first one relays. The ones that did start are stopped when one does not. */
export async function severalInstances(options: readonly SignoffOptions[]): Promise<Signoff[]> {
  const instances: Signoff[] = []
  try {
    for (const { env, ...others } of options) {
      const keys = instances[0] ? keysOf(instances[0]) : {}
      instances.push(await startSignoff({ ...others, env: { ...keys, ...env } }))
    }
    return instances
  } catch (error) {
    await stopAll(instances)
    throw error
  }
}

/** The settings by which another one has the same keys. */
export function keysOf({ files }: Signoff): Record<string, string> {
  return { SIGNING_KEYS_FILE: files.signingKeysFile, REFRESH_KEY_FILE: files.refreshKeyFile }
}

/** The first one last: its keys are everybody's. */
export async function stopAll(instances: readonly Signoff[]): Promise<void> {
  for (const instance of [...instances].reverse()) await instance.stop()
}

/** However slow the machine is: fails after a minute. */
export const A_MINUTE_MS = 60_000

/** Resolves when all of them say so, or one says that `anyway` is true of it; fails after a minute. */
export async function untilAllReady(
  instances: readonly Signoff[],
  anyway: (answer: Answer) => boolean = () => false,
): Promise<void> {
  const isReady = async (instance: Signoff): Promise<boolean> => {
    const answer = await readiness(instance)
    return answer.status === 200 || anyway(answer)
  }
  await eventually(async () => (await Promise.all(instances.map(isReady))).every(Boolean), A_MINUTE_MS)
}

export async function readiness(signoff: Signoff): Promise<Answer> {
  return await signoff.call('/readyz', { method: 'GET' })
}

/** By the token API, without rotation. */
export async function refreshed(signoff: Signoff, refresh: string): Promise<number> {
  return (await signoff.post('/auth/token/refresh/', { refresh })).status
}
