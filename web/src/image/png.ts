/** PNG files in the model's channels. A canvas writes four, of which the service would have to drop one and say so. */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10]
const MOST_STORED = 65_535
const GREY = 0
const COLOUR = 2

/** Rows of bytes (height, width * channels), grey or red, green, blue; not compressed, so that every browser writes the same. */
export function png(width: number, height: number, channels: number, bytes: Uint8Array): Uint8Array {
  const line = width * channels
  const rows = new Uint8Array(height * (line + 1))
  for (let y = 0; y < height; y++) rows.set(bytes.subarray(y * line, (y + 1) * line), y * (line + 1) + 1)
  const header = [...big(width), ...big(height), 8, channels === 1 ? GREY : COLOUR, 0, 0, 0]
  return joined([SIGNATURE, chunk('IHDR', header), chunk('IDAT', stored(rows)), chunk('IEND', [])])
}

/** A zlib stream of stored blocks. */
function stored(bytes: Uint8Array): Uint8Array {
  const parts: ArrayLike<number>[] = [[0x78, 0x01]]
  for (let from = 0; from < bytes.length; from += MOST_STORED) {
    const block = bytes.subarray(from, from + MOST_STORED)
    const last = from + MOST_STORED >= bytes.length ? 1 : 0
    const { length } = block
    parts.push([last, length & 255, length >> 8, ~length & 255, (~length >> 8) & 255], block)
  }
  return joined([...parts, big(adler(bytes))])
}

function chunk(type: string, data: ArrayLike<number>): Uint8Array {
  const named = joined([[...type].map((letter) => letter.charCodeAt(0)), data])
  return joined([big(data.length), named, big(crc(named))])
}

function joined(parts: ArrayLike<number>[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function big(number: number): number[] {
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]
}

function adler(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return ((b << 16) | a) >>> 0
}

function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ~sum >>> 0
}
