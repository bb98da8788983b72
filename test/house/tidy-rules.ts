import type { House } from "./house.js";

/** A rule of the house that no linter has. */
export interface TidyRule {
  readonly name: string;
  /** A house that breaks this rule, and nothing else about it matters: proof that the rule can fail. */
  readonly counterexample: Readonly<Record<string, string>>;
  /** One line for each breach, beginning with the path of the file. */
  readonly breaches: (house: House) => string[];
}

/** The library's layers: each may import only from those before it. ARCHITECTURE.md tells what each is for. */
const layers: readonly string[] = [
  "core",
  "codec",
  "platform",
  "platform/node",
  "storage",
  "transport",
  "node",
  "machine",
  "linearizability",
  "sim",
  "trial",
  "model",
  "testing",
];

const source = /^packages\/[^/]+\/src\/.*\.ts$/;
const librarySource = /^packages\/balsa\/src\/(.+)\/[^/]+\.ts$/;
const code = /\.(ts|mjs)$/;
const manifest = /(^|\/)package\.json$/;
const prose = /\.md$/;

/** Each with a letter in brackets, so that this file does not break its own rules. */
const unfinished = /\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b/;
const machinePath = /(^|[^\w.])\/(wor[k]|far[m]|roo[t]|hom[e]|User[s])\//;

/** Where operators look up what a member says of its data directory; what says it; and how. */
const storageGuide = "docs/operations/storage.md";
const speaksOfStorage = /^packages\/balsa\/src\/(storage\/|node\/(admission|open-|repair|snapshot))[^/]*\.ts$/;
const logged = /(?:\.log\(\s*"(?:debug|info|warn|error)",|#(?:warn|housekeep)\()\s*"([^"]+)"/g;

export const tidyRules: readonly TidyRule[] = [
  {
    name: "a source file can be held in the head: 500 lines at the most",
    counterexample: { "packages/balsa/src/core/raft.ts": "x;\n".repeat(501) },
    breaches: (house) =>
      over(house, source, (text, path) => {
        const lines = text.split("\n").length - 1;
        return lines > 500 ? [`${path} has ${lines} lines`] : [];
      }),
  },
  {
    name: "a file is named after its concept, in the field's word and in kebab-case (or a paper's section: raft-5.2-…)",
    counterexample: { "packages/balsa/src/core/log-utils.ts": "" },
    breaches: (house) =>
      over(house, code, (_text, path) => {
        const name = path.slice(path.lastIndexOf("/") + 1).replace(/((\.[a-z]+)?\.test|\.config|\.d)?\.(ts|mjs)$/, "");
        const vague = /(^|-)(utils?|helpers?|managers?|types|common|misc|stuff|shared)$/.test(name);
        return vague || !/^[a-z0-9]+(-[a-z0-9]+(\.\d+)*)*$/.test(name) ? [`${path} is not named after a concept`] : [];
      }),
  },
  {
    name: "index.ts is a public face: named exports and nothing else",
    counterexample: { "packages/balsa/src/core/index.ts": 'export * from "./raft.js";\n' },
    breaches: (house) =>
      over(house, /^packages\/[^/]+\/src\/(.*\/)?index\.ts$/, (text, path) => {
        const left = withoutComments(text)
          .replace(/export (type )?\{[^}]*\} from "[^"]+";/g, "")
          .trim();
        return left === "" ? [] : [`${path} holds more than named exports: ${left.split("\n")[0]}`];
      }),
  },
  {
    name: "layers meet at their public faces: no import reaches behind another layer's index.js",
    counterexample: { "packages/balsa/src/node/raft-node.ts": 'import { Raft } from "../core/raft.js";\n' },
    breaches: (house) =>
      over(house, librarySource, (text, path) => {
        const home = layerOf(path);
        return imports(text).flatMap((specifier) => {
          const target = specifier.startsWith(".") ? join(path, specifier) : undefined;
          const layer = target === undefined ? undefined : layerOf(target);
          if (layer === undefined || layer === home || target === `packages/balsa/src/${layer}/index.js`) return [];
          return [`${path} imports ${specifier}, behind the face of ${layer}`];
        });
      }),
  },
  {
    name: "every folder of the library is a known layer that refers only to earlier ones",
    counterexample: {
      "packages/balsa/src/core/tsconfig.json": '{ "references": [{ "path": "../storage" }] }',
      "packages/balsa/src/core/raft.ts": "",
    },
    breaches: (house) => layerBreaches(house),
  },
  {
    name: "the map of the code has every layer",
    counterexample: { "packages/balsa/src/core/raft.ts": "", "ARCHITECTURE.md": "All is one." },
    breaches: (house) =>
      [...new Set([...house.keys()].flatMap((path) => layerOf(path)?.split("/")[0] ?? []))]
        .filter((layer) => !(house.get("ARCHITECTURE.md") ?? "").includes(`${layer}/`))
        .map((layer) => `ARCHITECTURE.md has no ${layer}/`),
  },
  {
    name: "nothing but the package's own face refers to Node's platform",
    counterexample: {
      "packages/balsa/src/storage/tsconfig.json": '{ "references": [{ "path": "../platform/node" }] }',
    },
    breaches: (house) =>
      over(house, /^packages\/balsa\/src\/.+\/tsconfig\.json$/, (text, path) =>
        references(path, text).includes("platform/node") ? [`${path} refers to platform/node`] : [],
      ),
  },
  {
    name: "tests mirror sources: a folder of tests is named after the folder it tests, or what it holds them against",
    counterexample: { "packages/balsa/test/stuff/log.test.ts": "", "packages/balsa/src/core/log.ts": "" },
    breaches: (house) =>
      over(house, /^packages\/[^/]+\/test\/[^/]+\/.*\.test\.ts$/, (_text, path) => {
        const [, name, , folder] = path.split("/");
        const mirrored = [...house.keys()].some((other) => other.startsWith(`packages/${name}/src/${folder}/`));
        return mirrored || folder === "integration" || folder === "conformance" || folder === "golden"
          ? []
          : [`${path} tests no folder of src`];
      }),
  },
  {
    name: "every folder of the library has tests",
    counterexample: { "packages/balsa/src/core/raft.ts": "" },
    breaches: (house) => {
      const folders = new Set([...house.keys()].flatMap((path) => layerOf(path)?.split("/")[0] ?? []));
      return [...folders]
        .filter((folder) => folder !== "testing") // which is tests itself: those of the platform run it
        .map((folder) => `packages/balsa/test/${folder}/`)
        .filter((tests) => ![...house.keys()].some((path) => path.startsWith(tests) && path.endsWith(".test.ts")))
        .map((tests) => `${tests} is missing or empty`);
    },
  },
  {
    name: "a paper test names the section or requirement it checks",
    counterexample: { "packages/balsa/test/core/paper-log.test.ts": 'it("works", () => {});' },
    breaches: (house) =>
      over(house, /^packages\/balsa\/test\/(.*\/)?paper\b.*\.test\.ts$/, (text, path) =>
        [...text.matchAll(/\b(?:it|test)(?:\.\w+(?:\([^)]*\))?)*\(\s*["'`]([^"'`]*)/g)]
          .map(([, title = ""]) => title)
          .filter((title) => !/§\d|^[A-F]\d/.test(title))
          .map((title) => `${path}: "${title}" names no section and no requirement`),
      ),
  },
  {
    name: "nothing is left unfinished in a comment",
    counterexample: { "packages/balsa/src/core/raft.ts": ["// TO", "DO: the rest\n"].join("") },
    breaches: (house) =>
      over(house, code, (text, path) => (unfinished.test(text) ? [`${path}: ${unfinished.exec(text)?.[0]}`] : [])),
  },
  {
    name: "no path of somebody's machine",
    counterexample: { "README.md": ["See /ho", "me/me/balsa.\n"].join("") },
    breaches: (house) =>
      over(house, /^(?!package-lock\.json$)/, (text, path) => {
        const found = machinePath.exec(text)?.[0];
        return found === undefined ? [] : [`${path}: ${found}`];
      }),
  },
  {
    name: "powers are exact: no ** but of two, whose results do not depend on the engine",
    counterexample: { "packages/balsa/src/core/back-off.ts": "export const a: number = 1.5 ** 7;\n" },
    breaches: (house) =>
      over(house, librarySource, (text, path) => {
        const power = /.{0,12}\*\*/.exec(withoutComments(text).replace(/\b2 \*\* \d+/g, ""))?.[0];
        return power === undefined ? [] : [`${path}: ${power}`];
      }),
  },
  {
    name: "every dependency is pinned to one version",
    counterexample: { "packages/server/package.json": '{ "dependencies": { "pino": "^10.0.0" } }' },
    breaches: (house) =>
      over(house, manifest, (text, path) => {
        const { dependencies, devDependencies, optionalDependencies } = JSON.parse(text) as Manifest;
        return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
          .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
          .map(([name, version]) => `${path}: ${name} ${version}`);
      }),
  },
  {
    name: "the library has no dependencies at run time",
    counterexample: { "packages/balsa/package.json": '{ "dependencies": { "pino": "10.0.0" } }' },
    breaches: (house) =>
      over(house, /^packages\/balsa\/package\.json$/, (text, path) => {
        const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(text) as Manifest;
        return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).map(
          (name) => `${path}: ${name}`,
        );
      }),
  },
  {
    name: "every command that the prose names is there",
    counterexample: { "README.md": "Run `npm run nonsense`.", "package.json": '{ "scripts": {} }' },
    breaches: (house) => {
      const { scripts = {} } = JSON.parse(house.get("package.json") ?? "{}") as Manifest;
      return over(house, prose, (text, path) =>
        [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]
          .map(([, run, short]) => run ?? short ?? "")
          .filter((name) => scripts[name] === undefined)
          .map((name) => `${path}: npm run ${name}`),
      );
    },
  },
  {
    name: "every link of the prose to a file leads somewhere",
    counterexample: { "README.md": "See [the design](docs/nowhere.md)." },
    breaches: (house) =>
      over(house, prose, (text, path) =>
        [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
          .map(([, target = ""]) => target.replace(/\/$/, ""))
          .filter((target) => {
            const wanted = join(path, `./${target}`);
            return ![...house.keys()].some((other) => other === wanted || other.startsWith(`${wanted}/`));
          })
          .map((target) => `${path}: ${target}`),
      ),
  },
  {
    name: "every published package carries the licence",
    counterexample: { LICENSE: "Apache", "packages/balsa/package.json": "{}", "packages/balsa/LICENSE": "MIT" },
    breaches: (house) =>
      over(house, /^packages\/[^/]+\/package\.json$/, (_text, path) => {
        const copy = path.replace("package.json", "LICENSE");
        return house.get(copy) === house.get("LICENSE") ? [] : [`${copy} is not the LICENSE of the root`];
      }),
  },
  {
    name: "each message about a data directory is in the operators' guide to storage",
    counterexample: {
      [storageGuide]: "| `the log waits` | it has no room |",
      "packages/balsa/src/storage/segment-writer.ts": 'logger.log("warn", "the log is lost", { file });',
    },
    breaches: (house) =>
      over(house, speaksOfStorage, (text, path) =>
        [...text.matchAll(logged)].flatMap(([, message = ""]) =>
          house.get(storageGuide)?.includes(`\`${message}\``)
            ? []
            : [`${path}: "${message}" is not in ${storageGuide}`],
        ),
      ),
  },
];

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The breaches in all files whose path matches. */
function over(house: House, paths: RegExp, judge: (text: string, path: string) => string[]): string[] {
  return [...house].flatMap(([path, text]) => (paths.test(path) ? judge(text, path) : []));
}

/** The layer that a path of the library lies in; undefined for the package's own face and for other packages. */
function layerOf(path: string): string | undefined {
  const folders = librarySource.exec(path.replace(/\.js$/, ".ts"))?.[1];
  if (folders === undefined) return undefined;
  return layers.toReversed().find((layer) => folders === layer || folders.startsWith(`${layer}/`)) ?? folders;
}

function layerBreaches(house: House): string[] {
  const present = new Set([...house.keys()].map(layerOf).filter((layer) => layer !== undefined));
  const unknown = [...present].filter((layer) => !layers.includes(layer)).map((layer) => `${layer} is no known layer`);
  return [...present].reduce((found, layer) => {
    const path = `packages/balsa/src/${layer}/tsconfig.json`;
    const text = house.get(path);
    if (text === undefined) return [...found, `${path} is missing`];
    const later = references(path, text).filter((other) => layers.indexOf(other) >= layers.indexOf(layer));
    return [...found, ...later.map((other) => `${path} refers to ${other}, which comes later`)];
  }, unknown);
}

/** The layers that a layer's tsconfig.json refers to. */
function references(path: string, text: string): string[] {
  const { references: found = [] } = JSON.parse(text) as { references?: readonly { path: string }[] };
  return found.map((reference) => join(path, reference.path).replace("packages/balsa/src/", ""));
}

/** What a module imports and re-exports from. */
function imports(text: string): string[] {
  return [...withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map(
    ([, specifier = ""]) => specifier,
  );
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}

/** A path relative to a file's folder, as a path from the root. */
function join(file: string, target: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
