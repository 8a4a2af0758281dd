import { extent } from 'd3-array'
import { rounded } from './scale'

const QUARTER = 0.25

/** What an axis spans. Probabilities get whole quarters as long as that shows anything: an axis that moves with every
value would hide that the values move. */
export function domainOf(values: number[], probability: boolean): [number, number] {
  const [low, high] = extent(values) as [number, number]
  if (probability && high - low > 0.1) return [Math.floor(low / QUARTER) * QUARTER, Math.ceil(high / QUARTER) * QUARTER]
  const margin = (high - low || Math.abs(high) || 1) * 0.08
  return rounded(low - margin, high + margin)
}

/** An axis around zero. */
export function aroundZero(values: number[]): [number, number] {
  const low = Math.min(0, ...values)
  const high = Math.max(0, ...values)
  const margin = (high - low || 1) * 0.06
  return rounded(low < 0 ? low - margin : 0, high > 0 ? high + margin : 0)
}
