import assert from 'node:assert/strict'
import test from 'node:test'
import { crc32, inflateSync } from 'node:zlib'
import { fullColour, HUES, painted, spread } from '../src/image/heat.ts'
import { png } from '../src/image/png.ts'

test('a PNG holds exactly the bytes that were given', () => {
  for (const [width, height, channels] of [[28, 28, 1], [200, 150, 3]] as const) {
    const bytes = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 7) % 256)
    const file = Buffer.from(png(width, height, channels, bytes))
    assert.equal(file.readUInt32BE(16), width)
    const length = file.readUInt32BE(33)
    const rows = inflateSync(file.subarray(41, 41 + length))
    const line = width * channels
    for (let y = 0; y < height; y++) {
      assert.equal(rows[y * (line + 1)], 0)
      assert.deepEqual([...rows.subarray(y * (line + 1) + 1, (y + 1) * (line + 1))], [...bytes.subarray(y * line, (y + 1) * line)])
    }
    if (crc32) assert.equal(crc32(file.subarray(37, 41 + length)), file.readUInt32BE(41 + length))
  }
})

test('channels add up, patches cover their pixels as the service divides them', () => {
  assert.deepEqual([...spread([[[[1, 10], [2, 20]]]], 'pixels', 1, 1, 1).values], [30])
  const { values } = spread([[[1], [2]], [[3], [4]]], 'patches', 0, 3, 3)
  assert.deepEqual([...values], [1, 1, 2, 1, 1, 2, 3, 3, 4])
})

test('what is for is red, what is against is blue, and the sign can be chosen', () => {
  const heat = { width: 2, height: 1, values: Float64Array.of(2, -1) }
  assert.equal(fullColour([heat]), 1)
  assert.deepEqual([...painted(heat, 2, 'both', HUES.shap).rgba], [255, 0, 81, 255, 0, 139, 251, 128])
  assert.deepEqual([...painted(heat, 2, 'for', HUES.shap).rgba].filter((_, i) => i % 4 === 3), [255, 0])
})
