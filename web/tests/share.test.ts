import assert from 'node:assert/strict'
import test from 'node:test'
import type { Compared, Explained } from '../src/api/wire.ts'
import { curl, python } from '../src/share/code.ts'
import { csv, csvOfComparison } from '../src/share/csv.ts'
import { decode, encode } from '../src/share/fragment.ts'

test('an address says the whole state', () => {
  const said = { model: 'titanic', view: 'Global' as const, plot: 'Compare' as const, output: 'died', compared: ['exact', 'deep'], row: { Age: null, Sex: 'a&b=#%' }, options: { seed: 3 } }
  const { image, message, ...read } = decode(encode(said))
  assert.deepEqual(read, said)
  assert.equal(image, null)
  assert.equal(message, null)
})

test('a picture in an address survives, with and without padding', () => {
  for (const image of ['ab+/', 'ab+/c+/=']) assert.equal(decode(encode({ model: 'm', image })).image, image.replace(/=+$/, ''))
})

test('a damaged address says so, and the rest of it counts', () => {
  for (const bad of ['row={', 'row=[1]', 'view=Nope', 'plot=Nope', 'image=<svg>', 'row={"Age":[1]}', 'row={"Age":1e999}']) {
    const { model, message } = decode(`#model=titanic&${bad}`)
    assert.equal(model, 'titanic')
    assert.ok(message, bad)
  }
  assert.deepEqual(decode('#model=m&compared=a+b+a').compared, ['a', 'b'])
  assert.equal(decode('').message, null)
})

test('the shell and Python get what the service gets', () => {
  const asked = { model: 'm', instances: [{ Name: `O'Hara "x"`, Age: null }], interactions: true }
  assert.ok(curl('http://h', '/explain', asked).includes(`O'\\''Hara \\"x\\"`))
  const code = python('http://h', '/explain', asked)
  assert.ok(code.includes('None') && code.includes('True') && !/\b(null|true)\b/.test(code))
})

test('a table has a line per player and output', () => {
  const answer = {
    feature_names: ['a,b', 'c'],
    explanations: [{ outputs: ['x', 'y'], prediction: [1, 2], base_values: [3, 4], shap_values: [[5, 6], [7, 8]], data: ['q"', 9], proof: { stderr: [[0.1, 0.2], [0.3, 0.4]] } }],
  } as unknown as Explained
  assert.deepEqual(csv(answer).trimEnd().split('\r\n').slice(1), ['"a,b","q""",x,5,0.1,3,1', '"a,b","q""",y,6,0.2,4,2', 'c,9,x,7,0.3,3,1', 'c,9,y,8,0.4,4,2'])
})

const answer = {
  feature_names: ['=a', 'c'],
  explanations: [{ outputs: ['@x'], prediction: [1], base_values: [3], shap_values: [[-5], [7]], data: ['+1', -9], proof: { stderr: null } }],
} as unknown as Explained

test('a table runs nothing, and numbers stay numbers', () => {
  assert.deepEqual(csv(answer).trimEnd().split('\r\n').slice(1), ["'=a,'+1,'@x,-5,,3,1", "c,-9,'@x,7,,3,1"])
})

test('a table of a comparison has a line per method, player and output', () => {
  const compared = { explanations: { exact: answer, deep: answer }, differences: [] } as Compared
  const lines = csvOfComparison(compared).trimEnd().split('\r\n')
  assert.deepEqual(lines[0]!.split(',').slice(0, 3), ['method', 'player', 'data'])
  assert.deepEqual(lines.slice(1).map((line) => line.split(',').slice(0, 2)), [['exact', "'=a"], ['exact', 'c'], ['deep', "'=a"], ['deep', 'c']])
})

test('a long question comes to curl beside the command line, whose arguments are limited', () => {
  const asked = { model: "it's", instances: [{ b64: 'a'.repeat(120_000) }] }
  const lines = curl('http://h', '/explain', asked).split('\n')
  assert.ok(lines[0]!.endsWith("--data-binary @- <<'END'") && lines[0]!.length < 200)
  assert.deepEqual([JSON.parse(lines[1]!), lines[2]], [asked, 'END'])
})
