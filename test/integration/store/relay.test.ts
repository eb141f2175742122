// The relay between a real journal and a real Redis: what was denied arrives, whatever Redis went through.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../src/auth/errors.ts'
import { PARTITIONS } from '../../../src/contract/denylist-keys.ts'
import type { ReplayableJournal } from '../../../src/store/postgres-journal.ts'
import { redisDenylist, type RedisDenylist } from '../../../src/store/redis-denylist.ts'
import { connectRedis } from '../../../src/store/redis.ts'
import { startRelay, type Relay } from '../../../src/store/relay.ts'
import { eventually } from '../../support/environment.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../support/postgres-store-subject.ts'
import { testRedis, type TestRedis } from '../../support/redis.ts'

/** One round of the relay, and what a busy machine may add. */
const ROUND_MS = 1600

interface Instance {
  denylist: RedisDenylist
  relay: Relay
  stop(): Promise<void>
}

describe('the relay', () => {
  let store: PostgresStoreSubject
  let redis: TestRedis
  const instances: Instance[] = []

  beforeEach(async () => {
    store = await postgresStoreSubject()
    redis = await testRedis()
  })
  afterEach(async () => {
    await Promise.all(
      instances.splice(0).map(async (instance) => {
        await instance.stop()
      }),
    )
    await Promise.all([store.close(), redis.remove()])
  })

  /** What one process of the service has of denylist and relay. */
  function instance(journal: ReplayableJournal = store.journal): Instance {
    const connection = connectRedis(redis.url, () => undefined)
    const denylist = redisDenylist(connection, () => undefined)
    const relay = startRelay({ redis: connection, denylist, journal, onFailure: () => undefined })
    const stop = async () => {
      await relay.stop()
      connection.disconnect()
    }
    const started = { denylist, relay, stop }
    instances.push(started)
    return started
  }

  async function trusted(): Promise<Instance> {
    const started = instance()
    await regained(started)
    return started
  }

  const regained = async ({ denylist }: Instance, timeoutMs = 5000) => {
    await eventually(async () => await Promise.resolve(denylist.isTrusted), timeoutMs)
  }
  const check = async ({ denylist }: Instance, sid: string) => await denylist.check({ sid, jti: uuidv4() })
  const denied = async () => {
    const sid = uuidv7()
    await store.deny(sid, 60_000)
    return sid
  }

  /** Denied, carried over by now, and older than what a round reads again of the journal's end. */
  const longDenied = async () => {
    const sid = await denied()
    await eventually(async () => (await redis.client.get(`denylist:{${sid.slice(-2)}}:${sid}`)) !== null)
    await store.database.sql(`UPDATE revocations SET created_at = now() - interval '30 seconds'`)
    return sid
  }

  describe('at the start', () => {
    it('carries the whole journal over, marks every partition, and only then is Redis trusted', async () => {
      const sids = [await denied(), await denied()]

      const started = await trusted()

      expect(await Promise.all(sids.map(async (sid) => await check(started, sid)))).to.deep.equal([
        'denied',
        'denied',
      ])
      expect(await check(started, uuidv7())).to.equal('live')
      expect(await redis.client.exists(PARTITIONS.map((hh) => `denylist:{${hh}}:synced`))).to.equal(256)
    })

    it('carries denials for what is left of them, and not those whose time is over', async () => {
      const sid = await denied()
      await store.deny(uuidv7(), -1)

      await trusted()

      expect(await redis.client.pttl(`denylist:{${sid.slice(-2)}}:${sid}`)).to.be.within(55_000, 60_000)
      expect(await redis.client.dbsize()).to.equal(PARTITIONS.length + 1)
    })

    it('carries a journal of several batches', async () => {
      await store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         SELECT gen_random_uuid()::text, '00', 'logout', now() + interval '1 hour' FROM generate_series(1, 2500)`,
      )

      await trusted()

      expect(await redis.client.dbsize()).to.equal(PARTITIONS.length + 2500)
    })
  })

  describe('while all is well', () => {
    it('carries over within a second what another process wrote to the journal alone', async () => {
      const started = await trusted()
      const sid = await denied()

      await eventually(async () => (await check(started, sid)) === 'denied', ROUND_MS)
    })

    it('carries over what committed after the round that it belonged to', async () => {
      const started = await trusted()
      const sid = uuidv7()
      await store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         VALUES ($1, '00', 'logout', now() - interval '5 seconds', now() + interval '1 minute')`,
        [sid],
      )

      await eventually(async () => (await check(started, sid)) === 'denied', ROUND_MS)
    })
  })

  describe('after Redis was emptied', () => {
    it('rebuilds it from the journal, while nobody is told live', async () => {
      const started = await trusted()
      const sid = await longDenied()

      await redis.client.flushall()
      const answers = new Set<string>()
      await eventually(async () => {
        answers.add(await check(started, sid))
        return answers.has('denied')
      })

      expect(answers).to.deep.equal(new Set(['unknown', 'denied']))
    })

    for (const { who, count } of [
      { who: 'an instance', count: 1 },
      { who: 'two instances', count: 2 },
    ]) {
      it(`rebuilds it when nobody asked ${who} anything in between`, async () => {
        const started = await Promise.all(Array.from({ length: count }, trusted))
        const sid = await longDenied()

        await redis.client.flushall()
        const mark = `denylist:{${sid.slice(-2)}}:synced`
        await eventually(async () => (await redis.client.get(mark)) !== null)

        for (const one of started) expect(await check(one, sid)).not.to.equal('live')
      })
    }

    it('rebuilds one that came back empty after a crash', async () => {
      const started = await trusted()
      const sid = await longDenied()
      await redis.client.flushall()
      await redis.signal('SIGKILL')

      await redis.start()
      const answers = new Set<string>()
      await eventually(async () => {
        answers.add(await check(started, sid))
        return answers.has('denied')
      })

      expect(answers).not.to.include('live')
    })
  })

  describe('after a denial of its own did not reach Redis', () => {
    it('carries it over, and Redis is trusted again', async () => {
      const started = await trusted()
      const sid = await denied()
      await redis.signal('SIGSTOP')
      await started.denylist.deny([{ id: sid, ttlMs: 60_000 }])
      const whileHung = await check(started, sid)

      await redis.signal('SIGCONT')
      await regained(started)

      expect(whileHung).to.equal('unknown')
      expect(await check(started, sid)).to.equal('denied')
    })
  })

  describe('a replay that began before trust was lost', () => {
    it('does not bring trust back; the next one does', async () => {
      const gated = gatedJournal(store.journal)
      const started = instance(gated.journal)
      await gated.rounds(1)

      started.denylist.distrust()
      gated.openOne()
      await gated.rounds(2)
      const afterTheOldOne = started.denylist.isTrusted
      gated.openOne()
      await regained(started)

      expect(afterTheOldOne).to.equal(false)
    })
  })

  describe('while the journal is away', () => {
    it('leaves a trusted Redis trusted, and an untrusted one untrusted', async () => {
      const flaky = flakyJournal(store.journal)
      const [old, young] = [instance(flaky.journal), instance(flaky.journal)]
      await Promise.all([regained(old), regained(young)])

      flaky.goAway()
      young.denylist.distrust()
      await flaky.failures(4)

      expect(old.denylist.isTrusted).to.equal(true)
      expect(young.denylist.isTrusted).to.equal(false)
    })
  })

  describe('when Redis takes no writes', () => {
    it('ends trust without waiting for a denial to fail', async () => {
      const started = await trusted()

      await redis.client.config('SET', 'maxmemory', '1')

      await eventually(async () => await Promise.resolve(!started.denylist.isTrusted), ROUND_MS)
    })
  })

  describe('stop', () => {
    it('waits for the round that is under way, and lets it be the last', async () => {
      const gated = gatedJournal(store.journal)
      const started = instance(gated.journal)
      await gated.rounds(1)

      const stopped = started.relay.stop()
      gated.openOne()
      await stopped
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS))

      expect(gated.begun()).to.equal(1)
    })

    it('resolves when the last round is over, and there is no other', async () => {
      const started = await trusted()

      await started.relay.stop()
      const sid = await denied()
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS))

      expect(await check(started, sid)).to.equal('live')
    })
  })
})

/** The journal, each replay of it held back until it is let go. */
function gatedJournal(journal: ReplayableJournal) {
  let begun = 0
  const waiting: (() => void)[] = []
  return {
    journal: {
      ...journal,
      settledUpTo: async () => {
        begun += 1
        await new Promise<void>((resolve) => waiting.push(resolve))
        return await journal.settledUpTo()
      },
    },
    begun: () => begun,
    /** Resolves when that many replays have begun. */
    rounds: async (count: number) => {
      await eventually(async () => await Promise.resolve(begun >= count))
    },
    openOne: () => {
      waiting.shift()?.()
    },
  }
}

/** The journal, until it goes away. */
function flakyJournal(journal: ReplayableJournal) {
  let isAway = false
  let failed = 0
  return {
    journal: {
      ...journal,
      settledUpTo: async () => {
        if (!isAway) return await journal.settledUpTo()
        failed += 1
        throw new AuthError('unavailable')
      },
    },
    goAway: () => {
      isAway = true
    },
    failures: async (count: number) => {
      await eventually(async () => await Promise.resolve(failed >= count))
    },
  }
}
