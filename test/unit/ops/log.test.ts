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

  it('keeps the command that Redis refused to itself, which may be the one that logs in', () => {
    const line = lineOf(`
      import { systemLog } from './src/ops/log.ts'
      const cause = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
        command: { name: 'hello', args: ['3', 'AUTH', 'default', 'secret'] },
      })
      systemLog('info').warn({ err: new Error('no connection', { cause }) }, 'refused')`)

    expect(JSON.stringify(line)).to.include('no connection')
    expect(JSON.stringify(line)).to.include('WRONGPASS')
    expect(JSON.stringify(line)).not.to.include('secret')
  })
})
