/** A question put off; at most one, and none once it was stopped. */
export class Later {
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopped = false

  get stopped(): boolean {
    return this.#stopped
  }

  /** In so many seconds, instead of what was put off before. */
  put(seconds: number, ask: () => void): void {
    this.cancel()
    if (!this.#stopped) this.#timer = setTimeout(ask, seconds * 1_000)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }

  stop(): void {
    this.cancel()
    this.#stopped = true
  }
}
