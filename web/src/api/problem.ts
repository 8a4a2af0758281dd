import type { Flaw } from './wire'

/** The server answered that the request is wrong, or that it cannot answer now. */
export class Problem extends Error {
  readonly status: number
  readonly requestId: string
  readonly flaws: Flaw[]
  readonly retryAfter: number | null

  constructor(status: number, detail: string, requestId: string, flaws: Flaw[], retryAfter: number | null) {
    super(detail)
    this.status = status
    this.requestId = requestId
    this.flaws = flaws
    this.retryAfter = retryAfter
  }

  /** What is wrong, and when it will be right. */
  get words(): string {
    return this.retryAfter === null ? this.message : `${sentence(this.message)} Try again in ${this.retryAfter} s.`
  }

  /** What is wrong at a place, e.g. `/instances/0/Age` or `/method`. */
  at(pointer: string): string | null {
    return this.flaws.find((flaw) => flaw.pointer === pointer)?.detail ?? null
  }

  /** Flaws of no place among `shown`: somebody has to say them. */
  beyond(shown: Set<string>): Flaw[] {
    return this.flaws.filter((flaw) => !shown.has(flaw.pointer))
  }
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

/** No answer at all: the server is gone, or the way to it. */
export class Unreachable extends Error {}

export async function problemOf(response: Response): Promise<Problem | Unreachable> {
  const requestId = response.headers.get('X-Request-ID') ?? ''
  const retry = Number(response.headers.get('Retry-After'))
  const retryAfter = retry > 0 ? retry : null
  // A proxy in front answers so when there is nothing behind it; the service itself may be too late, and says it as a problem.
  if (response.status === 502) return new Unreachable()
  if (response.status === 504 && !response.headers.get('Content-Type')?.includes('problem')) return new Unreachable()
  try {
    const body = await response.json()
    return new Problem(response.status, body.detail ?? body.title, body.instance ?? requestId, body.errors ?? [], retryAfter)
  } catch {
    return new Problem(response.status, `The server answered ${response.status}.`, requestId, [], retryAfter)
  }
}
