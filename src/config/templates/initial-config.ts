/** What `sluice init` writes to `config/orchestrator.yaml`: works as it is, and shows the next three things people want. */
export function initialConfig(): string {
  return `# yaml-language-server: $schema=./orchestrator.schema.json
version: 1

watch:                              # drop files here
  - path: ./inbox
    ignore: ["drafts/**"]           # gitignore syntax; a .sluiceignore file in the folder works too

routing_rules:                      # highest priority first, then this order; the first match wins
  - name: secrets
    pattern: ["**/.env", "**/*.pem", "**/*.key"]
    action: ignore
    priority: 100
  # - name: python
  #   pattern: "**/*.py"
  #   agent: lint                   # or \`agent: review\` and \`prompt: "What is wrong with this file?"\`
  #   priority: 10
  - name: everything
    pattern: "**"
    agent: inspect

agents:
  inspect: { kind: builtin }        # facts and problems of any file: no network, no keys
  # lint:                           # any program; it sees only a small environment
  #   kind: command
  #   command: [ruff, check, "\${{ file.path }}"]
  #   timeout: 2m
  #   limits: { memory: 1GiB }      # also cpu, runtime, output
  #   sandbox: { write: [workspace] } # what it may change besides its own folder; no network unless you allow it
  # review:                         # an agent CLI that is installed and logged in; \`sluice agents detect\` finds them
  #   kind: claude                  # or codex, gemini, opencode, copilot
  #   capabilities: [code_review]
  #   permissions: { mode: read }   # read | edit | all; nothing goes beyond it, unless you set a higher \`ceiling\`
  #   budget: { usd_per_day: 5 }    # 20 unless you say otherwise
  # ocr: { kind: http, url: "http://127.0.0.1:9000/ocr", headers: { Authorization: "Bearer \${env:OCR_TOKEN}" } }

output_settings:
  default_output_dir: ./processed   # results, receipts and index.html
  retention: 30d                    # how long older results are kept
`;
}
