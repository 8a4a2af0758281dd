import assert from 'node:assert/strict'
import test from 'node:test'
import { fullColour, HUES, painted, spread } from '../src/image/heat.ts'

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
