import assert from 'node:assert/strict'
import test from 'node:test'
import { asNumbers } from '../src/api/client.ts'
import type { Explained, ModelDetail } from '../src/api/wire.ts'
import { arrow } from '../src/charts/arrow.ts'
import { dodge, shades } from '../src/charts/beeswarm.ts'
import { domainOf } from '../src/charts/domain.ts'
import { segments } from '../src/charts/force.ts'
import { cut } from '../src/charts/label.ts'
import { digitsFor, percent, plain, signed, tiny, value } from '../src/charts/number.ts'
import { arranged, inOrderOf, inWords, REST, reasonsOf, type Reasons } from '../src/charts/reasons.ts'
import { calledBy, changeOf, sharesOf, verdictOf } from '../src/charts/verdict.ts'
import { steps } from '../src/charts/waterfall.ts'

const values = [0.3, -0.1, 0.05, -0.2]
const reasons: Reasons = {
  output: 'yes',
  base: 0.4,
  prediction: 0.45,
  parts: values.map((value, i) => ({ name: `x${i}`, label: `x${i} = 1`, value, error: null })),
}
const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`)

test('a waterfall begins at the base, has no gaps and ends at the prediction', () => {
  const drawn = steps(reasons.base, arranged(reasons, 'size'))
  assert.equal(drawn[0]!.from, reasons.base)
  drawn.slice(1).forEach((step, i) => assert.equal(step.from, drawn[i]!.to))
  close(drawn.at(-1)!.to, reasons.prediction)
})

test('a force plot meets at the prediction, and both sides together are what lies between it and the base', () => {
  const drawn = segments(reasons.prediction, reasons.parts)
  const left = Math.min(...drawn.map((each) => Math.min(each.from, each.to)))
  const right = Math.max(...drawn.map((each) => Math.max(each.from, each.to)))
  close(reasons.prediction - left, 0.35)
  close(right - reasons.prediction, 0.3)
})

test('too many parts become one row, and nothing is lost', () => {
  const few = arranged(reasons, 'size', 3)
  assert.deepEqual(few.map((part) => part.name), ['x0', 'x3', REST])
  close(few.reduce((sum, part) => sum + part.value, 0), 0.05)
})

test('a ghost follows the order of what is drawn, and is left out where the players differ', () => {
  const order = arranged(reasons, 'size')
  assert.deepEqual(inOrderOf(order, { ...reasons, parts: reasons.parts.toReversed() })!.map((part) => part.name), order.map((part) => part.name))
  assert.equal(inOrderOf(order, { ...reasons, parts: reasons.parts.slice(1) }), null)
})

test('the reasons of an output are its column of the values', () => {
  const answer = {
    players: 'fields',
    feature_names: ['Age'],
    explanations: [{ outputs: ['a', 'b'], prediction: [0.1, 0.9], base_values: [0.5, 0.5], shap_values: [[-0.4, 0.4]], data: [29.699], imputed: ['Age'], proof: { stderr: null } }],
  } as unknown as Explained
  const { base, prediction, parts } = reasonsOf(answer, 'b')!
  assert.deepEqual([base, prediction, parts[0]!.value, parts[0]!.label], [0.5, 0.9, 0.4, 'Age missing'])
  assert.equal(reasonsOf(answer, 'c'), null)
})

test('the points of a row do not cover each other while there is room, and stand at the same places every time', () => {
  const xs = Array.from({ length: 60 }, (_, i) => (i * 37) % 101)
  const ys = dodge(xs, 3, 40)
  for (let i = 0; i < xs.length; i++)
    for (let j = 0; j < i; j++) assert.ok((xs[i]! - xs[j]!) ** 2 + (ys[i]! - ys[j]!) ** 2 >= 36 - 1e-9)
  assert.deepEqual(dodge(xs, 3, 40), ys)
})

test('a crowd stays within its row', () => {
  const ys = dodge(new Array(200).fill(5), 3, 20)
  assert.ok(ys.every((y) => Math.abs(y) <= 20))
})

test('shades go by rank, categories by their order', () => {
  assert.deepEqual(shades([1, 1000, 2], null), [0, 1, 0.5])
  assert.deepEqual(shades(['S', 'C'], ['C', 'Q', 'S']), [1, 0])
})

test('an arrow points where it goes, and no tip is longer than its bar', () => {
  assert.equal(arrow(0, 20, 0, 10), 'M0 0L14 0L20 5L14 10L0 10Z')
  assert.equal(arrow(20, 18, 0, 10), 'M20 0L20 0L18 5L20 10L20 10Z')
})

test('the axis of a probability has whole quarters; small differences are magnified', () => {
  assert.deepEqual(domainOf([0.12, 0.39], true), [0, 0.5])
  const [low, high] = domainOf([0.981, 0.989], true)
  assert.ok(low > 0.97 && high < 1)
})

test('a label that is too long keeps its value, unless the value is what is too long', () => {
  const letters = (text: string) => text.length
  assert.equal(cut('Sex = male', 10, letters), 'Sex = male')
  assert.equal(cut('Neighbourhood = 4', 12, letters), 'Neighbo… = 4')
  assert.equal(cut('N = a very long category', 10, letters), 'N = a ver…')
})

test('numbers have a real minus, no negative zero, and certainty is not rounded up to', () => {
  assert.deepEqual([signed(-0.1234, 3), signed(0.1, 2), signed(-0.0001, 2), plain(-0, 1)], ['−0.123', '+0.10', '0.00', '0.0'])
  assert.deepEqual([plain(-210000.5, 1), plain(9999, 0)], ['−210\u202f000.5', '9999'])
  assert.deepEqual([percent(0.99999), percent(1), percent(0.00001)], ['> 99.9 %', '100.0 %', '< 0.1 %'])
  assert.deepEqual([tiny(-5e-10), tiny(0.0001), tiny(0)], ['−5.0 × 10⁻¹⁰', '1.0 × 10⁻⁴', '0'])
})

test('values of fields are whole numbers in full, and others as far as single precision goes', () => {
  assert.deepEqual([48213, 1_234_567_890, 29.69911764705882, 0.5, -3, 7.25].map(value), ['48213', '1234567890', '29.69912', '0.5', '−3', '7.25'])
})

test('very small numbers are powers of ten, and are told apart', () => {
  const digits = digitsFor(3e-9)
  assert.deepEqual([3.21e-9, -1e-10, 0, 2e-8].map((each) => signed(each, digits)), ['+3.21e−9', '−1.0e−10', '0', '+2.000e−8'])
  assert.equal(plain(5, digits), '5.00000000')
})

test('words say what the chart shows, whatever the size', () => {
  const small = { ...reasons, base: 4e-5, prediction: -5e-5, parts: reasons.parts.map((part) => ({ ...part, value: part.value * 1e-4 })) }
  assert.equal(inWords(small, 2), 'yes is −0.0000500, from 0.0000400 on average. x0 = 1 adds 0.0000300, x3 = 1 takes away 0.0000200.')
  assert.ok(!inWords({ ...reasons, prediction: -1e-9 }).includes('−0'))
})

const model = (names: string[], class_names: string[] | null) => ({ outputs: { names, class_names, default: 'all' } }) as unknown as ModelDetail
const one = (value: number, name: string) => ({ outputs: [name], prediction: [value] })

test('one probability of two classes is said of the likelier class, and a bar stands for each', () => {
  const cats = model(['p'], ['dog', 'cat'])
  assert.deepEqual(verdictOf(cats, one(0.2, 'p'), 'p'), { label: 'dog', number: '80.0 %', value: 0.8 })
  assert.deepEqual(sharesOf(cats, [0.25]).map(({ label, value }) => [label, value]), [['dog', 0.75], ['cat', 0.25]])
  assert.equal(calledBy(cats, 'p'), 'cat')
  assert.equal(changeOf(cats, one(0.4, 'p'), verdictOf(cats, one(0.2, 'p'), 'p')), '+20.0 points')
})

test('a regression has no points, and a change counts by the size of the numbers', () => {
  const price = model(['price'], null)
  const change = (was: number, is: number) => changeOf(price, one(was, 'price'), verdictOf(price, one(is, 'price'), 'price'))
  assert.deepEqual([change(3e-9, 5e-9), change(1e15, 1.5e15) === null, change(1e9, 1e9 + 1), change(2, 2.5)], ['+2.00e−9', false, null, '+0.500'])
  assert.deepEqual(sharesOf(price, [-3]), [{ label: 'price', output: 'price', value: -3 }])
})

test('margins between classes are shown as numbers', () => {
  const margins = { ...model(['margin of 1'], ['0', '1']), outputs: { names: ['margin of 1'], class_names: ['0', '1'], probabilities: false, default: 'all' } }
  assert.equal(asNumbers(margins).outputs.class_names, null)
  const shares = { ...margins, outputs: { ...margins.outputs, probabilities: true } }
  assert.deepEqual(asNumbers(shares).outputs.class_names, ['0', '1'])
})
