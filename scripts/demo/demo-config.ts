/** The demo's configuration: the builtin agent for everything, a command with a proof for JSON, a quarantine. */
export const demoConfig = `# yaml-language-server: $schema=../../config/orchestrator.schema.json
version: 1
watch:
  - path: ./inbox

routing_rules: # highest priority first; the first match wins
  - name: json
    pattern: "**/*.json"
    agent: summarise-json
    priority: 20
    expect: { outputs: [summary.json] } # green means proved: exit code 0 and this file
  - name: archives
    pattern: "**/*.{zip,exe}"
    action: quarantine
    priority: 10
  - name: everything
    pattern: "**"
    agent: inspect

agents:
  inspect: { kind: builtin } # facts about any file, without AI
  summarise-json:
    kind: command
    command: [node, tools/summarise-json.mjs, "\${{ file.path }}"]
    retry: { attempts: 1 } # broken JSON does not mend itself

concurrency_limits: { max_processes: 2 }
daemon: { min_free_disk: 100MiB }
`;
