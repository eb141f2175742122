// What a long command says while it works.
import { expect } from 'chai'
import { progressLine } from '../../../src/commands/progress-line.ts'

describe('progressLine', () => {
  it('says how much is done once a second at the most, and nothing within the first one', () => {
    const said: string[] = []
    let now = 0
    const progress = progressLine((count) => `${count} done`, {
      say: (line) => said.push(line),
      nowMs: () => now,
    })

    for (const at of [0, 999, 1000, 1500, 2000, 2500]) {
      now = at
      progress.add(10)
    }

    expect(said).to.deep.equal(['30 done', '50 done'])
  })
})
