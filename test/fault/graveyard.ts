// Tokens that should be dead, tried again and again, everywhere, until they are past any doubt.
import { setTimeout as sleep } from 'node:timers/promises'
import { PEERS, type Api, type PeerName, type Token } from './api.ts'
import { INSTANCES, type Bounds, type InstanceName } from './history.ts'
import type { Random } from './random.ts'
import { runTime } from './recorder.ts'

export interface Graveyard {
  /** Every token of a session that is over, or should be. */
  bury(tokens: readonly Token[]): void
  /** Tries one token after the other until it is stopped. */
  haunt(): Promise<void>
  /** Each one once more, everywhere. */
  tryAll(): Promise<void>
  stop(): void
}

export interface GraveyardDeps {
  api: Api
  random: Random
  bounds: Bounds
}

interface Grave {
  tokens: readonly Token[]
  buriedAt: number
  /** When the last of them has no excuse left to be alive. */
  forgottenAt: number
}

/** 60 tries a second. */
const TRY_EVERY_MS = 50
const TRIES_EACH_TIME = 3
/** Beyond them, an instance that hangs would get nothing else. */
const MAX_UNDER_WAY = 40
const AFTERLIFE_MS = 4000
const CLIENT = 'graveyard'
const EVERYWHERE = [...INSTANCES, ...PEERS] as const

export function graveyard({ api, random, bounds }: GraveyardDeps): Graveyard {
  let graves: Grave[] = []
  let isStopped = false

  const tryOne = async (token: Token, at: InstanceName | PeerName): Promise<void> => {
    if (at === 'peer' || at === 'feed') {
      // A peer does not ask about what it sees to be too old.
      if (token.type === 'access' && runTime() < token.expiresAt + bounds.leewayMs) {
        await api.peerCheck(at, CLIENT, token)
      }
    } else if (api.underWay(at) >= MAX_UNDER_WAY) return
    else if (token.type === 'access' || random.chance(0.2)) await api.verify(at, CLIENT, token)
    else if (token.generation !== null && random.chance(0.7)) await api.rotate(at, CLIENT, token)
    else if (token.generation !== null) await api.rotateElsewhere(at, CLIENT, token)
    else await api.refresh(at, CLIENT, token)
  }

  /** Every third try is for those whose hour it is: the lease has just passed, or the token is about to expire. */
  const pickGrave = (): Grave => {
    const now = runTime()
    const isItsHour = ({ buriedAt, forgottenAt }: Grave): boolean => {
      const age = now - buriedAt
      const left = forgottenAt - now
      return (age > bounds.leaseMs && age < bounds.leaseMs + 4000) || left < bounds.leewayMs + AFTERLIFE_MS
    }
    const due = random.chance(0.33) ? graves.filter(isItsHour) : []
    return random.pick(due.length > 0 ? due : graves)
  }

  return {
    bury: (tokens) => {
      const lastExpiry = Math.max(...tokens.map(({ expiresAt }) => expiresAt))
      const forgottenAt = lastExpiry + bounds.leewayMs + bounds.skewMs + AFTERLIFE_MS
      graves.push({ tokens, buriedAt: runTime(), forgottenAt })
    },

    haunt: async () => {
      const tries = new Set<Promise<void>>()
      while (!isStopped) {
        const now = runTime()
        graves = graves.filter(({ forgottenAt }) => forgottenAt > now)
        for (let count = 0; count < TRIES_EACH_TIME && graves.length > 0; count++) {
          const one = tryOne(random.pick(pickGrave().tokens), random.pick(EVERYWHERE))
          tries.add(one)
          void one.then(() => tries.delete(one))
        }
        await sleep(TRY_EVERY_MS)
      }
      await Promise.all(tries)
    },

    tryAll: async () => {
      for (const { tokens } of graves) {
        await Promise.all(
          // The last pair says it all: an older one has the same session.
          tokens.slice(-2).flatMap((token) =>
            EVERYWHERE.map(async (at) => {
              await tryOne(token, at)
            }),
          ),
        )
      }
    },

    stop: () => {
      isStopped = true
    },
  }
}
