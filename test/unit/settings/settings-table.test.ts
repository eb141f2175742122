// The table of settings in the manual for operators has the settings that there are, each with its default.
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { readConfig } from '../../../src/config.ts'

const textOf = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** In their order, as the schema has them. */
function settingsOfSchema(): string[] {
  const [, schema = ''] = /const settings = z\.object\(\{\n(.*?)\n\}\)/s.exec(textOf('src/config.ts')) ?? []
  return [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name = '']) => name)
}

interface Row {
  name: string
  defaultText: string
}

function rowsOfTable(): Row[] {
  const [, section = ''] = /\n## Settings\n(.*?)\n## /s.exec(textOf('docs/operating.md')) ?? []
  return [...section.matchAll(/^\| `([A-Z_]+)` \| (\S+) \|/gm)].map(([, name = '', defaultText = '']) => ({
    name,
    defaultText: defaultText.replaceAll('`', ''),
  }))
}

/** As the table writes it. */
function defaultOf(name: string): string {
  // By default it has the port in it.
  if (name === 'ISSUER') return 'https://localhost:PORT'
  const { [name]: value = '' } = readConfig({}) as Partial<Record<string, string | number | string[]>>
  return String(value) || 'none'
}

describe('the table of settings in docs/operating.md', () => {
  it('has the settings of the schema and no others', () => {
    const settings = settingsOfSchema()

    expect(settings).to.include.members(Object.keys(readConfig({})))
    expect(rowsOfTable().map(({ name }) => name)).to.have.members(settings)
  })

  it('has the default of each', () => {
    const rows = rowsOfTable()

    expect(rows).to.deep.equal(rows.map(({ name }) => ({ name, defaultText: defaultOf(name) })))
  })
})
