/** The wire, as schemas/ on the server states it. */

export type Nested = number | Nested[]
export type Value = number | string | null
export type Row = Record<string, Value>
export type Picture = { b64: string }
export type Instance = Row | Picture

export type ModelState = 'loading' | 'ready' | 'refused'
export type ModelSummary = {
  name: string
  state: ModelState
  version: string | null
  kind: string | null
  description: string
  reason: string | null
  checked: boolean
}

export type Field = {
  name: string
  type: string
  description: string
  unit: string | null
  categories: string[] | null
  minimum: number | null
  maximum: number | null
  observed: [number, number] | null
  required: boolean
  missing: Value
}

export type Audit = {
  players: string
  instances: number
  truth: string
  mean_value: number
  mean_error: number
  worst_error: number
  sign_errors: number
  top_errors: number
  largest_residual: number
  evaluations: number
  milliseconds: number
}

export type Method = { name: string; players: string[]; available: boolean; reason: string | null; audit: Audit | null }

export type ModelDetail = {
  name: string
  version: string
  kind: string
  description: string
  fields: Field[]
  ignored_fields: string[]
  columns: string[]
  image: { height: number; width: number; channels: number } | null
  outputs: { names: string[]; class_names: string[] | null; probabilities: boolean; default: string }
  players: string[]
  methods: Method[]
  max_evaluations: number
  background: Record<string, unknown>
  backgrounds: string[]
  training: Record<string, unknown>
  metrics: Record<string, number>
}

export type Samples = {
  model: { name: string; version: string }
  examples: { name: string; instance: Row }[]
  instances: Instance[]
  weights: number[]
  labels: string[] | null
}

export type Predicted = {
  model: { name: string; version: string }
  output_names: string[]
  predictions: number[][]
  labels: string[] | null
  warnings: string[]
}

export type Proof = {
  exact: boolean
  residual: number[]
  tolerance: number
  ok: boolean
  stderr: Nested | null
  converged: boolean | null
  stopped_by: string | null
  evaluations: number
  seed: number | null
}

export type Explanation = {
  outputs: string[]
  prediction: number[]
  base_values: number[]
  shap_values: Nested
  shap_interaction_values: Nested | null
  data: (number | string)[] | null
  imputed: string[]
  proof: Proof
}

export type Explained = {
  model: { name: string; version: string }
  method: string
  why: string
  players: 'fields' | 'columns' | 'pixels' | 'patches'
  background: { name: string; rows: number }
  feature_names: string[] | null
  output_names: string[]
  explanations: Explanation[]
  warnings: string[]
}

export type Summary = Explained & { mean_abs_shap_values: Nested; outputs: string[] }

export type Difference = {
  a: string
  b: string
  mean: number
  max: number
  sign_flips: number
  rank_correlation: number | null
}

export type Compared = { explanations: Record<string, Explained>; differences: Difference[] }

export type Flaw = { pointer: string; detail: string }

/** What a client may ask beside the instances; null or absent: the default. */
export type Asked = {
  model: string
  instances?: Instance[]
  method?: string
  methods?: string[]
  outputs?: string | string[]
  players?: string
  patches?: number
  background?: string
  seed?: number
  max_evaluations?: number
  max_stderr?: number
  interactions?: boolean
}
