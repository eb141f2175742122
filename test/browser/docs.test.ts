// The page /docs in a real Chromium: it shows every operation, tries them out here, and asks nobody else.
import { resolve } from 'node:path'
import { expect } from 'chai'
import type { Browser, Locator, Page } from 'playwright-core'
import { launchChromium } from '../support/servers/chromium.ts'
import { FETCH_TIMEOUT_MS } from '../support/servers/debian-packages.ts'
import { testEnvironment, type TestEnvironment } from '../support/service/environment.ts'

/** For a person to look at, after the run. */
const PICTURE = resolve('.signoff/docs.png')

describe('the page /docs', () => {
  let env: TestEnvironment
  let browser: Browser
  let page: Page
  let requested: string[]
  let complaints: string[]

  before(async function () {
    this.timeout(FETCH_TIMEOUT_MS)
    browser = await launchChromium()
    env = await testEnvironment()
  })
  after(async () => {
    await browser.close()
    await env.stop()
  })

  beforeEach(async () => {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width: 1280, height: 1000 },
    })
    page = await context.newPage()
    requested = []
    complaints = []
    page.on('request', (request) => requested.push(request.url()))
    page.on('pageerror', (error) => complaints.push(error.message))
    // Violations of the content security policy are among them.
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
  })
  afterEach(async () => {
    await page.context().close()
  })

  const open = async (path = '/docs') => {
    await page.goto(`${env.signoff.url}${path}`)
    await page.locator('.opblock').first().waitFor()
  }
  const operation = (id: string) => page.locator(`.opblock[id$="-${id}"]`)

  /** Sends the example of that operation, and resolves to where the answer is shown. */
  const tryOut = async (id: string): Promise<Locator> => {
    await operation(id).locator('.opblock-summary-control').click()
    await operation(id).getByRole('button', { name: 'Try it out' }).click()
    await operation(id).getByRole('button', { name: 'Execute' }).click()
    const answer = operation(id).locator('.live-responses-table .response')
    await answer.waitFor()
    return answer
  }

  it('shows each operation of the description', async () => {
    await open()

    const { json } = await env.signoff.call('/openapi.json', { method: 'GET' })
    const paths = Object.values((json as { paths: Record<string, Record<string, unknown>> }).paths)
    const shown = await page.locator('.opblock').count()
    expect(shown).to.equal(paths.flatMap((item) => Object.keys(item)).length)
    expect(complaints).to.deep.equal([])
  })

  it('is the same page with the trailing slash', async () => {
    await open('/docs/')

    expect(await page.locator('.info .title').textContent()).to.contain('Signoff')
    expect(complaints).to.deep.equal([])
  })

  it('asks nobody but this service, also while operations are tried', async () => {
    await open()
    for (const id of ['obtainTokenPair', 'readSigningKeys']) await tryOut(id)

    const fetched = requested.filter((url) => !url.startsWith('data:'))
    expect(fetched.filter((url) => new URL(url).origin !== env.signoff.url)).to.deep.equal([])
    expect(requested).to.include(`${env.signoff.url}/openapi.json`)
    expect(complaints).to.deep.equal([])
  })

  it('reaches the service with “Try it out”, and leaves a picture of that', async () => {
    await open()

    const answer = await tryOut('obtainTokenPair')

    // The credentials of the example are those of this suite's user.
    expect(await answer.locator('.response-col_status').textContent()).to.contain('200')
    expect(await answer.textContent()).to.contain('"refresh": "')
    expect(complaints).to.deep.equal([])
    await page.screenshot({ path: PICTURE, fullPage: true })
  })

  it('sends what was entered under “Authorize”', async () => {
    const { access } = await env.login()
    await open()
    await page.getByRole('button', { name: 'Authorize' }).first().click()
    await page.getByLabel('auth-bearer-value').fill(access)
    await page.locator('.modal-ux').getByRole('button', { name: 'Apply credentials' }).first().click()
    await page.locator('.modal-ux').getByRole('button', { name: 'Close' }).last().click()

    const answer = await tryOut('logoutBearer')

    expect(await answer.textContent()).to.contain('Logout successful.')
    expect(complaints).to.deep.equal([])
  })

  it('keeps the session cookie between what is tried', async () => {
    await open()
    await tryOut('beginBrowserSession')

    const answer = await tryOut('readBrowserSession')

    expect(await answer.textContent()).to.contain('"username": "alice"')
    expect(complaints).to.deep.equal([])
  })
})
