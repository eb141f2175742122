// The request bodies of the load, as JSON texts.
import { PASSWORD } from '../support/service/environment.ts'

export function loginBodies(usernames: readonly string[], password = PASSWORD): string[] {
  return usernames.map((username) => JSON.stringify({ username, password }))
}

export function refreshBodies(tokens: readonly string[]): string[] {
  return tokens.map((refresh) => JSON.stringify({ refresh }))
}

export function rotateBodies(tokens: readonly string[]): string[] {
  return tokens.map((token) => JSON.stringify({ refresh_token: token }))
}

export function logoutBodies(tokens: readonly string[]): string[] {
  return tokens.map((token) => JSON.stringify({ refresh_token: token }))
}
