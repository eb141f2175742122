// The Peers port: one statement each.
import type { Peer, Peers } from '../../auth/ports/peers.ts'
import type { Postgres, Statement } from './postgres.ts'

const LIST: Statement = {
  name: 'peers.list',
  text: `SELECT client_id AS "clientId", secret_hash AS "secretHash", created_at AS "createdAt"
         FROM peers ORDER BY client_id`,
}

const ADD: Statement = {
  name: 'peers.add',
  text: `INSERT INTO peers (client_id, secret_hash) VALUES ($1, $2)
         ON CONFLICT (client_id) DO NOTHING RETURNING client_id`,
}

const REMOVE: Statement = {
  name: 'peers.remove',
  text: 'DELETE FROM peers WHERE client_id = $1 RETURNING client_id',
}

export function postgresPeers(postgres: Postgres): Peers {
  return {
    list: async () => await postgres.query<Peer>(LIST),
    add: async ({ clientId, secretHash }) =>
      (await postgres.query(ADD, [clientId, Buffer.from(secretHash)])).length > 0,
    remove: async (clientId) => (await postgres.query(REMOVE, [clientId])).length > 0,
  }
}
