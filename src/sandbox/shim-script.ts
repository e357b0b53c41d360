/**
 * The small script that stands before a program on PATH and looks at its arguments: some are refused, some wait for a
 * person. POSIX sh, since it must start in a millisecond and run wherever agents do. It is a tripwire, not a wall: a
 * program that brings its own `git`, or speaks the protocol itself, does not pass here.
 */

export interface ShimRule {
  readonly verdict: 'blocked' | 'confirm';
  /** The whole command as it is written in the configuration, the program first. */
  readonly words: readonly string[];
}

/** Names the folder of requests in the environment of an attempt. */
export const approvalsVariable = 'SLUICE_APPROVALS';
/** Lines of commands that were refused; in that folder. */
export const refusedFile = 'refused';

/** Long forms of the letters that matter, so that `rm --recursive --force` is `rm -rf`. */
const longForms: Readonly<Record<string, string>> = { r: 'recursive', f: 'force' };

/**
 * @param program Its name on PATH.
 * @param folder That of the shims.
 */
export function shimScript(program: string, folder: string, rules: readonly ShimRule[]): string {
  const blockedFirst = rules.toSorted((a, b) => a.verdict.localeCompare(b.verdict));
  return `${head(program, folder)}${atOnce(rules)}${looks}${blockedFirst.map(ruleLine).join('')}run "$@"\n`;
}

/** Agents ask git a dozen things before they begin: what has none of the words that matter is not looked at further. */
function atOnce(rules: readonly ShimRule[]): string {
  const firsts = rules.map(({ words: [, ...rest] }) => rest.find((word) => !word.startsWith('-')));
  if (!firsts.every((word) => word !== undefined)) return '';
  const matters = [...new Set(firsts)].map(quote).join(' | ');
  return `matters=\nfor arg do case $arg in ${matters}) matters=1 ;; esac; done\n[ -n "$matters" ] || run "$@"\n\n`;
}

function ruleLine({ verdict, words }: ShimRule): string {
  const [, ...rest] = words;
  const checks = rest.filter((word) => word.startsWith('-')).flatMap(optionChecks);
  const commands = rest.filter((word) => !word.startsWith('-'));
  if (commands.length > 0) checks.unshift(`says ${quote(`${commands.join('\n')}\n`)} "$@"`);
  const act = `${verdict === 'blocked' ? 'refuse' : 'ask'} ${quote(words.join(' '))} "$@"`;
  return checks.length === 0 ? `${act}\n` : `if ${checks.join(' && ')}; then ${act}; fi\n`;
}

function optionChecks(word: string): string[] {
  if (word.startsWith('--')) return [`has '' ${quote(word.slice(2))} "$@"`];
  return [...word.slice(1)].map((letter) => `has ${quote(letter)} ${quote(longForms[letter] ?? '')} "$@"`);
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const head = (program: string, folder: string) => `#!/bin/sh
# Made by Sluice: sandbox.blocked and sandbox.confirm of an agent.
name=${quote(program)}
here=${quote(folder)}

run() {
  if [ -x "$here/real/$name" ]; then exec "$here/real/$name" "$@"; fi
  rest=$PATH:
  while [ -n "$rest" ]; do
    dir=\${rest%%:*}
    rest=\${rest#*:}
    [ "$dir" != "$here" ] || continue
    if [ -f "$dir/$name" ] && [ -x "$dir/$name" ]; then exec "$dir/$name" "$@"; fi
  done
  echo "sh: $name: not found" >&2
  exit 127
}

`;

const looks = `# says WORDS ARGUMENTS: the words follow each other, with nothing but options and their values before them.
says() {
  words=$1
  shift
  value=0
  for arg do
    [ -n "$words" ] || return 0
    want=\${words%%
*}
    if [ "$arg" = "$want" ]; then
      words=\${words#*
}
      value=0
      continue
    fi
    case $arg in
      -*) value=1 ;;
      *) [ $value = 1 ] || return 1
        value=0 ;;
    esac
  done
  [ -z "$words" ]
}

# has LETTER NAME ARGUMENTS: the option is among them, alone, among other letters, or shortened.
has() {
  letters=$1
  [ "$1" != r ] || letters=rR
  long=$2
  shift 2
  for arg do
    case $arg in
      --) return 1 ;;
      --?*)
        given=\${arg#--}
        given=\${given%%=*}
        case $long in "$given"*) [ -z "$long" ] || return 0 ;; esac ;;
      -*) [ -z "$letters" ] || case $arg in *["$letters"]*) return 0 ;; esac ;;
    esac
  done
  return 1
}

refuse() {
  echo "sluice: refused: $1 is blocked for this agent (sandbox.blocked)" >&2
  [ -z "$${approvalsVariable}" ] || echo "$1" 2>/dev/null >>"$${approvalsVariable}/${refusedFile}"
  exit 126
}

ask() {
  label=$1
  shift
  if [ ! -d "$${approvalsVariable}/answers" ]; then
    echo "sluice: refused: $label needs an approval, and nobody can be asked" >&2
    exit 126
  fi
  n=$$
  while [ -e "$${approvalsVariable}/$n.request" ]; do n=\${n}0; done
  printf '%s\\0' "$(($# + 3))" "$PWD" "$label" "$name" "$@" >"$${approvalsVariable}/$n.request" || exit 126
  echo "sluice: waiting for an approval of: $label" >&2
  until [ -s "$${approvalsVariable}/answers/$n" ]; do sleep 0.2 2>/dev/null || sleep 1 || exit 126; done
  read -r answer <"$${approvalsVariable}/answers/$n"
  [ "$answer" = approve ] && return
  echo "sluice: refused: $label was not approved" >&2
  exit 126
}

`;
