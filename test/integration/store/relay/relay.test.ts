// The loop of the relay, with a real journal and a real Redis: what was denied arrives, whatever Redis went through.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { systemClock } from '../../../../src/clock.ts'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { startRelay, type Relay } from '../../../../src/store/relay/relay.ts'
import { untilConnected } from '../../../support/stores/told.ts'
import { eventually } from '../../../support/service/environment.ts'
import { relayInstance, type RelayInstance } from '../../../support/stores/relay-instance.ts'
import { RIG_LEASE_MS, relayRig, type RelayRig } from '../../../support/stores/relay-rig.ts'

const PATIENCE_MS = 60_000

interface Running extends RelayInstance {
  relay: Relay
  /** From now on it neither ticks nor says that it is gone, as a process that was killed. */
  kill(): void
}

describe('the relay', () => {
  let rig: RelayRig
  const running: Running[] = []

  beforeEach(async () => {
    rig = await relayRig()
  })
  afterEach(async () => {
    for (const { relay, connection } of running.splice(0)) {
      await relay.stop()
      connection.close()
    }
    await rig.close()
  })

  async function run(): Promise<Running> {
    const instance = await relayInstance({ redis: rig.redis, store: rig.store, leaseMs: RIG_LEASE_MS })
    let isKilled = false
    const { relayTick, connection, failures } = instance
    const relay = startRelay({
      clock: systemClock,
      intervalMs: 1000,
      connection,
      relayTick: {
        tick: async () => !isKilled && (await relayTick.tick()),
        leave: async () => {
          if (!isKilled) await relayTick.leave()
        },
      },
      onFailure: (error) => failures.push(error),
    })
    const started = {
      ...instance,
      relay,
      kill: () => {
        isKilled = true
        connection.close()
      },
    }
    running.push(started)
    return started
  }

  const isLeading = ({ found }: Running) => found.at(-1)?.isLeader === true
  const until = async (question: () => boolean | Promise<boolean>) => {
    await eventually(async () => await question(), PATIENCE_MS)
  }
  const inLine = async (...instances: Running[]) => {
    for (const one of instances) await until(async () => (await one.check(uuidv7())) === 'live')
  }
  /** All answers about `sid`, until it is refused. */
  const answersUntilDenied = async (one: Running, sid: string): Promise<Set<string>> => {
    const answers = new Set<string>()
    await until(async () => answers.add(await one.check(sid)).has('denied'))
    return answers
  }

  it('brings Redis in line at the start, and every instance to believe it', async () => {
    const sid = await rig.denied()

    const instances = [await run(), await run()]
    await inLine(...instances)

    for (const one of instances) expect(await one.check(sid)).to.equal('denied')
    await until(() => instances.filter(isLeading).length === 1)
  })

  it('carries over what another process wrote to the journal alone', async () => {
    const one = await run()
    await inLine(one)
    const sid = await rig.denied()

    await until(async () => (await one.check(sid)) === 'denied')
  })

  async function leaderAndOther() {
    const [one, other] = [await run(), await run()]
    await inLine(one, other)
    await until(() => isLeading(one) !== isLeading(other))
    return isLeading(one) ? ([one, other] as const) : ([other, one] as const)
  }

  it('moves to another instance when the leader is killed, while the watermarks stand', async () => {
    const [leader, other] = await leaderAndOther()
    await rig.shorten(RIG_LEASE_MS / 2)

    leader.kill()
    let least = Infinity
    await until(async () => {
      least = Math.min(least, await rig.syncedCount())
      return isLeading(other)
    })

    expect(least).to.equal(256)
    // It says so before its first round is over.
    await until(async () => (await rig.syncedMsLeft()) > RIG_LEASE_MS / 2)
  })

  it('moves to another instance when the leader is stopped', async () => {
    const [leader, other] = await leaderAndOther()

    await leader.relay.stop()

    await until(() => isLeading(other))
  })

  for (const count of [1, 2]) {
    it(`rebuilds a Redis that was emptied, while nobody is told live (${count})`, async () => {
      const instances = await Promise.all(Array.from({ length: count }, run))
      await inLine(...instances)
      const sid = uuidv7()
      await instances[0]?.logout(sid)
      await rig.age()
      await rig.redis.client.flushall()

      const answers = await Promise.all(instances.map(async (one) => await answersUntilDenied(one, sid)))

      for (const of of answers) expect(of).not.to.include('live')
    })
  }

  it('rebuilds a Redis that came back empty after a crash, as soon as it is back', async () => {
    const one = await run()
    await inLine(one)
    const sid = uuidv7()
    await one.logout(sid)
    await rig.age()
    await rig.redis.client.flushall()
    await rig.redis.signal('SIGKILL')
    await rig.redis.start()
    await untilConnected(one.connection)

    const answers = await answersUntilDenied(one, sid)
    await inLine(one)

    expect(answers).not.to.include('live')
  })

  it('carries over a denial that did not reach a Redis that hung, and is believed again', async () => {
    const one = await run()
    await inLine(one)
    const sid = uuidv7()
    await rig.redis.signal('SIGSTOP')
    await one.logout(sid)
    const whileHung = await one.check(sid)
    await rig.redis.signal('SIGCONT')

    const answers = await answersUntilDenied(one, sid)
    await inLine(one)

    expect(whileHung).to.equal('unknown')
    expect(answers).not.to.include('live')
    expect(await rig.redis.client.exists(denialKey(sid))).to.equal(1)
  })
})
