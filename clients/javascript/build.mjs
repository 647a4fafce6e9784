/**
 * Build dist/esm and dist/cjs with the TypeScript compiler.
 *
 * The two folders say by a package.json of their own which kind of modules they hold.
 */

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const KINDS = { esm: ['esnext', 'module'], cjs: ['commonjs', 'commonjs'] }

rmSync(join(root, 'dist'), { recursive: true, force: true })
for (const [folder, [module, type]] of Object.entries(KINDS)) {
  const out = join(root, 'dist', folder)
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'package.json'), JSON.stringify({ type }))
  const options = ['--project', root, '--noEmit', 'false', '--module', module, '--outDir', out]
  execFileSync(process.execPath, [tsc, ...options], { stdio: 'inherit' })
}
copyFileSync(join(root, '..', '..', 'LICENSE'), join(root, 'dist', 'LICENSE'))
