// The values that the examples of the description share. None of them opens anything.

export const CREDENTIALS = { username: 'alice', password: 'correct horse battery staple' }

export const USER = { id: '019aa6b0-3c5e-7d21-9f00-5d1c8e6a4b11', username: 'alice', role: 'user' }

export const SESSION_ID = '019aa6b4-91d7-7a83-8c6e-0f2b7d5e9a42'

/** In the form of tokens, without a signature that anybody made. */
export const ACCESS_TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIn0.c2FtcGxl'
export const REFRESH_TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2FtcGxl'

export const CSRF_TOKEN = '3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

export const ACCESS_TOKEN_SECONDS = 300
