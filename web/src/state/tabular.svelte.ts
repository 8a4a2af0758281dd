import { SvelteMap } from 'svelte/reactivity'
import { api, type Took } from '../api/client'
import type { Problem } from '../api/problem'
import type { Asked, Compared, Explained, ModelDetail, Row, Samples, Value } from '../api/wire'
import { drawn } from './clock'
import { failed } from './failed'
import { Later } from './later'
import { Latest } from './latest'
import { Options } from './options.svelte'
import type { Plot } from './plots'

export type Progress = 'busy' | 'ready' | 'stale'

/** Edits of one field that follow each other within this time (ms) are one edit: the ghost stays. */
const PAUSE = 1_500

/** A record in a form, and what the server said about it. */
export class Tabular {
  readonly model: ModelDetail
  readonly options = new Options()
  row = $state<Row>({})
  plot = $state<Plot>('Waterfall')
  output = $state<string | null>(null)
  compared = $state<string[]>([])
  order = $state<'size' | 'form'>('size')

  answer = $state.raw<Explained | null>(null)
  comparison = $state.raw<Compared | null>(null)
  took = $state.raw<Took | null>(null)
  /** What was drawn before the present edit began. */
  ghost = $state.raw<Explained | null>(null)
  problem = $state.raw<Problem | null>(null)
  /** What cannot even be sent: a field without a number. */
  readonly unreadable = new SvelteMap<string, string>()
  progress = $state<Progress>('busy')

  readonly #latest = new Latest()
  readonly #later = new Later()
  #edited: string | null = null
  #editedAt = 0
  #input: number | null = null

  constructor(model: ModelDetail) {
    this.model = model
    this.row = Object.fromEntries(model.fields.map((field) => [field.name, first(field)]))
    this.output = model.outputs.names.length === 2 ? model.outputs.names[1]! : null
    const usable = model.methods.filter((method) => method.available && method.players.includes('fields'))
    this.compared = usable.slice(0, 3).map((method) => method.name)
  }

  get probability(): boolean {
    return this.model.outputs.class_names !== null
  }

  /** A field gets a value; `at` is the time stamp of the input event. */
  edit(name: string, value: Value, at: number): void {
    this.begin(name)
    this.row[name] = value
    this.unreadable.delete(name)
    this.#input = at
    this.ask()
  }

  /** What stands in the field is no number. */
  refuse(name: string, why: string): void {
    this.unreadable.set(name, why)
    this.progress = 'stale'
  }

  /** A whole record: a sample, or a point of another chart. */
  open(row: Row): void {
    this.begin(null)
    const { fields } = this.model
    this.row = Object.fromEntries(fields.map((field) => [field.name, Object.hasOwn(row, field.name) ? row[field.name]! : null]))
    this.unreadable.clear()
    this.ask()
  }

  /** An option has changed. */
  changed(): void {
    this.begin(null)
    this.ask()
  }

  /** What is drawn becomes the ghost, unless this goes on with the same edit. */
  begin(name: string | null, anew = false): void {
    const now = performance.now()
    const goesOn = !anew && name !== null && name === this.#edited && now - this.#editedAt < PAUSE
    if (!goesOn && this.answer) this.ghost = this.answer
    this.#edited = name
    this.#editedAt = now
  }

  get asked(): Asked {
    const { outputs } = this.options
    const question: Asked = {
      model: this.model.name,
      instances: [{ ...this.row }],
      outputs: outputs === 'all' || outputs === 'predicted' ? outputs : [outputs],
      ...this.options.sent,
    }
    if (this.plot === 'Interactions' && (question.method ?? 'auto') in { auto: 0, exact: 0 }) question.interactions = true
    return question
  }

  get askedToCompare(): Asked {
    const { method: _method, interactions: _interactions, ...rest } = this.asked
    return { ...rest, methods: [...this.compared] }
  }

  ask = (): void => {
    this.#later.cancel()
    if (this.#later.stopped || this.unreadable.size) return
    this.progress = 'busy'
    this.#latest.ask((signal) => this.#answer(signal))
  }

  async #answer(signal: AbortSignal): Promise<void> {
    const input = this.#input
    try {
      const { body, took } = await api.explain(this.asked, signal)
      this.answer = body
      this.took = took
      this.problem = null
      this.#later.cancel()
      this.#settleOutput(body)
      if (input !== null) void drawn('what-if', input)
      if (this.#input === input) this.#input = null
      if (this.plot === 'Compare' && this.compared.length > 1 && !this.#latest.overtaken) {
        this.comparison = (await api.compare(this.askedToCompare, signal)).body
      }
      if (!this.#latest.overtaken && !this.unreadable.size) this.progress = 'ready'
    } catch (error) {
      if (signal.aborted) return
      this.progress = 'stale'
      this.problem = failed(error, this.#later, this.ask) ?? this.problem
    }
  }

  /** The likeliest output of the first answer, until another is chosen: it does not change under one's hands. */
  #settleOutput(answer: Explained): void {
    const { outputs, prediction } = answer.explanations[0]!
    if (this.output !== null && outputs.includes(this.output)) return
    this.output = outputs[prediction.indexOf(Math.max(...prediction))]!
  }

  start(samples: Samples | null): void {
    const sample = samples?.examples[0]?.instance ?? samples?.instances[0]
    if (sample && !('b64' in sample)) this.row = { ...this.row, ...(sample as Row) }
    this.ask()
  }

  stop(): void {
    this.#later.stop()
    this.#latest.drop()
  }
}

/** Something plausible to begin with. */
function first(field: ModelDetail['fields'][number]): Value {
  if (field.categories) return (field.missing as string | null) ?? field.categories[0] ?? null
  const [low, high] = field.observed ?? [field.minimum ?? 0, field.maximum ?? 1]
  const middle = typeof field.missing === 'number' ? field.missing : (low + high) / 2
  return field.type === 'integer' ? Math.round(middle) : Number(middle.toPrecision(3))
}
