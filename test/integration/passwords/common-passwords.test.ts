// The list of common passwords as its package has it: ranked, and cut where the rule says.
import { dictionary } from '@zxcvbn-ts/language-common'
import { expect } from 'chai'
import { isCommonPassword } from '../../../src/passwords/common-passwords.ts'

describe('isCommonPassword', () => {
  for (const password of ['123456', 'password', '12345678', 'qwertyuiop', 'sunshine', 'trustno1']) {
    it(`knows ${password}`, () => {
      expect(isCommonPassword(password)).to.equal(true)
    })
  }

  it('knows them in any case', () => {
    expect(isCommonPassword('PassWord')).to.equal(true)
  })

  for (const password of ['correct horse battery staple', '', ' password', 'constructor()', '__proto__']) {
    it(`does not know ${JSON.stringify(password)}`, () => {
      expect(isCommonPassword(password)).to.equal(false)
    })
  }

  it('knows the first 10,000 of the list and no other', () => {
    const list = dictionary['passwords-common']

    const known = list.filter((password) => isCommonPassword(password))

    expect(list.length).to.be.above(10_000)
    expect(known).to.deep.equal(list.slice(0, 10_000))
  })

  it('has a list whose best known come first', () => {
    const ranks = ['123456', 'password', 'dragon', 'trustno1'].map((password) =>
      dictionary['passwords-common'].indexOf(password),
    )

    expect(ranks).to.deep.equal(ranks.toSorted((a, b) => a - b))
    expect(ranks.every((rank) => rank >= 0 && rank < 100)).to.equal(true)
  })
})
