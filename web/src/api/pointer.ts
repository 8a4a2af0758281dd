const LONGEST = 64

/** A JSON pointer as the service writes it (RFC 6901): keys cut to 64 printable characters. */
export function pointer(...path: (string | number)[]): string {
  return path.map((part) => `/${printable(String(part)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function printable(key: string): string {
  return [...key].slice(0, LONGEST).map((each) => (each !== ' ' && /[\p{C}\p{Z}]/u.test(each) ? '?' : each)).join('')
}
