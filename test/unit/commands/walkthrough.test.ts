// The lines to paste: run by a shell, with a curl that shows what it was given.
import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import { walkthrough } from '../../../src/commands/walkthrough.ts'

const URL = 'https://localhost:8443'
/** Prints its arguments, a line each in brackets, to where the shell does not catch them. */
const FAKE_CURL = `curl() { printf '[%s]\\n' "$@" >&3; printf '{"refresh":"r.e.f","access":"a.c.c"} 200\\n'; }`

describe('walkthrough', () => {
  const awkward = [
    '/home/alice/signoff/demo-password',
    '/home/alice smith/demo password',
    "/home/o'brien/it's/demo-password",
    '/home/"x"/$HOME/`id`/\\n/*;& #!~/demo-password',
  ]

  for (const path of awkward) {
    it(`prints lines that a shell takes as they are meant, for ${path}`, () => {
      const text = walkthrough({
        url: URL,
        certFile: `${path}.pem`,
        demo: { username: 'demo', passwordFile: path },
      })

      const calls = runInShell(text)

      expect(calls.map((call) => call.at(-1))).to.deep.equal(
        ['login', 'token/refresh', 'logout', 'token/refresh', 'logout'].map((end) => `${URL}/auth/${end}/`),
      )
      for (const call of calls) expect(call).to.include.members(['--cacert', `${path}.pem`])
      expect(calls[0]).to.include.members(['username=demo', '--data-urlencode', `password@${path}`])
      expect(calls.slice(1).map((call) => call.find((word) => word.startsWith('refresh')))).to.deep.equal([
        'refresh=r.e.f',
        'refresh_token=r.e.f',
        'refresh=r.e.f',
        'refresh_token=r.e.f',
      ])
    })
  }

  it('names no certificate for plain HTTP', () => {
    const text = walkthrough({
      url: 'http://localhost:8080',
      certFile: null,
      demo: { username: 'demo', passwordFile: '/p' },
    })

    expect(text).to.include('http://localhost:8080/auth/login/')
    expect(text).not.to.include('--cacert')
  })

  it('says only where it is up when there is no demo user', () => {
    const text = walkthrough({ url: URL, certFile: '/cert', demo: null })

    expect(text).to.equal(`\nSignoff is up at ${URL} (Ctrl-C stops it)\n`)
  })
})

/** What curl was given by the lines of the walkthrough, call by call. */
function runInShell(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('  '))
  const script = [FAKE_CURL, ...lines.map((line) => `${line}\nprintf 'END\\n' >&3`)].join('\n')
  const output = execFileSync('sh', ['-c', `{\n${script}\n} 3>&1 >/dev/null`], { encoding: 'utf8' })
  return output
    .split('END\n')
    .map((call) => [...call.matchAll(/^\[(.*)\]$/gm)].map(([, word]) => word ?? ''))
    .filter((words) => words.length > 0)
}
