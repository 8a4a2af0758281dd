import { tick } from 'svelte'

/** Records the time from an input event until its consequence is on the screen, for everyone who wonders how live this is. */
export async function drawn(name: string, start: number): Promise<void> {
  await tick()
  requestAnimationFrame(() =>
    requestAnimationFrame(() => performance.measure(name, { start, end: performance.now() })),
  )
}
