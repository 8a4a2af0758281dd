/** Where the points of one row stand. */

/** Offsets from the row's middle, in the order of `xs`: the nearest free place, tried in the same order every time.

A crowd that does not fit into `half` overlaps at the border. */
export function dodge(xs: number[], radius: number, half: number): number[] {
  const order = xs.map((_, i) => i).sort((a, b) => xs[a]! - xs[b]! || a - b)
  const offsets = new Array<number>(xs.length).fill(0)
  const step = radius * 0.9
  let first = 0
  order.forEach((i, rank) => {
    while (xs[i]! - xs[order[first]!]! >= 2 * radius) first++
    const near = order.slice(first, rank).map((j): [number, number] => [xs[j]!, offsets[j]!])
    offsets[i] = freeOffset(xs[i]!, near, radius, half, step)
  })
  return offsets
}

function freeOffset(x: number, near: [number, number][], radius: number, half: number, step: number): number {
  for (let distance = 0; distance <= half; distance += step) {
    for (const offset of distance ? [distance, -distance] : [0]) {
      if (near.every(([atX, atY]) => (x - atX) ** 2 + (offset - atY) ** 2 >= 4 * radius ** 2)) return offset
    }
  }
  return near.length % 2 ? half : -half
}

/** 0 to 1 by rank among the numbers, so that one rich passenger does not make all others poor; categories by code. */
export function shades(values: (number | string)[], categories: string[] | null): number[] {
  const codes = values.map((value) => (typeof value === 'number' ? value : (categories ?? []).indexOf(value)))
  const distinct = [...new Set(codes)].sort((a, b) => a - b)
  const last = Math.max(1, distinct.length - 1)
  return codes.map((code) => distinct.indexOf(code) / last)
}
