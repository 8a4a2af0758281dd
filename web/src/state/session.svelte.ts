import { api } from '../api/client'
import { Problem } from '../api/problem'
import type { ModelDetail, ModelSummary, Samples } from '../api/wire'
import { decode, type Shared } from '../share/fragment'
import { Drawing } from './drawing.svelte'
import { failed } from './failed'
import { Later } from './later'
import { Overview } from './overview.svelte'
import { Tabular } from './tabular.svelte'
import type { View } from './views'

const POLL = 1_500

/** Which model is asked, and in which view. */
class Session {
  models = $state.raw<ModelSummary[]>([])
  /** Whether the service was asked which models it has. */
  listed = $state(false)
  name = $state<string | null>(null)
  model = $state.raw<ModelDetail | null>(null)
  samples = $state.raw<Samples | null>(null)
  view = $state<View>('What if')
  tabular = $state.raw<Tabular | null>(null)
  drawing = $state.raw<Drawing | null>(null)
  overview = $state.raw<Overview | null>(null)
  /** What a shared address said that nobody understands, or why nothing can be asked. */
  message = $state<string | null>(null)
  problem = $state.raw<Problem | null>(null)
  #picked = false
  readonly #later = new Later()

  start = async (): Promise<void> => {
    await this.#list()
    await this.restore()
  }

  /** What the address says, or a model to begin with. */
  restore = async (): Promise<void> => {
    const shared = decode(location.hash)
    this.message = shared.message
    const known = this.models.find((model) => model.name === shared.model)
    if (shared.model !== null && !known && this.models.length) this.message = 'The link names a model that is not here.'
    const name = (known ?? first(this.models))?.name
    if (name) await this.choose(name, shared)
  }

  /** By hand: this one is waited for. */
  pick(name: string): void {
    this.#picked = true
    void this.choose(name)
  }

  choose = async (name: string, shared: Shared | null = null): Promise<void> => {
    this.name = name
    this.problem = null
    this.#later.cancel()
    if (this.models.find((model) => model.name === name)?.state !== 'ready') {
      this.#forget()
      return
    }
    try {
      const [model, samples] = await Promise.all([api.model(name), samplesOf(name)])
      if (this.name !== name) return
      this.#open(model, samples, shared)
    } catch (error) {
      if (this.name !== name) return
      // One model's name over the form of another would mix them up.
      if (this.model?.name !== name) this.#forget()
      this.#failed(error, () => void (this.name === name && this.choose(name, shared)))
    }
  }

  #forget(): void {
    this.tabular?.stop()
    this.drawing?.stop()
    this.overview?.stop()
    this.model = this.samples = this.tabular = this.drawing = this.overview = null
  }

  #open(model: ModelDetail, samples: Samples | null, shared: Shared | null): void {
    this.#forget()
    this.problem = null
    this.samples = samples
    this.model = model
    this.overview = new Overview(model, samples)
    if (shared) this.view = shared.view ?? 'What if'
    if (model.image) {
      this.drawing = new Drawing(model, model.image, samples)
      void this.drawing.start(shared)
    } else {
      this.tabular = new Tabular(model)
      const unknown = shared ? restoreRow(this.tabular, shared) : []
      if (unknown.length) this.message = `${shared?.message ? `${shared.message} ` : ''}The link says something about ${unknown.join(', ')} that this model does not know; the rest is as shared.`
      if (shared?.row) this.tabular.ask()
      else this.tabular.start(samples)
    }
  }

  async #list(): Promise<void> {
    try {
      this.models = await api.models()
      this.listed = true
    } catch (error) {
      this.#failed(error, () => void this.start())
      return
    }
    if (this.models.some((model) => model.state === 'loading')) setTimeout(this.#again, POLL)
  }

  /** A model that was loading may be ready now. */
  #again = async (): Promise<void> => {
    await this.#list()
    if (this.model) return
    if (!this.#picked) await this.restore()
    else if (this.models.find((model) => model.name === this.name)?.state === 'ready') await this.choose(this.name!)
  }

  #failed(error: unknown, again: () => void): void {
    this.problem = failed(error, this.#later, again) ?? this.problem
  }
}

/** Ready if possible, and with a form if possible: that is the quickest to play with. */
function first(models: ModelSummary[]): ModelSummary | undefined {
  const ready = models.filter((model) => model.state === 'ready')
  return ready.find((model) => model.kind === 'tabular') ?? ready[0] ?? models.find((model) => model.state === 'loading') ?? models[0]
}

async function samplesOf(name: string): Promise<Samples | null> {
  try {
    return await api.samples(name)
  } catch (error) {
    // What may be had later, or with a key, is waited for.
    if (error instanceof Problem && error.retryAfter === null && error.status !== 401) return null
    throw error
  }
}

/** The names of what was not understood. */
function restoreRow(tabular: Tabular, shared: Shared): string[] {
  const unknown = tabular.options.restore(shared.options, tabular.model)
  if (shared.plot) tabular.plot = shared.plot
  if (shared.output && tabular.model.outputs.names.includes(shared.output)) tabular.output = shared.output
  if (shared.compared) {
    const known = shared.compared.filter((name) => tabular.model.methods.some((method) => method.name === name))
    if (known.length) tabular.compared = known
  }
  if (!shared.row) return unknown
  const fields = new Set(tabular.model.fields.map((field) => field.name))
  for (const [name, value] of Object.entries(shared.row)) {
    if (fields.has(name)) tabular.row[name] = value
    else unknown.push(name)
  }
  return unknown
}

export const session = new Session()
