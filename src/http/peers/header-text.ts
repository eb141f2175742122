// Text from anywhere as the value of a header, where it can neither break out nor be altered on its way.

/**
 * Anything but visible ASCII is percent-encoded, as UTF-8, the percent sign and a space at an end included: so two
 * texts are never the same value.
 */
export function headerText(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(
      /[^ -$&-~]|^ | $/g,
      (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
}
