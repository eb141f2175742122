// signoff/peer/testing: a service that a peer's own tests have in hand.
export { fakeSignoff, type FakeSignoff, type MintedToken, type MintOptions } from './fake-signoff.ts'
