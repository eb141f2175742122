// A TCP proxy of the tests' own, to stand between a service and a store: it passes, cuts off, swallows and slows.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface TcpProxy {
  port: number
  /** Where connections lead from now on. */
  target: (port: number) => void
  /** All is well, also for what was held back. */
  pass: () => void
  /** Resets every connection, and each new one. */
  cut: () => void
  /** Keeps connections open, takes new ones, and holds back everything, closes included. */
  swallow: () => void
  /** Holds each chunk back for as long as `delayMs()` says. */
  slow: (delayMs: () => number) => void
  /**
   * From now on each connection gets so many bytes of answers more, and holds the rest back, until `pass`.
   * Resolves when the first one holds something back.
   */
  halve: (bytes: number) => Promise<void>
  close: () => Promise<void>
}

interface Conditions {
  isCut: boolean
  delayMs: (() => number) | null
  /** Of the answers, while they come in halves. */
  halves: Halves | null
  isShut: boolean
  /** Resolves at once, or when nothing is held back any more. */
  gate: Promise<void>
  openGate: () => void
}

interface Halves {
  bytes: number
  /** What each connection may still get; all of `bytes` where it is not listed. */
  left: Map<Socket, number>
  tellHeld: () => void
}

/** On a free port of 127.0.0.1. */
export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const conditions: Conditions = { ...allWell(), isCut: false }
  const sockets = new Set<Socket>()
  let port = targetPort

  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (conditions.isCut) {
      near.resetAndDestroy()
      return
    }
    void join(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    target: (newPort) => {
      port = newPort
    },
    pass: () => {
      conditions.openGate()
      conditions.halves?.tellHeld()
      Object.assign(conditions, { ...allWell(), isCut: false })
    },
    cut: () => {
      conditions.isCut = true
      conditions.openGate()
      for (const socket of sockets) socket.resetAndDestroy()
    },
    swallow: () => {
      Object.assign(conditions, shut())
    },
    slow: (delayMs) => {
      conditions.delayMs = delayMs
    },
    halve: async (bytes) => {
      Object.assign(conditions, shut())
      await new Promise<void>((tellHeld) => {
        conditions.halves = { bytes, left: new Map(), tellHeld }
      })
    },
    close: async () => {
      conditions.openGate()
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }

  async function join(near: Socket): Promise<void> {
    keep(near)
    // The far side hears of a connection only when something gets through.
    await conditions.gate
    if (near.destroyed) return
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    keep(far)
    await Promise.all([pump(near, far), pump(far, near, { areAnswers: true })])
  }

  function keep(socket: Socket): void {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }

  /** How much of it gets through at once. `reader`: of an answer, the socket of the one that asked. */
  function passingOf(chunk: Buffer, reader: Socket | null): number {
    const { isShut, halves } = conditions
    if (!isShut) return chunk.length
    if (!halves) return 0
    if (!reader) return chunk.length
    const left = halves.left.get(reader) ?? halves.bytes
    const passing = Math.min(left, chunk.length)
    halves.left.set(reader, left - passing)
    if (passing < chunk.length) halves.tellHeld()
    return passing
  }

  async function pump(from: Socket, to: Socket, { areAnswers = false } = {}): Promise<void> {
    const write = async (chunk: Buffer): Promise<void> => {
      if (chunk.length > 0 && !to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    }
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (conditions.delayMs) await sleep(conditions.delayMs())
        const passing = passingOf(chunk, areAnswers ? to : null)
        await write(chunk.subarray(0, passing))
        if (passing < chunk.length) await conditions.gate
        await write(chunk.subarray(passing))
      }
      await conditions.gate
      to.end()
    } catch {
      // One side is gone; the other hears of it as soon as anything gets through.
      await conditions.gate
      to.resetAndDestroy()
    }
  }
}

function allWell(): Omit<Conditions, 'isCut'> {
  return { isShut: false, gate: Promise.resolve(), openGate: () => undefined, delayMs: null, halves: null }
}

function shut(): Pick<Conditions, 'isShut' | 'gate' | 'openGate'> {
  let openGate: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    openGate = resolve
  })
  return { isShut: true, gate, openGate }
}
