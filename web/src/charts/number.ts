/** Numbers as people read them; the minus is a minus. */

const MINUS = '−'

/** More digits than these after the point are not counted by anybody: powers of ten are. */
const READABLE = 8
const MOST = 60

/** Enough digits after the point to tell apart values of the size of `scale`. */
export function digitsFor(scale: number): number {
  if (!(scale > 0)) return 3
  return Math.max(0, Math.min(MOST, 2 - Math.floor(Math.log10(scale))))
}

export function plain(value: number, digits: number): string {
  if (digits > READABLE) return scientific(value, digits)
  const text = grouped(Math.abs(value).toFixed(digits))
  return value < 0 && !isZero(value, digits) ? MINUS + text : text
}

const isZero = (value: number, digits: number) => Number(value.toFixed(digits)) === 0

/** Short, for the columns of charts: 1.23e−9. Numbers of everyday size stay as they are. */
function scientific(value: number, digits: number): string {
  if (isZero(value, digits)) return '0'
  const size = Math.abs(value)
  if (size >= 1e-4) return plain(value, READABLE)
  const [mantissa, exponent] = size.toExponential(Math.min(3, Math.max(0, digits + Math.floor(Math.log10(size))))).split('e-') as [string, string]
  return `${value < 0 ? MINUS : ''}${mantissa}e${MINUS}${exponent}`
}

/** Thousands stand apart from five digits on. */
function grouped(text: string): string {
  const [whole, rest] = text.split('.') as [string, string?]
  const apart = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') : whole
  return rest === undefined ? apart : `${apart}.${rest}`
}

/** With its sign, which is the message. */
export function signed(value: number, digits: number): string {
  const text = plain(value, digits)
  return value > 0 && !isZero(value, digits) ? `+${text}` : text
}

export function percent(probability: number): string {
  const hundred = probability * 100
  // What is not certain is not called certain.
  if (hundred > 99.9 && hundred < 100) return '> 99.9 %'
  if (hundred < 0.1 && hundred > 0) return '< 0.1 %'
  return `${hundred.toFixed(1)} %`
}

/** A value of a field: whole numbers in full, others as far as single precision goes. */
export function value(of: number | string | null): string {
  if (of === null) return 'missing'
  if (typeof of === 'string') return of
  return String(Number.isInteger(of) ? of : Number(of.toPrecision(7))).replaceAll('-', MINUS)
}

/** Very small and very large numbers, for residuals. */
export function tiny(of: number): string {
  if (of === 0) return '0'
  const size = Math.abs(of)
  if (size >= 0.001 && size < 10_000) return String(Number(of.toPrecision(3))).replace('-', MINUS)
  const [mantissa, exponent] = of.toExponential(1).split('e') as [string, string]
  const digits = [...String(Number(exponent))].map((sign) => (sign === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(sign)]!)).join('')
  return `${mantissa.replace('-', MINUS)} × 10${digits}`
}

export function count(of: number): string {
  return grouped(String(Math.round(of)))
}

export function milliseconds(of: number): string {
  return of < 10 ? `${of.toFixed(1)} ms` : of < 1_000 ? `${Math.round(of)} ms` : `${(of / 1_000).toFixed(1)} s`
}
