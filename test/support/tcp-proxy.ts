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
  close: () => Promise<void>
}

interface Conditions {
  isCut: boolean
  delayMs: (() => number) | null
  /** Resolves at once, or when nothing is swallowed any more. */
  gate: Promise<void>
  openGate: () => void
}

/** On a free port of 127.0.0.1. */
export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  const conditions: Conditions = { ...open(), isCut: false, delayMs: null }
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
      Object.assign(conditions, { ...open(), isCut: false, delayMs: null })
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
    await Promise.all([pump(near, far), pump(far, near)])
  }

  function keep(socket: Socket): void {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }

  async function pump(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from) {
        if (conditions.delayMs) await sleep(conditions.delayMs())
        await conditions.gate
        if (!to.write(chunk as Buffer)) await Promise.race([once(to, 'drain'), once(to, 'close')])
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

function open(): Pick<Conditions, 'gate' | 'openGate'> {
  return { gate: Promise.resolve(), openGate: () => undefined }
}

function shut(): Pick<Conditions, 'gate' | 'openGate'> {
  let openGate: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    openGate = resolve
  })
  return { gate, openGate }
}
