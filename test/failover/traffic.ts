// The load of a failover: the clients of the fault suite, and those that try what is dead.
import type { Api, Token } from '../fault/api.ts'
import { clients } from '../fault/clients.ts'
import { graveyard } from '../fault/graveyard.ts'
import { seededRandom } from '../fault/random.ts'
import { BOUNDS } from '../fault/world.ts'

export interface Traffic {
  /** From now on tries the tokens of these sessions everywhere, besides those of all that are over. */
  haunt: (sessions: ReadonlySet<string>) => void
  /** Each of these tokens once more, everywhere. */
  tryAll: () => Promise<void>
  /** Begins no more; what is under way comes to its end. */
  stop: () => void
  /** Stops, and resolves when every client has ended its session, and every try was answered. */
  end: () => Promise<void>
}

/** Begins at once. */
export function startTraffic(api: Api, seed: number): Traffic {
  const deps = { api, random: seededRandom(seed), bounds: BOUNDS }
  const graves = graveyard(deps)
  const haunted = graveyard({ ...deps, random: seededRandom(seed + 1) })
  const tokensOf = new Map<string, readonly Token[]>()
  const bury = (tokens: readonly Token[]): void => {
    const [first] = tokens
    if (first) tokensOf.set(first.sid, tokens)
    graves.bury(tokens)
  }
  const living = clients({ ...deps, graveyard: { ...graves, bury } })
  const stop = (): void => {
    living.stop()
    graves.stop()
    haunted.stop()
  }
  const running = [living.run(), graves.haunt()]

  return {
    haunt: (sessions) => {
      for (const id of sessions) haunted.bury(tokensOf.get(id) ?? [])
      running.push(haunted.haunt())
    },
    tryAll: async () => {
      await haunted.tryAll()
    },
    stop,
    end: async () => {
      stop()
      await Promise.all(running)
    },
  }
}
