import type { Nested } from './wire'

/** The innermost lists (one number per output), with their indices. */
export function* leaves(nested: Nested, place: number[] = []): Generator<{ place: number[]; values: number[] }> {
  const list = nested as Nested[]
  if (typeof list[0] === 'number') yield { place, values: list as number[] }
  else for (const [i, each] of list.entries()) yield* leaves(each, [...place, i])
}

export function at(nested: Nested, place: number[]): Nested {
  return place.reduce<Nested>((inner, i) => (inner as Nested[])[i]!, nested)
}

/** The largest number of one output. */
export function largest(nested: Nested, output: number): number {
  let most = -Infinity
  for (const { values } of leaves(nested)) most = Math.max(most, values[output]!)
  return most
}
