// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace unmask {

/// The whole style of the HTML report. No url() and no @import: the page loads nothing.
inline constexpr std::string_view kHtmlStyle = R"css(
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5c6370; --paper: #ffffff; --card: #f6f7f9; --line: #d8dbe0;
  --bad: #b3261e; --good: #1e7b34; --open: #8a5a00; --bar: #c3c8d1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a3a9b4; --paper: #16181c; --card: #1f2228;
  --line: #363b44; --bad: #ff8a80; --good: #7ddb92; --open: #f2c265; --bar: #4a505b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem; max-width: 60rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 0; } h3 { font-size: 1rem; margin: 0 0 .25rem; }
h1, h2, td { overflow-wrap: anywhere; }
p { margin: .4rem 0; } ul { margin: .4rem 0; padding-left: 1.25rem; }
a { color: inherit; }
.soft { color: var(--soft); } .num { font-variant-numeric: tabular-nums; white-space: nowrap; }
.report { margin: 2rem 0; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.verdict { display: inline-block; padding: .1rem .6rem; border: 2px solid; border-radius: 1rem; font-weight: 700; }
.manipulated { color: var(--bad); } .no_manipulation_found { color: var(--good); } .inconclusive { color: var(--open); }
.failed { color: var(--soft); }
.face { display: flex; gap: 1rem; margin: 1rem 0; padding-top: 1rem; border-top: 1px solid var(--line); }
.face img { width: 8rem; height: auto; max-height: 10rem; object-fit: contain; align-self: flex-start; border-radius: .25rem; }
.face > div { flex: 1; min-width: 0; }
svg { display: block; width: 100%; overflow: visible; margin: .5rem 0 0; }
svg text { font-size: 11px; fill: var(--soft); }
.presence { fill: var(--bar); opacity: .35; } .segment { fill: var(--bad); opacity: .3; } .best { stroke: var(--ink); stroke-width: 2; }
.dot { fill: var(--soft); } .dot.high { fill: var(--bad); } .dot.unused { opacity: .35; }
.threshold { stroke: var(--soft); stroke-dasharray: 4 3; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; }
td.hash { font-family: ui-monospace, monospace; font-size: .8rem; }
details { margin-top: 1rem; } summary { cursor: pointer; font-weight: 600; }
footer { margin-top: 2rem; font-size: .9rem; color: var(--soft); }
@media (max-width: 36rem) { .face { flex-direction: column; } }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #bbb; --bad: #a00; --good: #063;
  --open: #640; --bar: #bbb; } body { padding: 0; max-width: none; font-size: 11pt; }
  .face, tr { break-inside: avoid; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)css";

}  // namespace unmask
