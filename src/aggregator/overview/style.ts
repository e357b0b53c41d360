/** The look of the overview: quiet paper, one accent, light and dark, wide, narrow and printed. */
export const overviewStyle = `
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #20252b; --soft: #5a6370; --line: #e4e1d8; --hair: #d3cfc3;
  --link: #23598f; --succeeded: #2b6cb0; --stripe: #bcd3ea; --failed: #b93e0e; --failed-wash: #fdf1ea; --other: #857f72; --duration: #5b7f95; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1b1f24; --ink: #e5e8eb; --soft: #a0a9b4; --line: #2b3138; --hair: #3b434c;
  --link: #8cbcf0; --succeeded: #6aa6e6; --stripe: #2d4a69; --failed: #f0905a; --failed-wash: #2a201a; --other: #8d939b; --duration: #86a9bd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; }
h1 { font-size: 1.75rem; line-height: 1.25; font-weight: 620; letter-spacing: -0.01em; margin: 0 0 .35rem; text-wrap: balance; }
code { font: .92em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
h2 { font-size: 1.05rem; font-weight: 620; margin: 0 0 .75rem; }
p { margin: 0; } a { color: var(--link); text-decoration-color: var(--hair); text-decoration-thickness: 1px; text-underline-offset: .2em; } a:hover { text-decoration-color: currentcolor; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.quiet { color: var(--soft); } .small { font-size: .875rem; font-weight: 400; } bdi { overflow-wrap: anywhere; }
section { margin-top: 2.5rem; }
.outcome-bar { display: block; border-radius: 7px; overflow: hidden; margin-top: 1.5rem; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; margin: .8rem 0 0; padding: 0; }
.legend li { display: flex; align-items: baseline; gap: .4rem; } .legend.small { margin: .3rem 0 .3rem; gap: .2rem 1.1rem; color: var(--soft); }
.swatch { flex: none; border-radius: 3px; align-self: center; }
.fill-succeeded { fill: var(--succeeded); } .fill-cached { fill: url(#hatch); } .fill-failed { fill: var(--failed); } .fill-other { fill: var(--other); } .fill-duration { fill: var(--duration); }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.75rem; margin: 1.75rem 0 0; } .facts dt { color: var(--soft); font-size: .875rem; } .facts dd { margin: 0; font-size: 1.2rem; font-weight: 560; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2.5rem; } .chart svg[role] { display: block; overflow: visible; } .chart p { font-size: .875rem; margin-top: .35rem; }
svg text { fill: var(--soft); font-size: 12px; font-family: inherit; } .grid { stroke: var(--line); } .ground { stroke: var(--hair); }
details { margin-top: .4rem; } summary { cursor: pointer; color: var(--soft); font-size: .875rem; width: fit-content; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th { text-align: left; font-weight: 560; font-size: .875rem; color: var(--soft); } th, td { padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
.latest .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } .latest td:nth-child(n+2) bdi { overflow-wrap: normal; } .latest td:nth-child(2), .latest td:nth-child(3) { white-space: nowrap; } .latest td:nth-child(3) { max-width: 11rem; overflow: hidden; text-overflow: ellipsis; }
.figures { font-size: .875rem; margin-top: .5rem; } .figures td { font-variant-numeric: tabular-nums; } .figures caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.folder { color: var(--soft); } .state-failed, .state-held { color: var(--failed); font-weight: 560; } .sign { display: inline-block; width: 1.15em; }
.problems { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; } .problems > li { border-left: 3px solid var(--failed); background: var(--failed-wash); border-radius: 0 8px 8px 0; padding: .8rem 1.1rem; }
.problems p { overflow-wrap: anywhere; white-space: pre-line; } .problems .name { font-weight: 560; } .problems .name .folder { font-weight: 400; } .problems p + p { margin-top: .2rem; }
details .problems { margin-top: .75rem; }
footer { margin-top: 3rem; padding-top: 1rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .875rem; }
@media (max-width: 46rem) { header { padding-top: 1.5rem; } main, header, footer { padding-left: 1rem; padding-right: 1rem; } h1 { font-size: 1.4rem; } .charts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .latest thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } .latest tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .latest td:empty { display: none; } .latest tbody, .latest caption { display: block; } .latest td { border: 0; padding: 0; font-size: .875rem; } .latest td:first-child { flex: 1 0 100%; font-size: 1rem; } .facts { gap: .75rem 2rem; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; --link: #000; --succeeded: #2b6cb0; --stripe: #bcd3ea; --failed: #b93e0e; --failed-wash: #fff; --other: #857f72; --duration: #5b7f95; }
  svg, .problems > li { print-color-adjust: exact; } section, tr, .problems > li { break-inside: avoid; } section.list { break-inside: auto; } details:not([open]) { display: none; } body { font-size: 11pt; } header { padding-top: 0; } }
`;
