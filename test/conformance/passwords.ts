// What every keeper of passwords must do.
import { expect } from 'chai'
import type { Passwords } from '../../src/auth/ports/accounts.ts'
import { CALLER } from '../support/builders/account.ts'

export interface PasswordsSubject {
  passwords: Passwords
  /** Of the password `old password`, made with the parameters of an earlier day. */
  outdatedHash: string
  close(): Promise<void>
}

export function passwordsConformance(name: string, create: () => Promise<PasswordsSubject>): void {
  describe(`${name} as Passwords`, () => {
    let subject: PasswordsSubject
    let passwords: Passwords

    before(async () => {
      subject = await create()
      passwords = subject.passwords
    })
    after(async () => {
      await subject.close()
    })

    it('verifies the password behind a hash, and no other', async () => {
      const hash = await passwords.hash('correct horse', CALLER)

      expect(await passwords.verify(hash, 'correct horse', CALLER)).to.equal(true)
      for (const wrong of ['correct horse ', ' correct horse', 'Correct horse', 'correct hors', '']) {
        expect(await passwords.verify(hash, wrong, CALLER), JSON.stringify(wrong)).to.equal(false)
      }
    })

    it('makes another hash each time', async () => {
      const [first, second] = [
        await passwords.hash('correct horse', CALLER),
        await passwords.hash('correct horse', CALLER),
      ]

      expect(first).not.to.equal(second)
      expect(first).not.to.include('correct horse')
    })

    it('takes the whole of a long password', async () => {
      const long = 'x'.repeat(4095)

      const hash = await passwords.hash(`${long}a`, CALLER)

      expect(await passwords.verify(hash, `${long}a`, CALLER)).to.equal(true)
      expect(await passwords.verify(hash, `${long}b`, CALLER)).to.equal(false)
    })

    it('tells passwords beyond ASCII apart', async () => {
      const hash = await passwords.hash('pässwörd \u{1f512}', CALLER)

      expect(await passwords.verify(hash, 'pässwörd \u{1f512}', CALLER)).to.equal(true)
      expect(await passwords.verify(hash, 'password \u{1f512}', CALLER)).to.equal(false)
    })

    it('knows a hash of an earlier day, verifies it and calls it outdated', async () => {
      expect(passwords.isOutdated(subject.outdatedHash)).to.equal(true)
      expect(await passwords.verify(subject.outdatedHash, 'old password', CALLER)).to.equal(true)
      expect(await passwords.verify(subject.outdatedHash, 'new password', CALLER)).to.equal(false)
    })

    it('calls its own hashes up to date', async () => {
      expect(passwords.isOutdated(await passwords.hash('correct horse', CALLER))).to.equal(false)
    })
  })
}
