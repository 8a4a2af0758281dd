import type { Part } from './reasons'

export type Step = { part: Part; from: number; to: number }

/** Each part starts where the one above it ended; the last ends at the prediction. */
export function steps(base: number, parts: Part[]): Step[] {
  let at = base
  return parts.map((part) => ({ part, from: at, to: (at += part.value) }))
}
