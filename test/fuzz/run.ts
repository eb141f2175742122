// npm run fuzz: every endpoint of the description, asked as nobody should ask.
import { readFile } from 'node:fs/promises'
import { seededRandom, type Random } from '../fault/random.ts'
import { PASSWORD, testEnvironment, type Pair, type TestEnvironment } from '../support/service/environment.ts'
import { offerPostgres } from '../support/servers/offered-postgres.ts'
import { ownPostgres, preparedData } from '../support/servers/postgres.ts'
import { fuzzConnection, type FuzzConnection, type FuzzTarget } from './fuzz-connection.ts'
import {
  endpointsOf,
  fuzzRequests,
  type Credentials,
  type Description,
  type FuzzRequest,
} from './fuzz-requests.ts'
import { readOptions, USAGE, type Options } from './options.ts'

/** That of a request is 2.5 s; what a busy machine adds comes on top. */
const LATE_MS = 5000
/** An answer, or the end of the connection, comes within that, or never. */
const SILENT_MS = 30_000
const USERS = 20
const SAMPLES = 10
/** Of the memory, from the third to the fifth sample, when everything has been used, to the last three. */
const MAX_GROWTH = 1.3
const SHOWN = 10

interface Findings {
  answers: Map<number, number>
  kinds: Map<string, number>
  closed: number
  usable: number
  half: number
  slowestMs: number
  violations: string[]
  residentMiB: number[]
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2))
  if (!options) {
    process.stdout.write(USAGE)
    return 0
  }
  const withdraw = await offerPostgres({ start: ownPostgres, prepare: preparedData })
  const env = await testEnvironment({
    TRUST_PROXY: 'loopback',
    REGISTRATION: 'open',
    REFRESH_ROTATION: 'on',
    GATEWAY_COOKIE: 'on',
  })
  try {
    const findings = await fuzz(env, options)
    const errors = env.signoff.log.filter(({ level }) => level === 'error')
    for (const { msg } of errors.slice(0, SHOWN))
      findings.violations.push(`the log has an error: ${String(msg)}`)
    process.stdout.write(report(findings, options))
    return findings.violations.length > 0 ? 1 : 0
  } finally {
    await env.stop()
    await withdraw()
  }
}

function say(line: string): void {
  process.stderr.write(`${line} …\n`)
}

async function fuzz(env: TestEnvironment, options: Options): Promise<Findings> {
  const { json } = await env.signoff.call('/openapi.json', { method: 'GET' })
  // The feed has no end, and the page's files are long and alike.
  const endpoints = endpointsOf(json as Description).filter(({ path }) => !/feed|\/docs/.test(path))
  const random = seededRandom(options.seed)
  say('logging in')
  const next = fuzzRequests(endpoints, await credentialsOf(env), random)
  const certificate = await readFile(env.signoff.files.certFile, 'utf8')
  const target = { port: Number(new URL(env.signoff.url).port), certificate }
  const findings: Findings = {
    answers: new Map(),
    kinds: new Map(),
    closed: 0,
    usable: 0,
    half: 0,
    slowestMs: 0,
    violations: [],
    residentMiB: [],
  }
  const every = Math.ceil(options.requests / SAMPLES)
  let sent = 0
  const worker = async (): Promise<void> => {
    let connection: FuzzConnection | null = null
    while (sent < options.requests) {
      sent += 1
      if (sent % every === 0) {
        findings.residentMiB.push(await residentMiB(env.signoff.pid))
        say(`${sent} requests, ${findings.violations.length} violations`)
      }
      connection = await ask({ target, random, findings }, next(), connection)
    }
    connection?.destroy()
  }
  await Promise.all(Array.from({ length: options.connections }, worker))
  judgeMemory(findings)
  return findings
}

interface Asking {
  target: FuzzTarget
  random: Random
  findings: Findings
}

/** Resolves to the connection if it can be used again. */
async function ask(
  { target, random, findings }: Asking,
  request: FuzzRequest,
  open: FuzzConnection | null,
): Promise<FuzzConnection | null> {
  const connection = open ?? (await fuzzConnection(target))
  const what = `${request.endpoint} (${request.kind})`
  count(findings.kinds, request.kind)
  connection.write(request.bytes)
  if (request.isHalf) {
    findings.half += 1
    await new Promise((resolve) => setTimeout(resolve, random.between(0, 20)))
    connection.destroy()
    return null
  }
  for (let more = 0; more < request.pipelined; more += 1) connection.write(HEALTH)

  const answer = await connection.answer(request.isHead, SILENT_MS)
  if (answer === 'silent')
    findings.violations.push(`${what}: neither an answer nor the end of the connection`)
  if (typeof answer === 'string') {
    if (answer === 'closed') findings.closed += 1
    connection.destroy()
    return null
  }
  const { status, headers, tookMs } = answer
  count(findings.answers, status)
  findings.slowestMs = Math.max(findings.slowestMs, tookMs)
  const isHonest = status === 503 && headers['retry-after'] !== undefined
  if (status >= 500 && !isHonest) findings.violations.push(`${what}: ${status}`)
  if (tookMs > LATE_MS) findings.violations.push(`${what}: ${status} after ${tookMs.toFixed(0)} ms`)
  return await usedAgain({ findings, what }, connection, request.pipelined)
}

const HEALTH = Buffer.from('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')

/** After any answer a connection takes the next request, or is closed. */
async function usedAgain(
  { findings, what }: { findings: Findings; what: string },
  connection: FuzzConnection,
  pipelined: number,
): Promise<FuzzConnection | null> {
  const expected = Math.max(1, pipelined)
  if (pipelined === 0) connection.write(HEALTH)
  for (let number = 0; number < expected; number += 1) {
    const answer = await connection.answer(false, SILENT_MS)
    if (typeof answer === 'string') {
      if (answer === 'closed') findings.closed += 1
      else findings.violations.push(`${what}: the connection takes no further request, and is not closed`)
      connection.destroy()
      return null
    }
    if (answer.status !== 200) findings.violations.push(`${what}: ${answer.status} to the next request`)
  }
  findings.usable += 1
  return connection.isOpen ? connection : null
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

async function credentialsOf(env: TestEnvironment): Promise<Credentials> {
  const credentials: Credentials = {
    access: [],
    refresh: [],
    cookies: [],
    usernames: ['alice'],
    password: PASSWORD,
  }
  for (let number = 0; number < USERS; number += 1) {
    const username = `user-${number}`
    await env.addUser(username)
    credentials.usernames.push(username)
    const headers = { 'X-Forwarded-For': `192.0.2.${number}` }
    const body = { username, password: PASSWORD }
    const pair = (await env.signoff.call('/auth/login/', { json: body, headers })).json as Pair
    credentials.access.push(pair.access)
    credentials.refresh.push(pair.refresh)
    const begun = await env.signoff.call('/auth/session', { json: body, headers })
    const [cookie = ''] = String(begun.headers['set-cookie']).split(';')
    credentials.cookies.push({ cookie, csrf: (begun.json as { csrf_token: string }).csrf_token })
  }
  return credentials
}

/** 0 where this system does not tell. */
async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

function judgeMemory({ residentMiB: samples, violations }: Findings): void {
  const early = mean(samples.slice(2, 5))
  const late = mean(samples.slice(-3))
  if (late > early * MAX_GROWTH)
    violations.push(`memory grew from ${early.toFixed(0)} to ${late.toFixed(0)} MiB`)
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length)
}

function report(findings: Findings, { requests, seed }: Options): string {
  const { answers, kinds, violations, residentMiB: samples } = findings
  const sorted = <Key extends string | number>(counts: Map<Key, number>) =>
    [...counts]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, times]) => `${key}: ${times}`)
      .join(', ')
  return `${[
    `${requests} requests, seed ${seed}`,
    `bodies       ${sorted(kinds)}`,
    `answers      ${sorted(answers)}`,
    `afterwards   usable: ${findings.usable}, closed: ${findings.closed}, left half-sent by the caller: ${findings.half}`,
    `slowest      ${findings.slowestMs.toFixed(0)} ms`,
    `memory       ${samples.map((sample) => sample.toFixed(0)).join(', ')} MiB`,
    `violations   ${violations.length}`,
    ...violations.slice(0, SHOWN).map((violation) => `  ${violation}`),
  ].join('\n')}\n`
}

process.exitCode = await main()
