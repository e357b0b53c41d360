/** The look of a run's report: that of the overview, and what pictures and timelines need. */
import { overviewStyle } from '../overview/style.ts';

export const runStyle = `${overviewStyle}
:root { --running: #1f7a68; --waiting: #8a5a00; --waiting-wash: #fbf3e0; --code: #f3f1ea; --edge: #9a9484; --load: #a9c3de; }
@media (prefers-color-scheme: dark) { :root { --running: #5ec4ab; --waiting: #e2b45a; --waiting-wash: #2a2418; --code: #1b1f24; --edge: #6c757f; --load: #35587e; } }
.s-succeeded { --tone: var(--succeeded); } .s-cached { --tone: var(--succeeded); } .s-failed { --tone: var(--failed); } .s-running { --tone: var(--running); } .s-waiting { --tone: var(--waiting); }
.s-skipped, .s-cancelled, .s-pending { --tone: var(--other); }
.crumbs { margin-bottom: 1.1rem; overflow-wrap: anywhere; }
h1 { display: flex; gap: .35rem; align-items: flex-start; overflow-wrap: anywhere; } h1 > span { min-width: 0; } h1 .mark { flex: none; width: 1.6rem; height: 1.6rem; margin-top: .25rem; }
h1 .mark g { transform: translate(.8rem, .8rem) scale(1.6); }
.lead { font-size: 1.1rem; margin-bottom: .35rem; overflow-wrap: anywhere; }
h3 { font-size: .95rem; font-weight: 620; margin: 1rem 0 .5rem; }
.mark { display: inline-block; vertical-align: -.16em; margin-right: .45em; flex: none; overflow: visible; }
.sign-of .solid { fill: var(--tone); } .sign-of .on { stroke: var(--paper); stroke-width: 2; fill: none; stroke-linecap: round; stroke-linejoin: round; }
.sign-of .ring { fill: none; stroke: var(--tone); stroke-width: 1.6; } .sign-of .dashed { stroke-dasharray: 2.6 2.2; } .sign-of .line { fill: none; stroke: var(--tone); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.state-failed, .state-held, .why { color: var(--failed); } .state-waiting { color: var(--waiting); font-weight: 560; } .is-waiting .why { color: var(--waiting); } h1.state-failed, h1.state-waiting { color: var(--ink); font-weight: 620; }
.frame { overflow-x: auto; margin: 0 -6px; padding-bottom: .35rem; } .frame:focus-visible { outline: 2px solid var(--link); outline-offset: 4px; border-radius: 4px; } .frame svg { display: block; } .frame.narrow { display: none; }
.box .card { fill: var(--card); stroke: var(--tone); stroke-width: 1.3; } .box.s-failed .card { fill: var(--failed-wash); stroke-width: 2; } .box.s-waiting .card { fill: var(--waiting-wash); stroke-width: 2; }
.box.s-skipped .card, .box.s-pending .card, .box.s-cancelled .card { stroke-dasharray: 4 3.5; fill: var(--paper); } .box .behind { fill: var(--card); stroke: var(--tone); stroke-width: 1.1; opacity: .6; }
svg .name { font-size: 13px; font-weight: 560; fill: var(--ink); } svg .note { font-size: 11.5px; fill: var(--soft); } .box.s-failed .note { fill: var(--failed); } .box.s-waiting .note { fill: var(--waiting); } .box.s-skipped .name, .box.s-pending .name { fill: var(--soft); }
.edge path, path.edge { fill: none; stroke: var(--edge); stroke-width: 1.4; } .edge.order path, path.edge.order { stroke-dasharray: 2 3.5; stroke-linecap: round; } .edge .head { fill: var(--edge); stroke: none; } .edge.off { opacity: .65; }
.legend .mark { margin-right: 0; align-self: center; } .legend svg { align-self: center; } .picture .legend { margin-top: .7rem; }
rect.bar { fill: var(--tone); } rect.bar.s-cached { fill: url(#hatch); } rect.load { fill: var(--load); } rect.break { fill: var(--line); } .wait { stroke: var(--tone); stroke-width: 2; opacity: .55; } rect.spent { fill: var(--duration); }
.gantt ol, .costs ol { list-style: none; margin: 0; padding: 0; } .gantt li, .axis, .costs li { display: grid; grid-template-columns: minmax(0, 13rem) minmax(0, 1fr) 7rem; gap: 0 1rem; align-items: center; font-size: .875rem; }
.costs li { grid-template-columns: minmax(0, 13rem) minmax(0, 1fr) 11rem; padding: .2rem 0; } .axis svg { grid-column: 2; overflow: visible; } .bars { display: block; } .gantt .bars { overflow: visible; }
.what { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .took { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } .timeline .small { margin-top: .5rem; }
.axis::after { content: ''; } .made { display: block; } .made a { margin-right: .5em; } .latest td { overflow-wrap: anywhere; } .latest .number { overflow-wrap: normal; } .latest td:nth-child(2) .small { font-weight: 400; } .steps td:nth-child(2), .list td:nth-child(2) { white-space: normal; }
pre { font: .8125rem/1.5 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--code); border-radius: 6px; padding: .65rem .85rem; margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 26rem; overflow-y: auto; }
.problems h3 { margin: 0 0 .15rem; font-size: 1rem; overflow-wrap: anywhere; } .problems > li.is-waiting { border-color: var(--waiting); background: var(--waiting-wash); } .problems.mild > li { border-color: var(--hair); background: none; border-top: 0; } .problems pre { background: var(--paper); }
.results details { border-top: 1px solid var(--line); padding: .5rem 0; margin: 0; } .results summary { color: var(--ink); font-size: 1rem; width: auto; } .results summary bdi { font-weight: 560; }
.reviews h3, .reviews summary, .reviews p { overflow-wrap: anywhere; } .reviews details > * { margin-left: 0; } .verdicts td:first-child, .verdicts td:nth-child(2) { width: 11rem; } .verdicts td:nth-child(3) { white-space: normal; max-width: none; overflow: visible; } .verdicts td { vertical-align: top; } .verdicts ul { margin-top: .35rem; } .plain { margin: 0; padding: 0; list-style: none; } .plain li { padding: .4rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; } .plain b { font-weight: 560; } blockquote { margin: .25rem 0 .25rem .1rem; padding-left: .8rem; border-left: 2px solid var(--hair); color: var(--soft); white-space: pre-line; }
.values { margin: 0; } .values > div { display: grid; grid-template-columns: minmax(0, 13rem) minmax(0, 1fr); gap: 0 1rem; padding: .4rem 0; border-top: 1px solid var(--line); } .values dt { color: var(--soft); overflow-wrap: anywhere; } .values dd { margin: 0; overflow-wrap: anywhere; } .values pre { margin: 0; }
.outcome-bar.thin { margin-top: 0; border-radius: 4px; } .outcome-bar.thin + p { margin: .4rem 0 .6rem; } code { overflow-wrap: anywhere; } footer p + p { margin-top: .35rem; }
@media (min-width: 46.01rem) { .steps td:nth-child(2) { min-width: 13rem; } }
@media (max-width: 46rem) { .frame.wide { display: none; } .frame.narrow { display: block; } .frame.narrow svg { margin: 0 auto; }
  .gantt li, .axis, .costs li { grid-template-columns: minmax(0, 1fr) auto; gap: 0 .75rem; padding: .15rem 0; } .gantt li .bars, .costs li svg, .axis svg { grid-column: 1 / -1; grid-row: 2; } .axis svg { grid-row: 1; } .costs li { padding: .3rem 0; }
  .values > div { grid-template-columns: minmax(0, 1fr); } .lead { font-size: 1rem; } .latest tr { gap: 0 .8rem; } .latest td:last-child:not(:first-child) { margin-left: auto; } }
@media print { :root { --running: #1f7a68; --waiting: #7a5000; --waiting-wash: #fff; --code: #f6f6f6; --edge: #777; --load: #a9c3de; --card: #fff; }
  .frame { overflow: visible; } .frame.wide { display: block; } .frame.narrow { display: none; } .frame svg { max-width: 100%; height: auto; } pre { max-height: none; overflow: visible; } .crumbs { display: none; } section.picture { break-inside: avoid; } h2, h3 { break-after: avoid; } .problems > li { border: 1px solid #999; border-left-width: 4px; } }
`;
