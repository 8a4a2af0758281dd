import type { Explained, Explanation } from '../api/wire'
import { digitsFor, plain, value as written } from './number'

/** What one player adds to a prediction. */
export type Part = { name: string; label: string; value: number; error: number | null }

/** base + sum of the parts = prediction. */
export type Reasons = { output: string; base: number; prediction: number; parts: Part[] }

export function reasonsOf(answer: Explained, output: string | null, instance = 0): Reasons | null {
  const explanation = answer.explanations[instance]!
  const index = output === null ? 0 : explanation.outputs.indexOf(output)
  if (index < 0) return null
  const names = answer.feature_names ?? []
  const values = explanation.shap_values as number[][]
  const errors = explanation.proof.stderr as number[][] | null
  return {
    output: explanation.outputs[index]!,
    base: explanation.base_values[index]!,
    prediction: explanation.prediction[index]!,
    parts: names.map((name, i) => ({
      name,
      label: labelOf(name, explanation, i),
      value: values[i]![index]!,
      error: errors?.[i]?.[index] ?? null,
    })),
  }
}

function labelOf(name: string, { data, imputed }: Explanation, i: number): string {
  if (!data) return name
  // What stands in is said by the form and by the table.
  return imputed.includes(name) ? `${name} missing` : `${name} = ${written(data[i]!)}`
}

export const REST = '\u0000rest'

/** Sorted by size or left as they are; what is too much for a chart becomes one row. */
export function arranged(reasons: Reasons, order: 'size' | 'form', most = 16): Part[] {
  const bySize = [...reasons.parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.name.localeCompare(b.name))
  if (bySize.length <= most) return order === 'size' ? bySize : reasons.parts
  const kept = bySize.slice(0, most - 1)
  const rest = bySize.slice(most - 1)
  const shown = order === 'size' ? kept : reasons.parts.filter((part) => kept.includes(part))
  const sum = rest.reduce((total, part) => total + part.value, 0)
  return [...shown, { name: REST, label: `${rest.length} others`, value: sum, error: null }]
}

/** The parts of `reasons` in the order of `like`, for the ghost behind a chart. */
export function inOrderOf(like: Part[], reasons: Reasons | null): Part[] | null {
  if (!reasons) return null
  const byName = new Map(reasons.parts.map((part) => [part.name, part]))
  const named = new Set(like.map((part) => part.name))
  const rest = reasons.parts.filter((part) => !named.has(part.name)).reduce((sum, part) => sum + part.value, 0)
  const parts = like.map((part) => (part.name === REST ? { ...part, value: rest } : byName.get(part.name)))
  return parts.every((part) => part !== undefined) ? (parts as Part[]) : null
}

/** A sentence or two, for those who do not see the chart. */
export function inWords(reasons: Reasons, most = 3): string {
  const largest = arranged(reasons, 'size').filter((part) => part.name !== REST).slice(0, most)
  const digits = digitsFor(Math.abs(largest[0]?.value ?? 0))
  const said = largest.map((part) => `${part.label} ${part.value >= 0 ? 'adds' : 'takes away'} ${plain(Math.abs(part.value), digits)}`)
  return `${reasons.output} is ${plain(reasons.prediction, digits)}, from ${plain(reasons.base, digits)} on average. ${said.join(', ')}.`
}
