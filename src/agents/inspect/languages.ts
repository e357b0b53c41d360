/**
 * Programming languages by extension, file name or `#!` line, each with the grammar that parses it. All grammars come
 * in one package (`@vscode/tree-sitter-wasm`: prebuilt, no compiler needed); a language without one is still named.
 */
export interface Language {
  readonly name: string;
  readonly mime: string;
  /** `tree-sitter-<grammar>.wasm`. */
  readonly grammar?: string;
}

const languages = {
  typescript: { name: 'TypeScript', mime: 'text/x-typescript', grammar: 'typescript' },
  tsx: { name: 'TypeScript (JSX)', mime: 'text/x-typescript', grammar: 'tsx' },
  javascript: { name: 'JavaScript', mime: 'text/javascript', grammar: 'javascript' },
  python: { name: 'Python', mime: 'text/x-python', grammar: 'python' },
  go: { name: 'Go', mime: 'text/x-go', grammar: 'go' },
  rust: { name: 'Rust', mime: 'text/x-rust', grammar: 'rust' },
  java: { name: 'Java', mime: 'text/x-java', grammar: 'java' },
  // The C++ grammar reads C too.
  c: { name: 'C', mime: 'text/x-c', grammar: 'cpp' },
  cpp: { name: 'C++', mime: 'text/x-c++', grammar: 'cpp' },
  csharp: { name: 'C#', mime: 'text/x-csharp', grammar: 'c-sharp' },
  ruby: { name: 'Ruby', mime: 'text/x-ruby', grammar: 'ruby' },
  php: { name: 'PHP', mime: 'text/x-php', grammar: 'php' },
  shell: { name: 'Shell', mime: 'text/x-shellscript', grammar: 'bash' },
  powershell: { name: 'PowerShell', mime: 'text/x-powershell', grammar: 'powershell' },
  css: { name: 'CSS', mime: 'text/css' },
  sql: { name: 'SQL', mime: 'text/x-sql' },
  kotlin: { name: 'Kotlin', mime: 'text/x-kotlin' },
  swift: { name: 'Swift', mime: 'text/x-swift' },
  scala: { name: 'Scala', mime: 'text/x-scala' },
  lua: { name: 'Lua', mime: 'text/x-lua' },
  perl: { name: 'Perl', mime: 'text/x-perl' },
  r: { name: 'R', mime: 'text/x-r' },
  make: { name: 'Makefile', mime: 'text/x-makefile' },
  docker: { name: 'Dockerfile', mime: 'text/x-dockerfile' },
} as const satisfies Record<string, Language>;

type Id = keyof typeof languages;

const byExtension: Readonly<Record<string, Id>> = {
  '.ts': 'typescript',
  '.mts': 'typescript',
  '.cts': 'typescript',
  '.tsx': 'tsx',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.jsx': 'javascript',
  '.py': 'python',
  '.pyi': 'python',
  '.go': 'go',
  '.rs': 'rust',
  '.java': 'java',
  '.c': 'c',
  '.h': 'c',
  '.cc': 'cpp',
  '.cpp': 'cpp',
  '.cxx': 'cpp',
  '.hpp': 'cpp',
  '.hh': 'cpp',
  '.cs': 'csharp',
  '.rb': 'ruby',
  '.php': 'php',
  '.sh': 'shell',
  '.bash': 'shell',
  '.zsh': 'shell',
  '.ps1': 'powershell',
  '.psm1': 'powershell',
  '.css': 'css',
  '.scss': 'css',
  '.sql': 'sql',
  '.kt': 'kotlin',
  '.kts': 'kotlin',
  '.swift': 'swift',
  '.scala': 'scala',
  '.lua': 'lua',
  '.pl': 'perl',
  '.pm': 'perl',
  '.r': 'r',
  '.mk': 'make',
};

const byName: Readonly<Record<string, Id>> = {
  makefile: 'make',
  gnumakefile: 'make',
  dockerfile: 'docker',
  containerfile: 'docker',
  rakefile: 'ruby',
  gemfile: 'ruby',
  '.bashrc': 'shell',
  '.profile': 'shell',
};

const byInterpreter: Readonly<Record<string, Id>> = {
  sh: 'shell',
  bash: 'shell',
  dash: 'shell',
  zsh: 'shell',
  ksh: 'shell',
  node: 'javascript',
  python: 'python',
  ruby: 'ruby',
  perl: 'perl',
  php: 'php',
  lua: 'lua',
  rscript: 'r',
  pwsh: 'powershell',
};

/** @param name The base name, lower case. */
export function languageOf(name: string, extension: string, head: Buffer): Language | undefined {
  const id = own(byExtension, extension) ?? own(byName, name);
  if (id !== undefined) return languages[id];
  if (extension !== '' || head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  // `#!/usr/bin/env -S python3 -u` → python
  const words = head.toString('latin1', 2, 128).split('\n')[0]?.trim().split(/\s+/) ?? [];
  const command = words.find((word, at) => !word.endsWith('/env') && !(at > 0 && word.startsWith('-')));
  const interpreter = command
    ?.split('/')
    .at(-1)
    ?.replace(/[\d.]+$/, '')
    .toLowerCase();
  const found = interpreter === undefined ? undefined : own(byInterpreter, interpreter);
  return found === undefined ? undefined : languages[found];
}

// Names come from outside: `constructor` must not find what every object has.
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
