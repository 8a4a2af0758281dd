/** A picture of the model's size: RGBA, opaque, row by row. */
export type Pixels = { width: number; height: number; rgba: Uint8ClampedArray }

export type Size = { width: number; height: number; channels: number }

export function blank({ width, height }: Size): Pixels {
  const rgba = new Uint8ClampedArray(width * height * 4)
  for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255
  return { width, height, rgba }
}

export function canvasOf(width: number, height: number): { canvas: HTMLCanvasElement; context: CanvasRenderingContext2D } {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  return { canvas, context: canvas.getContext('2d', { willReadFrequently: true })! }
}

/** Fits a picture of any size: the aspect is kept, what is left over is black. */
export function fitted(source: ImageBitmap, size: Size): Pixels {
  const scale = Math.min(size.width / source.width, size.height / source.height)
  const width = Math.max(1, Math.round(source.width * scale))
  const height = Math.max(1, Math.round(source.height * scale))
  const { context } = canvasOf(size.width, size.height)
  context.fillStyle = '#000'
  context.fillRect(0, 0, size.width, size.height)
  context.imageSmoothingQuality = 'high'
  const left = Math.floor((size.width - width) / 2)
  const top = Math.floor((size.height - height) / 2)
  context.drawImage(source, left, top, width, height)
  return taken(context, size)
}

/** What is on a canvas, in the model's channels. */
export function taken(context: CanvasRenderingContext2D, { width, height, channels }: Size): Pixels {
  const { data } = context.getImageData(0, 0, width, height)
  for (let i = 0; i < data.length; i += 4) {
    if (channels === 1) {
      const grey = Math.round(0.299 * data[i]! + 0.587 * data[i + 1]! + 0.114 * data[i + 2]!)
      data[i] = data[i + 1] = data[i + 2] = grey
    }
    data[i + 3] = 255
  }
  return { width, height, rgba: data }
}

export function put({ width, height, rgba }: Pixels, context: CanvasRenderingContext2D): void {
  context.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0)
}

/** As a data: address of a PNG. What is painted over a picture may be transparent, a picture is not. */
export function address(pixels: Pixels): string {
  const { canvas, context } = canvasOf(pixels.width, pixels.height)
  put(pixels, context)
  return canvas.toDataURL('image/png')
}

/** These very pixels as a PNG in standard base64, for the service and for an address. */
export function base64(pixels: Pixels): string {
  return address(pixels).replace(/^data:[^,]*,/, '')
}

/** A picture from base64. Throws if the browser cannot decode it. */
export async function read(b64: string, size: Size): Promise<Pixels> {
  const bytes = Uint8Array.from(atob(b64), (letter) => letter.charCodeAt(0))
  return fitted(await createImageBitmap(new Blob([bytes])), size)
}

/** The weighted mean of pictures of one size. */
export function mean(pictures: Pixels[], weights: number[]): Pixels {
  const { width, height, rgba } = pictures[0]!
  const total = weights.reduce((sum, each) => sum + each, 0)
  const sum = new Float64Array(rgba.length)
  pictures.forEach((picture, i) => picture.rgba.forEach((value, j) => (sum[j]! += (value * weights[i]!) / total)))
  return { width, height, rgba: Uint8ClampedArray.from(sum) }
}
