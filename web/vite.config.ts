import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const service = process.env.SHAPSERVE ?? 'http://127.0.0.1:8000'
const asked = ['/models', '/predict', '/explain', '/compare', '/summary', '/readyz', '/livez', '/openapi.json', '/docs']

export default defineConfig({
  base: '/',
  plugins: [svelte()],
  server: { proxy: Object.fromEntries(asked.map((path) => [path, service])) },
  build: {
    outDir: '../service/static',
    emptyOutDir: true,
    target: 'es2022',
    // Those that know light-dark().
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Inlined assets would be data: addresses, which the page's policy allows for pictures only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/page.js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
      },
    },
  },
})
