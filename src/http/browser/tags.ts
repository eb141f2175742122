// The group of the description in which the browser dialect stands.

export const TAGS = ['Browser session']
