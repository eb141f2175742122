// Connections that a process of the tests takes for ones from elsewhere, though all of them come from this machine.

// Loaded before the program: what comes from 127.0.0.N, from 2 on, is from 192.0.2.N.
const PRELOAD = `data:text/javascript,${encodeURIComponent(`
  import { Socket } from 'node:net'
  const { _getpeername } = Socket.prototype
  Socket.prototype._getpeername = function () {
    const name = _getpeername.call(this)
    return { ...name, address: name.address?.replace(/^(::ffff:)?127\\.0\\.0\\.(?!1$)/, '192.0.2.') }
  }`)}`

/** Arguments of node, for a service that sees a connection from 127.0.0.7 as one from 192.0.2.7. */
export const seenFromElsewhere: string[] = ['--import', PRELOAD]
