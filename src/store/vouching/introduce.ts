// A command that ends sessions is known to the instances before it does: none of them vouches without its word.
import { sleep, type Clock } from '../../clock.ts'
import type { Instances } from '../postgres/instances.ts'

const LOOK_EVERY_MS = 100
/** An instance that is not heard of for ten seconds is no longer listed as present, so nobody is waited for longer. */
const PATIENCE_MS = 15_000

export interface IntroduceDeps {
  clock: Clock
  /** Of this process, as `instances` says that it is there. */
  instanceId: string
  instances: Pick<Instances, 'present'>
}

/**
 * Lists this process among the instances, and waits until each of the others has read the list since. Other commands
 * are not waited for: they vouch for nothing. From then on the
 * watermarks stand without the journal only by the word of this process too, which it never says: until a round has
 * brought what it journals to Redis, or it has left.
 *
 * Resolves to whether all others have; that takes about a second. Rejects with `unavailable` or `failed`.
 */
export async function introduce({ clock, instanceId, instances }: IntroduceDeps): Promise<boolean> {
  const deadline = clock.steadyMs() + PATIENCE_MS
  await instances.present()
  let waitedFor = await instances.present()
  const listedSinceMs = waitedFor.find(({ id }) => id === instanceId)?.seenAtMs ?? Infinity
  for (;;) {
    // An instance that said it is there has read the list with the same statement.
    waitedFor = waitedFor.filter(
      ({ id, isPresent, isCommand, seenAtMs }) =>
        id !== instanceId && isPresent && !isCommand && seenAtMs <= listedSinceMs,
    )
    if (waitedFor.length === 0) return true
    if (clock.steadyMs() > deadline) return false
    await sleep(clock, LOOK_EVERY_MS)
    const ids = new Set(waitedFor.map(({ id }) => id))
    waitedFor = (await instances.present()).filter(({ id }) => ids.has(id))
  }
}
