// What the system log says of errors.
import { spawnSync } from 'node:child_process'
import { expect } from 'chai'

/** The line that a process writes for a database error with everything in it. */
function lineOf(code: string): Record<string, unknown> {
  const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
    encoding: 'utf8',
  })
  return JSON.parse(child.stdout) as Record<string, unknown>
}

describe('systemLog', () => {
  it('keeps the rows that a database error quotes to itself', () => {
    const line = lineOf(`
      import { systemLog } from './src/ops/log.ts'
      const error = Object.assign(new Error('violates check constraint'), {
        code: '23514', detail: 'Failing row contains ($argon2id$secret)', where: 'secret', internalQuery: 'secret',
      })
      systemLog('info').error({ err: error }, 'refused')`)

    expect(line['err']).to.include({ message: 'violates check constraint', code: '23514' })
    expect(JSON.stringify(line)).not.to.include('secret')
  })
})
