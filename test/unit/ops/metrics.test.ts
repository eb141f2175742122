// The metrics, as Prometheus reads them.
import { expect } from 'chai'
import { createMetrics } from '../../../src/ops/metrics.ts'

describe('createMetrics', () => {
  const lines = async (metrics: ReturnType<typeof createMetrics>): Promise<string[]> =>
    (await metrics.render()).text.split('\n')

  it('begins with nothing lost and nothing trusted', async () => {
    const text = await lines(createMetrics())

    expect(text).to.include('signoff_log_entry_failures_total 0')
    expect(text).to.include('signoff_denylist_trusted 0')
    expect(text).to.include('signoff_relay_leader 0')
    expect(text).to.include('signoff_denylist_write_failures_total 0')
  })

  it('counts entries that could not be written', async () => {
    const metrics = createMetrics()

    metrics.logEntryFailed()
    metrics.logEntryFailed()

    expect(await lines(metrics)).to.include('signoff_log_entry_failures_total 2')
  })

  it('tells whether the denylist is trusted now', async () => {
    const metrics = createMetrics()

    metrics.denylistTrusted(true)
    const trusted = await lines(metrics)
    metrics.denylistTrusted(false)

    expect(trusted).to.include('signoff_denylist_trusted 1')
    expect(await lines(metrics)).to.include('signoff_denylist_trusted 0')
  })

  it('tells whether this instance relays now', async () => {
    const metrics = createMetrics()

    metrics.relaying(true)
    const relaying = await lines(metrics)
    metrics.relaying(false)

    expect(relaying).to.include('signoff_relay_leader 1')
    expect(await lines(metrics)).to.include('signoff_relay_leader 0')
  })

  it('counts denials that could not be written to Redis', async () => {
    const metrics = createMetrics()

    metrics.denialNotWritten()

    expect(await lines(metrics)).to.include('signoff_denylist_write_failures_total 1')
  })

  it('tells how long requests took, by method, route and status', async () => {
    const metrics = createMetrics()

    metrics.requestDone({ method: 'POST', route: '/auth/login', status: 200, seconds: 0.03 })
    metrics.requestDone({ method: 'POST', route: '/auth/login', status: 200, seconds: 0.3 })
    metrics.requestDone({ method: 'POST', route: '/auth/login', status: 503, seconds: 2 })

    const name = 'signoff_http_request_duration_seconds'
    const text = await lines(metrics)
    expect(text).to.include(`${name}_count{method="POST",route="/auth/login",status="200"} 2`)
    expect(text).to.include(`${name}_bucket{le="0.05",method="POST",route="/auth/login",status="200"} 1`)
    expect(text).to.include(`${name}_count{method="POST",route="/auth/login",status="503"} 1`)
  })

  it('names every metric of its own after the product, with its unit, and explains it', async () => {
    const text = await lines(createMetrics())

    const own = text.filter((line) => line.startsWith('# HELP signoff_'))
    expect(own.map((line) => line.split(' ')[2])).to.include.members([
      'signoff_log_entry_failures_total',
      'signoff_denylist_trusted',
      'signoff_relay_leader',
      'signoff_denylist_write_failures_total',
      'signoff_http_request_duration_seconds',
    ])
    expect((await createMetrics().render()).contentType).to.match(/^text\/plain/)
  })

  it('keeps the numbers of one instance apart from those of another', async () => {
    const [first, second] = [createMetrics(), createMetrics()]

    first.logEntryFailed()

    expect(await lines(second)).to.include('signoff_log_entry_failures_total 0')
  })
})
