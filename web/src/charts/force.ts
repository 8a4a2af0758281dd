import type { Part } from './reasons'

export type Segment = { part: Part; from: number; to: number }

/** What pushes up ends at the prediction from the left, what pushes down from the right; the largest stand next to it. */
export function segments(prediction: number, parts: Part[]): Segment[] {
  const bySize = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  let low = prediction
  let high = prediction
  return bySize.map((part) =>
    part.value >= 0
      ? { part, to: low, from: (low -= part.value) }
      : { part, to: high, from: (high -= part.value) },
  )
}
