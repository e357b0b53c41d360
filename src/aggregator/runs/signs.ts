/** The sign of each state: a shape of its own, so that no colour is needed to tell them apart. 16 × 16, drawn around its middle. */
import { type Html, html } from '../overview/html.ts';
import type { ReportStepState } from './report.ts';

const inner: Readonly<Record<ReportStepState, Html>> = {
  succeeded: html`<circle class="solid" r="8"/><path class="on" d="M-3.6 .2L-1 2.8L3.8 -2.6"/>`,
  cached: html`<circle class="ring" r="7.2"/><path class="line" d="M3.4 -1.6A3.7 3.7 0 1 0 3.6 1.4M3.7 -4.2V-1.4H.9"/>`,
  failed: html`<path class="solid" d="M-3.3 -8H3.3L8 -3.3V3.3L3.3 8H-3.3L-8 3.3V-3.3Z"/><path class="on" d="M-2.9 -2.9L2.9 2.9M2.9 -2.9L-2.9 2.9"/>`,
  running: html`<circle class="ring" r="7.2"/><path class="solid" d="M-2 -3.6L4 0L-2 3.6Z"/>`,
  waiting: html`<rect class="solid" x="-7.5" y="-7.5" width="15" height="15" rx="4"/><path class="on" d="M-2.2 -3.2V3.2M2.2 -3.2V3.2"/>`,
  skipped: html`<circle class="ring dashed" r="7.2"/><path class="line" d="M-3.4 0H3.4"/>`,
  cancelled: html`<rect class="ring" x="-7" y="-7" width="14" height="14" rx="2"/><path class="line" d="M-3 3L3 -3"/>`,
  pending: html`<circle class="ring dashed" r="7.2"/>`,
};

/** Inside another drawing. */
export function signAt(state: ReportStepState, x: number, y: number): Html {
  return html`<g class="sign-of s-${state}" transform="translate(${x} ${y})">${inner[state]}</g>`;
}

/** In a line of text; the state is said beside it. */
export function signOf(state: string): Html {
  const known = (
    state in inner
      ? state
      : state === 'superseded'
        ? 'cancelled'
        : state === 'held'
          ? 'waiting'
          : state === 'queued'
            ? 'pending'
            : 'pending'
  ) as ReportStepState;
  return html`<svg class="mark" width="16" height="16" aria-hidden="true">${signAt(known, 8, 8)}</svg>`;
}
