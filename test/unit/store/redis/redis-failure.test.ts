// What Redis says when it fails, in each of its versions, and what is made of it.
import { expect } from 'chai'
import {
  isReadOnly,
  redisFailure,
  redisFailureDetail,
  type RedisFailureKind,
} from '../../../../src/store/redis/redis-failure.ts'

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' })
}

const SAID: [RedisFailureKind, Error][] = [
  ['read-only', reply("READONLY You can't write against a read only replica.")],
  [
    'read-only',
    reply("READONLY You can't write against a read only replica. script: 4a2d, on @user_script:3."),
  ],
  [
    'read-only',
    reply(
      "ERR Error running script (call to f_9e1d): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
    ),
  ],
  ['no-permission', reply("NOPERM this user has no permissions to run the 'info' command")],
  ['no-permission', reply("NOPERM User shop has no permissions to run the 'info' command")],
  ['no-permission', reply('NOPERM No permissions to access a key')],
  [
    'no-permission',
    reply(
      "ERR The user executing the script can't run this command or subcommand script: 4a2d, on @user_script:1.",
    ),
  ],
  [
    'no-permission',
    reply("ERR ACL failure in script: User shop has no permissions to run the 'get' command"),
  ],
  ['wrong-credentials', reply('NOAUTH Authentication required.')],
  ['wrong-credentials', reply('WRONGPASS invalid username-password pair or user is disabled.')],
  ['disk', reply('MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk.')],
  ['out-of-memory', reply("OOM command not allowed when used memory > 'maxmemory'.")],
  [
    'out-of-memory',
    reply(
      "ERR Error running script (call to f_9e1d): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
    ),
  ],
  ['loading', reply('LOADING Redis is loading the dataset in memory')],
  ['refused', reply("ERR unknown command 'XADD', with args beginning with: 'denylist:{00}:announced' ")],
  ['refused', reply('MOVED 1234 127.0.0.1:7001')],
  ['no-answer', new Error('Command timed out')],
  ['no-answer', Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6379'), { code: 'ECONNREFUSED' })],
]

describe('redisFailure', () => {
  it('tells apart what can be done about it', () => {
    expect(SAID.map(([, error]) => redisFailure(error).kind)).to.deep.equal(SAID.map(([kind]) => kind))
  })

  it('never says that there was no answer where there was one', () => {
    const answered = SAID.filter(([kind]) => kind !== 'no-answer').map(
      ([, error]) => redisFailure(error).sentence,
    )

    for (const sentence of answered) expect(sentence).to.not.contain('no answer')
  })

  it('goes by what the last node said where no node of a cluster can be asked', () => {
    const failed = Object.assign(new Error('Failed to refresh slots cache.'), {
      lastNodeError: reply('WRONGPASS invalid username-password pair or user is disabled.'),
    })

    expect(redisFailure(failed).kind).to.equal('wrong-credentials')
  })

  it('repeats no arguments of a command, which may be a password', () => {
    const error = reply("ERR unknown command 'AUTH', with args beginning with: 'secret' ")

    expect(redisFailure(error).sentence).to.equal("refuses a command: ERR unknown command 'AUTH'")
  })

  it('has the code where an error has no words', () => {
    const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })

    expect(redisFailureDetail(error)).to.equal('ECONNREFUSED')
  })
})

describe('isReadOnly', () => {
  it('is true of a replica, and of nothing else', () => {
    const found = SAID.filter(([, error]) => isReadOnly(error)).map(([kind]) => kind)

    expect(found).to.deep.equal(['read-only', 'read-only', 'read-only'])
  })
})
