// Why Redis failed, told apart by what can be done about it, in words for the log and for /readyz.

export type RedisFailureKind =
  /** A replica, where a master is needed. */
  | 'read-only'
  | 'no-permission'
  | 'wrong-credentials'
  /** It cannot save, and refuses writes therefore. */
  | 'disk'
  | 'out-of-memory'
  | 'loading'
  /** It did answer, with another refusal. */
  | 'refused'
  | 'no-answer'

export interface RedisFailure {
  kind: RedisFailureKind
  /** The reason, and what to do about it, as it stands after a colon; it holds no secret. */
  sentence: string
}

/** Each as the first word of the answer, or, as Redis 6.2 has it, inside the error of a script. */
const CODES: [pattern: RegExp, kind: RedisFailureKind][] = [
  [/(^|-)READONLY\b/, 'read-only'],
  [/(^|-)NOPERM\b|ACL failure in script|The user executing the script can't/, 'no-permission'],
  [/(^|-)(NOAUTH|WRONGPASS)\b|^ERR invalid password|without any password configured/, 'wrong-credentials'],
  [/(^|-)MISCONF\b/, 'disk'],
  [/(^|-)OOM\b/, 'out-of-memory'],
  [/(^|-)LOADING\b/, 'loading'],
]

const SENTENCES: Record<RedisFailureKind, (detail: string) => string> = {
  'read-only': () =>
    'read-only, as it is a replica: the connection is made anew until it leads to the master (see REDIS_URL, and the proxy or address it names)',
  'no-permission': (detail) =>
    `no permission: grant the Redis user what docs/redis-user.md lists (${detail})`,
  'wrong-credentials': () =>
    'wrong credentials: Redis refuses the user or the password (see REDIS_URL, and the ACL of Redis)',
  disk: () =>
    'cannot save to its disk: logouts are kept by Postgres alone until it can (its log has the reason)',
  'out-of-memory': () =>
    'out of memory: logouts are kept by Postgres alone until it has room (raise maxmemory)',
  loading: () => 'loading its data from disk: it is used as soon as that is done',
  refused: (detail) => `refuses a command: ${detail}`,
  'no-answer': (detail) => `no answer: is it running, and can it be reached from here? (${detail})`,
}

/** `error`: of a command, or of an attempt to connect. */
export function redisFailure(error: unknown): RedisFailure {
  const cause = causeOf(error)
  const kind = kindOf(cause)
  return { kind, sentence: SENTENCES[kind](redisFailureDetail(cause)) }
}

/** The words of Redis, or of the system; without the arguments of a command, which may be a password. */
export function redisFailureDetail(error: unknown): string {
  const { message, code } = (
    error instanceof Error ? error : new Error(String(error))
  ) as NodeJS.ErrnoException
  return (message || (code ?? 'no reason is known')).replace(/,? with args.*$/s, '').slice(0, 300)
}

/** Whether Redis takes no writes as it is a replica; also inside a script. */
export function isReadOnly(error: unknown): boolean {
  return kindOf(error) === 'read-only'
}

function kindOf(error: unknown): RedisFailureKind {
  const message = error instanceof Error ? error.message : String(error)
  const known = CODES.find(([pattern]) => pattern.test(message))
  if (known) return known[1]
  return error instanceof Error && error.name === 'ReplyError' ? 'refused' : 'no-answer'
}

/** A cluster of which no node can be asked says so, and keeps what the last one said. */
function causeOf(error: unknown): unknown {
  return (error as { lastNodeError?: unknown } | null)?.lastNodeError ?? error
}
