/** The text of the launchd agent (macOS). Pure. launchd knows no readiness and no watchdog: it restarts what exits. */

export interface PlistOptions {
  readonly label: string;
  readonly node: string;
  readonly script: string;
  readonly projectDir: string;
  readonly configFile: string;
  readonly path: string;
  /** Where stdout and stderr go; its folder exists. */
  readonly logFile: string;
}

export function formatPlist({
  label,
  node,
  script,
  projectDir,
  configFile,
  path,
  logFile,
}: PlistOptions): string {
  const programArguments = [node, script, 'start', '--config', configFile];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xml(label)}</string>
  <key>ProgramArguments</key>
  <array>
${programArguments.map((text) => `    <string>${xml(text)}</string>`).join('\n')}
  </array>
  <key>WorkingDirectory</key>
  <string>${xml(projectDir)}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xml(path)}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>90</integer>
  <key>ProcessType</key>
  <string>Background</string>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>${xml(logFile)}</string>
  <key>StandardErrorPath</key>
  <string>${xml(logFile)}</string>
</dict>
</plist>
`;
}

/** The copy for packagers. */
export function plistTemplate(): string {
  return formatPlist({
    label: 'sluice.project',
    node: '/usr/local/bin/node',
    script: '/usr/local/lib/node_modules/sluice/bin/sluice.js',
    projectDir: '/Users/you/project',
    configFile: '/Users/you/project/config/orchestrator.yaml',
    path: '/usr/local/bin:/usr/bin:/bin',
    logFile: '/Users/you/project/.sluice/logs/launchd.log',
  });
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
