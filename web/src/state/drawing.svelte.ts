import { api, type Took } from '../api/client'
import type { Problem } from '../api/problem'
import type { Asked, Explained, ModelDetail, Picture, Predicted, Samples } from '../api/wire'
import { base64, blank, fitted, read, type Pixels, type Size } from '../image/pixels'
import type { Shared } from '../share/fragment'
import { drawn } from './clock'
import { failed } from './failed'
import { Later } from './later'
import { Latest } from './latest'
import { Options } from './options.svelte'
import type { Progress } from './tabular.svelte'

const REMEMBERED = 50

/** A picture of the model's size, and what the server said about it. */
export class Drawing {
  readonly model: ModelDetail
  readonly size: Size
  readonly samples: Samples | null
  readonly options = new Options()
  pixels = $state.raw<Pixels>({ width: 1, height: 1, rgba: new Uint8ClampedArray(4) })
  past = $state.raw<Pixels[]>([])
  /** The class that is explained; null: the likeliest. */
  picked = $state<string | null>(null)
  everyClass = $state(false)

  predicted = $state.raw<Predicted | null>(null)
  answer = $state.raw<Explained | null>(null)
  took = $state.raw<Took | null>(null)
  /** What was predicted before the present stroke began. */
  ghost = $state.raw<Predicted | null>(null)
  problem = $state.raw<Problem | null>(null)
  unreadable = $state<string | null>(null)
  progress = $state<Progress>('busy')

  readonly #latest = new Latest(1_500)
  readonly #later = new Later()
  #input: number | null = null

  constructor(model: ModelDetail, size: Size, samples: Samples | null) {
    this.model = model
    this.size = size
    this.samples = samples
    this.pixels = blank(size)
  }

  get likeliest(): string | null {
    const row = this.predicted?.predictions[0]
    return row ? this.predicted!.output_names[row.indexOf(Math.max(...row))]! : null
  }

  /** The class of the overlay. */
  get shown(): string | null {
    return this.picked ?? this.likeliest
  }

  async start(shared: Shared | null): Promise<void> {
    const unknown = shared ? this.options.restore(shared.options, this.model) : []
    if (shared?.output && this.model.outputs.names.includes(shared.output)) this.picked = shared.output
    if (unknown.length) this.unreadable = `The link says something about ${unknown.join(', ')} that this model does not know.`
    const b64 = shared?.image ?? (this.samples?.instances.at(-1) as Picture | undefined)?.b64
    if (b64) {
      try {
        this.pixels = await read(b64, this.size)
      } catch {
        this.unreadable = 'The picture of the link cannot be read.'
      }
    }
    this.ask()
  }

  /** Before a stroke: what is predicted becomes the ghost, and can be taken back. */
  begin(): void {
    this.ghost = this.predicted
    this.past = [...this.past.slice(1 - REMEMBERED), this.pixels]
  }

  stroke(pixels: Pixels, at: number): void {
    this.pixels = pixels
    this.#input = at
    this.ask()
  }

  replace(pixels: Pixels): void {
    this.begin()
    this.picked = null
    this.unreadable = null
    this.stroke(pixels, performance.now())
  }

  undo(): void {
    const before = this.past.at(-1)
    if (!before) return
    this.past = this.past.slice(0, -1)
    this.ghost = this.predicted
    this.stroke(before, performance.now())
  }

  clear(): void {
    this.replace(blank(this.size))
  }

  async open(picture: Picture): Promise<void> {
    this.replace(await read(picture.b64, this.size))
  }

  /** Any file that the browser can decode. */
  async drop(file: Blob): Promise<void> {
    try {
      this.replace(fitted(await createImageBitmap(file), this.size))
    } catch {
      this.unreadable = 'The browser cannot read this file as a picture.'
    }
  }

  pick(name: string): void {
    this.picked = name === this.likeliest ? null : name
    if (!this.answer?.explanations[0]!.outputs.includes(name)) this.ask()
  }

  get asked(): Asked {
    const outputs = this.everyClass || this.picked !== null ? 'all' : 'predicted'
    return { model: this.model.name, instances: [{ b64: base64(this.pixels) }], outputs, ...this.options.sent }
  }

  ask = (): void => {
    if (this.#later.stopped) return
    this.#later.cancel()
    this.progress = 'busy'
    this.#latest.ask((signal) => this.#answer(signal))
  }

  changed(): void {
    this.ask()
  }

  async #answer(signal: AbortSignal): Promise<void> {
    const input = this.#input
    const asked = this.asked
    try {
      this.predicted = (await api.predict(asked, signal)).body
      if (input !== null) void drawn('what-if', input)
      if (this.#input === input) this.#input = null
      if (this.#latest.overtaken) return
      const { body, took } = await api.explain(asked, signal)
      this.answer = body
      this.took = took
      this.problem = null
      this.#later.cancel()
      if (!this.#latest.overtaken) this.progress = 'ready'
    } catch (error) {
      if (signal.aborted) return
      this.progress = 'stale'
      this.problem = failed(error, this.#later, this.ask) ?? this.problem
    }
  }

  stop(): void {
    this.#later.stop()
    this.#latest.drop()
  }
}
