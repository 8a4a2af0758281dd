import type { Field } from '../api/wire'

/** What a slider spans: what was observed, widened to the value, within the hard limits; and its step. */
export type Range = { min: number; max: number; step: number }

export function rangeOf(field: Field, value: number | null): Range {
  const low = field.observed?.[0] ?? field.minimum ?? 0
  const high = field.observed?.[1] ?? field.maximum ?? 1
  const step = field.type === 'integer' ? 1 : niceStep((high - low) / 100)
  const wide = value === null ? [low, high] : [Math.min(low, value), Math.max(high, value)]
  return {
    min: Math.max(Math.floor(wide[0]! / step) * step, field.minimum ?? -Infinity),
    max: Math.min(Math.ceil(wide[1]! / step) * step, field.maximum ?? Infinity),
    step,
  }
}

/** The nearest of 1, 2 and 5 times a power of ten. */
export function niceStep(about: number): number {
  if (!(about > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(about))
  const digit = about / power
  const nice = digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10
  return Number((nice * power).toPrecision(1))
}

const FEW = 5

/** The few whole numbers that a field allows, or null. */
export function fewChoices(field: Field): number[] | null {
  const { minimum, maximum } = field
  if (field.type !== 'integer' || minimum === null || maximum === null || maximum - minimum >= FEW) return null
  return Array.from({ length: maximum - minimum + 1 }, (_, i) => minimum + i)
}
