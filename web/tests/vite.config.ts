import { readdirSync } from 'node:fs'
import { defineConfig } from 'vite'

const tests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))

// Node's own runner runs what Vite compiles: no second toolchain.
export default defineConfig({
  publicDir: false,
  build: {
    ssr: true,
    outDir: 'node_modules/.tests',
    emptyOutDir: true,
    rolldownOptions: { input: tests.map((name) => `tests/${name}`), output: { entryFileNames: '[name].mjs' } },
  },
})
