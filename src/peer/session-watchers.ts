// The handlers that want to know when a session ends; each is told once.
import type { SessionEndHandler, SessionEndReason } from './denylist.ts'

export interface SessionWatchers {
  /** Returns what takes the handler away again. */
  add: (sid: string, handler: SessionEndHandler) => () => void
  /** Tells the handlers of one session. */
  end: (sid: string, reason: SessionEndReason) => void
  endAll: (reason: SessionEndReason) => void
  /** Takes all handlers away; they are not told. */
  clear: () => void
  sids: () => Iterable<string>
  /** Sessions, not handlers. */
  readonly size: number
}

/** `onError` hears what a handler throws or rejects with: the other handlers are told all the same. */
export function sessionWatchers(onError: (error: Error) => void): SessionWatchers {
  const watched = new Map<string, Set<SessionEndHandler>>()

  function end(sid: string, reason: SessionEndReason): void {
    const handlers = watched.get(sid)
    if (!handlers) return
    watched.delete(sid)
    for (const handler of handlers) tell(handler, reason)
  }

  function tell(handler: SessionEndHandler, reason: SessionEndReason): void {
    const told = new Promise((resolve) => {
      resolve(handler(reason))
    })
    told.catch((cause: unknown) => {
      onError(new Error('a handler of onSessionEnd failed', { cause }))
    })
  }

  return {
    add(sid, handler) {
      // One that is given twice is called twice, and taken away one at a time.
      const own: SessionEndHandler = (reason) => handler(reason)
      const handlers = watched.get(sid) ?? new Set()
      watched.set(sid, handlers.add(own))
      return () => {
        handlers.delete(own)
        if (handlers.size === 0 && watched.get(sid) === handlers) watched.delete(sid)
      }
    },

    end,

    endAll(reason) {
      for (const sid of [...watched.keys()]) end(sid, reason)
    },

    clear: () => {
      watched.clear()
    },
    sids: () => watched.keys(),

    get size() {
      return watched.size
    },
  }
}
