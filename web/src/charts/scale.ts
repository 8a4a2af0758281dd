import { nice, ticks } from 'd3-array'

type Pair = readonly [number, number]

/** From values to pixels. */
export type Scale = { (value: number): number; domain: Pair; range: Pair; ticks: (about: number) => number[] }

export function linear(domain: Pair, range: Pair): Scale {
  const [low, high] = domain
  const [left, right] = range
  const factor = (right - left) / (high - low || 1)
  const place = (value: number) => left + (value - low) * factor
  return Object.assign(place, { domain, range, ticks: (about: number) => ticks(low, high, about) })
}

/** Widened to round numbers. */
export function rounded(low: number, high: number): [number, number] {
  return nice(low, high, 6) as [number, number]
}
