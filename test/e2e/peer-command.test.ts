// signoff peer add, list and remove.
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { emptyDatabase } from '../support/servers/postgres.ts'
import { runSignoff } from '../support/service/signoff.ts'

describe('signoff peer', () => {
  it('adds, lists and removes peers; the secret is shown once, and stored as a hash', async () => {
    const database = await emptyDatabase('signoff')
    const env = { DATABASE_URL: database.url }
    const peer = async (...args: string[]) => await runSignoff(['peer', ...args], { env })

    const none = await peer('list')
    const added = await peer('add', 'shop', '--json')
    const plain = await peer('add', 'billing')
    const taken = await peer('add', 'shop')
    const bad = await peer('add', 'The Shop')
    const list = await peer('list')
    const documents = await peer('list', '--json')
    const removed = await peer('remove', 'billing')
    const unknown = await peer('remove', 'billing', '--json')

    expect(none.stdout).to.equal('no peers\n')
    const { client_id, client_secret, ...others } = JSON.parse(added.stdout) as Record<string, string>
    expect([client_id, others]).to.deep.equal(['shop', {}])
    const [, billingSecret = ''] = /^ {2}client_secret {2}([\w-]{43})$/m.exec(plain.stdout) ?? []
    expect(billingSecret).to.not.equal('')
    expect(plain.stdout)
      .to.match(/^added billing\n\n {2}client_id {6}billing\n/)
      .and.contain('docs/peers.md')
    expect(taken).to.deep.include({ status: 1, stdout: '' })
    expect(taken.stderr).to.contain('there is a peer shop already')
    expect(bad).to.deep.include({ status: 1, stdout: '' })
    expect(bad.stderr).to.contain('lowercase letters')
    expect(list.stdout).to.match(/^billing\tadded \d{4}-\S+Z\nshop\tadded \S+Z\n$/)
    const [billing] = JSON.parse(documents.stdout) as Record<string, string>[]
    expect(billing).to.have.all.keys('client_id', 'created_at').and.include({ client_id: 'billing' })
    expect(removed.stdout).to.contain('removed billing')
    expect(unknown).to.deep.include({ status: 1, stderr: 'signoff: there is no peer billing\n' })
    const rows = await database.sql<{ hash: Buffer }>('SELECT secret_hash AS hash FROM peers')
    expect(rows.map(({ hash }) => hash.toString('hex'))).to.deep.equal([
      createHash('sha256').update(String(client_secret)).digest('hex'),
    ])
    await database.drop()
  })
})
