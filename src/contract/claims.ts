// The header types and claims of the tokens, as peers see them.

/** Seconds since 1970-01-01T00:00:00Z (NumericDate, RFC 7519 section 2). */
export type EpochSeconds = number

/** `typ` of an access token (RFC 9068 section 2.1). */
export const ACCESS_TYP = 'at+jwt'
/** `typ` of a refresh token; ours alone, since nobody else ever reads one. */
export const REFRESH_TYP = 'rt+jwt'

/** No access token lives longer, whatever is set. */
export const MAX_ACCESS_TOKEN_SECONDS = 86_400
/** No session lives longer, and none of its refresh tokens. */
export const MAX_SESSION_SECONDS = 31_536_000

/** An operator has access tokens say these of a user besides: none of the names below is among them. */
export type OwnClaims = Readonly<Record<string, unknown>>

interface CommonClaims {
  iss: string
  aud: string
  /** The user's id. */
  sub: string
  /** Of this token alone. A text: a UUID, or 64 characters of base64url where access tokens are signed with a shared secret. */
  jti: string
  /** The session's id: the one thing every token of a login has in common. */
  sid: string
  iat: EpochSeconds
  exp: EpochSeconds
  /** The user's role (RFC 8693 section 4.2 calls the claim `scope`). */
  scope: string
}

/** Claims of an access token (RFC 9068 section 2.2), with the names SimpleJWT peers look for; own ones stand beside them. */
export interface AccessClaims extends CommonClaims {
  token_type: 'access'
  client_id: string
  /** The same as `sub`, for SimpleJWT peers. */
  user_id: string
}

/** Claims of a refresh token. */
export interface RefreshClaims extends CommonClaims {
  token_type: 'refresh'
  /** The generation of a session that rotates; absent where refresh tokens are used again and again. */
  gen?: number | undefined
  /** The cookie that holds it outlives the browser, as those of its successors will. */
  persistent?: true | undefined
  /** The claims for the access tokens that come of it, where no row is read for that; absent where there are none. */
  claims?: OwnClaims | undefined
}
