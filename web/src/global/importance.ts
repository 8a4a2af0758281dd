import type { Nested, Summary } from '../api/wire'

/** How much a player matters: the mean of |Shapley value|, per output. */
export type Importance = { name: string; parts: { output: string; value: number }[]; total: number }

/** For one output, or for all stacked; the largest first. */
export function importances(answer: Summary, output: string | null): Importance[] {
  const names = answer.feature_names ?? []
  const means = answer.mean_abs_shap_values as number[][]
  const shown = answer.outputs.flatMap((name, index) => (output === null || name === output ? [{ name, index }] : []))
  return names
    .map((name, i) => {
      const parts = shown.map((each) => ({ output: each.name, value: means[i]![each.index]! }))
      return { name, parts, total: parts.reduce((sum, part) => sum + part.value, 0) }
    })
    .sort((a, b) => b.total - a.total || a.name.localeCompare(b.name))
}

/** A dot of the beeswarm. */
export type Dot = { instance: number; value: number; stood: number | string | null }

export function dotsOf(answer: Summary, name: string, output: string): Dot[] {
  const feature = (answer.feature_names ?? []).indexOf(name)
  return answer.explanations.flatMap((explanation, instance) => {
    const index = explanation.outputs.indexOf(output)
    if (index < 0) return []
    const values = explanation.shap_values as Nested[][]
    return [{ instance, value: values[feature]![index] as number, stood: explanation.data?.[feature] ?? null }]
  })
}
