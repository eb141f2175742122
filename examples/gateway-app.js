// Stands in for the app behind nginx or Caddy: says who the gateway says the user is.
import { createServer } from 'node:http'

const port = Number(process.env.APP_PORT ?? 3000)

createServer((request, response) => {
  const { 'x-auth-user': user, 'x-auth-session': session, 'x-auth-role': role } = request.headers
  response.setHeader('Content-Type', 'application/json')
  response.end(`${JSON.stringify({ user, session, role })}\n`)
}).listen(port, '127.0.0.1')
