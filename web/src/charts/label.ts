import type { Part } from './reasons'

const FONT = "13px system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"

let pen: CanvasRenderingContext2D | null = null

/** Of a label, in pixels. */
export function widthOf(text: string): number {
  pen ??= document.createElement('canvas').getContext('2d')
  if (!pen) return text.length * 7.4
  pen.font = FONT
  return pen.measureText(text).width
}

/** Room for the labels beside a chart: by the names, which stay while their values change. */
export function gutterFor(parts: Part[], width: number): number {
  const longest = Math.max(0, ...parts.map((part) => widthOf(part.name)))
  return Math.min(Math.max(104, longest + 62), 210, Math.max(104, width * 0.34))
}

/** Cut to its room; of `name = value` the value is kept as long as possible. */
export function cut(text: string, room: number, width = widthOf): string {
  if (width(text) <= room) return text
  const at = text.indexOf(' = ')
  const tail = at > 0 && width(text.slice(at)) < room * 0.6 ? text.slice(at) : ''
  let head = tail ? text.slice(0, at) : text
  while (head.length > 1 && width(`${head}…${tail}`) > room) head = head.slice(0, -1)
  return `${head}…${tail}`
}
