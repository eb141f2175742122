// The bugs that were planted, and what the fault suite saw of each: the checker must go on finding them.
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { checkHistory } from './check-history.ts'
import { readHistory } from './history.ts'
import { PLANTED } from './planted/planted.ts'

describe('the planted bugs', () => {
  for (const { name, changes } of PLANTED) {
    it(`can be planted: ${name}`, () => {
      for (const { file, find, replace } of changes) {
        const program = readFileSync(`dist/${file}`, 'utf8')

        expect(program.split(find).length - 1, `${file}: ${find}`).to.equal(1)
        expect(replace).not.to.equal(find)
      }
    })

    it(`is found: ${name}`, () => {
      const violations = checkHistory(readHistory(`test/fault/planted/found/${name}.jsonl`))

      expect(violations[0]?.rule).to.match(/^[abc]$/)
    })
  }
})
