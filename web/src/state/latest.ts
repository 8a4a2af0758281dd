/** Runs at most one question at a time and keeps the newest of those that came meanwhile.

So a fast drag is drawn as fast as the server answers. A running question that takes longer than `patience` milliseconds
is given up as soon as a newer one comes. */
export class Latest {
  #running: { control: AbortController; since: number } | null = null
  #pending: ((signal: AbortSignal) => Promise<void>) | null = null
  readonly #patience: number

  constructor(patience = 400) {
    this.#patience = patience
  }

  /** Whether a newer question waits: what follows the present one may be left out. */
  get overtaken(): boolean {
    return this.#pending !== null
  }

  ask(question: (signal: AbortSignal) => Promise<void>): void {
    if (this.#running === null) {
      void this.#run(question)
      return
    }
    this.#pending = question
    const { control, since } = this.#running
    const left = this.#patience - (performance.now() - since)
    if (left <= 0) control.abort()
    else setTimeout(() => this.#running?.control === control && this.#pending && control.abort(), left)
  }

  drop(): void {
    this.#pending = null
    this.#running?.control.abort()
  }

  async #run(question: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const control = new AbortController()
    this.#running = { control, since: performance.now() }
    try {
      await question(control.signal)
    } finally {
      this.#running = null
      const next = this.#pending
      this.#pending = null
      if (next) void this.#run(next)
    }
  }
}
