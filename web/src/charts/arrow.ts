/** A bar whose tip says where it pushes; always the same commands, so that one flows into another. */
export function arrow(from: number, to: number, y: number, height: number, tip = 6): string {
  const length = Math.abs(to - from)
  const direction = to >= from ? 1 : -1
  const shoulder = to - direction * Math.min(tip, length)
  const round = (value: number) => Math.round(value * 100) / 100
  return `M${round(from)} ${round(y)}L${round(shoulder)} ${round(y)}L${round(to)} ${round(y + height / 2)}L${round(shoulder)} ${round(y + height)}L${round(from)} ${round(y + height)}Z`
}
