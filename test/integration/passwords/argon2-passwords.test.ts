// argon2id in threads of its own, held to what the port promises.
import { hashSync } from '@node-rs/argon2'
import { expect } from 'chai'
import { argon2Passwords, type Argon2Passwords } from '../../../src/passwords/argon2-passwords.ts'
import { passwordsConformance } from '../../conformance/passwords.ts'
import { CALLER } from '../../support/builders/account.ts'
import { recordingLog } from '../../support/fakes/recording-log.ts'
import { refusalOf } from '../../support/clients/refusal-of.ts'

passwordsConformance('argon2Passwords', async () => {
  const passwords = argon2Passwords(recordingLog())
  return await Promise.resolve({
    passwords,
    outdatedHash: hashSync('old password', { memoryCost: 4096, timeCost: 3, parallelism: 1 }),
    close: async () => {
      await passwords.close()
    },
  })
})

describe('argon2Passwords', () => {
  let passwords: Argon2Passwords

  before(() => {
    passwords = argon2Passwords(recordingLog())
  })
  after(async () => {
    await passwords.close()
  })

  it('hashes with argon2id and the parameters of today, as a PHC string', async () => {
    expect(await passwords.hash('correct horse', CALLER)).to.match(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]+\$[^$]+$/,
    )
  })

  it('has a decoy of the same parameters and sizes, which reads as a hash and is of no password', async () => {
    const log = recordingLog()
    const [own, other] = [argon2Passwords(log), argon2Passwords(log)]
    const shape = (hash: string) => hash.split('$').map((part) => part.length)

    expect(shape(own.decoyHash)).to.deep.equal(shape(await own.hash('correct horse', CALLER)))
    expect(own.isOutdated(own.decoyHash)).to.equal(false)
    expect(await own.verify(own.decoyHash, 'correct horse', CALLER)).to.equal(false)
    expect(log.lines).to.deep.equal([])
    expect(own.decoyHash).to.not.equal(other.decoyHash)
    await Promise.all([own.close(), other.close()])
  })

  it('calls every hash of other parameters, or of another kind, outdated', async () => {
    const today = await passwords.hash('correct horse', CALLER)

    expect(passwords.isOutdated(today)).to.equal(false)
    for (const [from, to] of [
      ['m=19456', 'm=19457'],
      ['t=2', 't=1'],
      ['p=1', 'p=2'],
      ['argon2id', 'argon2i'],
      ['v=19', 'v=16'],
    ] as const) {
      expect(passwords.isOutdated(today.replace(from, to)), to).to.equal(true)
    }
  })

  it('takes a hash that is none for a wrong password, and tells the operator', async () => {
    const log = recordingLog()
    const own = argon2Passwords(log)

    for (const garbage of ['', 'plain', '$argon2id$v=19$m=19456,t=2,p=1$', '$2b$10$abcdefghijklmnopqrstuv']) {
      expect(await own.verify(garbage, 'correct horse', CALLER), garbage).to.equal(false)
    }

    await own.close()
    expect(log.lines.map(({ level, message }) => `${level}: ${message}`)).to.deep.equal(
      Array.from({ length: 4 }, () => 'error: a stored password hash cannot be read: its user cannot log in'),
    )
  })

  it('leaves the event loop free while it works', async () => {
    const work = Promise.all(
      Array.from({ length: 6 }, async () => await passwords.hash('correct horse', CALLER)),
    )
    const progress = { isDone: false, turns: 0 }
    void work.then(() => (progress.isDone = true))
    while (!progress.isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      progress.turns += 1
    }

    expect(await work).to.have.length(6)
    // On this thread there would be a turn or two for each hash.
    expect(progress.turns).to.be.above(200)
  })

  it('is unavailable, at once, when too many wait already, and then goes on', async () => {
    const own = argon2Passwords(recordingLog())
    // Cheap ones, since what is counted is who waits.
    const cheap = hashSync('correct horse', { memoryCost: 8, timeCost: 1, parallelism: 1 })
    const flood = Array.from(
      { length: 700 },
      async () => await refusalOf(own.verify(cheap, 'correct horse', CALLER)),
    )

    let isAnyHashed = false
    void Promise.race(flood.slice(0, 512)).then(() => (isAnyHashed = true))
    const refused = await refusalOf(own.verify('irrelevant', 'irrelevant', CALLER))
    const wasAtOnce = !isAnyHashed
    const outcomes = await Promise.all(flood)

    expect(refused).to.equal('unavailable')
    expect(wasAtOnce).to.equal(true)
    expect(new Set(outcomes)).to.deep.equal(new Set(['resolved', 'unavailable']))
    expect(await refusalOf(own.hash('correct horse', CALLER))).to.equal('resolved')
    await own.close()
  })
})
