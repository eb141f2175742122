// Runs nginx on nginx.conf as it stands, but for the addresses that the environment names; Ctrl-C stops it.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const {
  PORT = '8080',
  APP = '127.0.0.1:3000',
  SIGNOFF_URL = 'https://localhost:8443',
  SSL_CERT_FILE = '.signoff/tls/cert.pem',
} = process.env

const config = readFileSync(join(import.meta.dirname, 'nginx.conf'), 'utf8')
  .replace('127.0.0.1:8080', `127.0.0.1:${PORT}`)
  .replace('127.0.0.1:3000', APP)
  .replace('127.0.0.1:8443', new URL(SIGNOFF_URL).host.replace('localhost', '127.0.0.1'))
  .replace('../../.signoff/tls/cert.pem', resolve(SSL_CERT_FILE))

const home = mkdtempSync(join(tmpdir(), 'signoff-nginx-'))
// Started by root, nginx works as another user.
chmodSync(home, 0o711)
writeFileSync(join(home, 'nginx.conf'), config)

const nginx = spawn('nginx', ['-e', 'stderr', '-p', home, '-c', 'nginx.conf'], { stdio: 'inherit' })
nginx.on('error', () => console.error('nginx is not on the PATH: apt install nginx-light'))
nginx.on('close', (status) => {
  rmSync(home, { recursive: true, force: true })
  process.exitCode = status ?? 1
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => nginx.kill('SIGTERM'))
