/** Whether a key is asked for: not at all; for the first time; one was given and is tried; the service does not know it; it could not be sent. */
export type Asking = 'no' | 'first' | 'trying' | 'unknown' | 'unreadable'

type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

const NAME = 'shapserve-key'

/** The key that the service wants with each request. The tab keeps it, and nobody but the service is told. */
export class Keyring {
  /** Called whenever there is something else to say. */
  said: (asking: Asking) => void = () => {}
  #key: string | null
  #asking: Asking = 'no'
  #waiting: ((again: boolean) => void)[] = []
  readonly #kept: () => Kept

  constructor(kept: () => Kept = () => sessionStorage) {
    this.#kept = kept
    this.#key = attempt(() => kept().getItem(NAME)) || null
  }

  get key(): string | null {
    return this.#key
  }

  get headers(): Record<string, string> {
    return this.#key === null ? {} : { Authorization: `Bearer ${this.#key}` }
  }

  /** The service answered 401 to what was sent with this key. Resolves to whether another was given, so that it is worth sending again. */
  refused(key: string | null): Promise<boolean> {
    if (key !== this.#key) return Promise.resolve(true)
    if (this.#asking === 'no' || this.#asking === 'trying') this.#say(key === null ? 'first' : 'unknown')
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The service answered something else to what was sent with this key, or nobody did. */
  taken(key: string | null): void {
    if (this.#asking === 'trying' && key === this.#key) this.#say('no')
  }

  /** A header takes no spaces and nothing beyond ASCII. */
  use(text: string): void {
    const key = text.trim()
    if (!/^[!-~]+$/.test(key)) {
      this.#say('unreadable')
      return
    }
    this.#key = key
    attempt(() => this.#kept().setItem(NAME, key))
    this.#say('trying')
    this.#release(true)
  }

  /** None is given: what was refused stays so. */
  close(): void {
    if (this.#asking === 'unknown') {
      this.#key = null
      attempt(() => this.#kept().removeItem(NAME))
    }
    this.#say('no')
    this.#release(false)
  }

  #say(asking: Asking): void {
    this.#asking = asking
    this.said(asking)
  }

  #release(again: boolean): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) each(again)
  }
}

/** Without storage, the key lasts as long as the page. */
function attempt<T>(what: () => T): T | undefined {
  try {
    return what()
  } catch {
    return undefined
  }
}

export const keyring = new Keyring()
