// Bundle a script for each kind of page and the style, take the pictures for sharing, and merge the texts of each language: node build.mjs [--out FOLDER]
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const option = process.argv.indexOf("--out");
const out = option > 0 ? resolve(process.argv[option + 1]) : join(here, "..", "exports", "site", "built");

const options = {
  absWorkingDir: here,
  outdir: "built",
  bundle: true,
  minify: true,
  target: ["chrome109", "firefox115", "safari16"],
  legalComments: "none",
  charset: "utf8",
  write: false,
};
const kinds = readdirSync(join(here, "src", "kinds")).sort().map((file) => file.replace(/\.ts$/, ""));
const scripts = Object.fromEntries(kinds.map((kind) => [kind, `src/kinds/${kind}.ts`]));
const results = [
  await build({ ...options, entryPoints: { ...scripts, style: "src/style/index.css" }, format: "esm" }),
  await build({ ...options, entryPoints: { early: "src/early.ts" }, format: "iife" }),
];

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const manifest = {};
for (const file of results.flatMap(({ outputFiles }) => outputFiles)) {
  const [, name, ending] = /([a-z]+)\.(js|css)$/.exec(file.path);
  const hash = createHash("sha256").update(file.contents).digest("hex").slice(0, 12);
  const path = `${name}-${hash}.${ending}`;
  writeFileSync(join(out, path), file.contents);
  manifest[`${name}.${ending}`] = path;
}
for (const picture of readdirSync(join(here, "share")).sort()) {
  const contents = readFileSync(join(here, "share", picture));
  const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
  writeFileSync(join(out, `share-${picture.replace(/\.png$/, "")}-${hash}.png`), contents);
}
for (const language of readdirSync(join(here, "texts")).sort()) {
  const folder = join(here, "texts", language);
  const texts = {};
  for (const group of readdirSync(folder).sort()) Object.assign(texts, JSON.parse(readFileSync(join(folder, group), "utf8")));
  const sorted = Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(out, `texts.${language}.json`), `${JSON.stringify(sorted)}\n`);
}
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
