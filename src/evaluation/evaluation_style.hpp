// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace unmask {

/// What the evaluation's page adds to the style of the report (render/html_style.hpp). Blue and orange of
/// Okabe and Ito (2008), which the colour-blind can tell apart; the classes also differ in shade and dashes.
inline constexpr std::string_view kEvaluationStyle = R"css(
:root { --real: #0072b2; --fake: #c75000; --grid: #e3e6ea; --third: #7a3e9d; }
@media (prefers-color-scheme: dark) { :root { --real: #56b4e9; --fake: #f0a030; --grid: #2b3038; --third: #cf9cf0; } }
body { max-width: 70rem; }
section { margin: 2.5rem 0; }
h2 { border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; padding: 0; margin: 1.5rem 0; list-style: none; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.cards strong { display: block; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
.cards span { display: block; color: var(--soft); font-size: .85rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem; align-items: start; }
figure { margin: 1rem 0; min-width: 0; }
figcaption { font-size: .85rem; color: var(--soft); }
svg.plot { max-width: 40rem; margin: 0; }
.plot text { font-size: 11px; } .plot .across { text-anchor: middle; } .plot .up { text-anchor: end; }
.frame { fill: none; stroke: var(--soft); } .grid { stroke: var(--grid); }
.curve { fill: none; stroke: var(--ink); stroke-width: 1.8; stroke-linejoin: round; }
.curve.chance { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 3; }
.curve.real, .rule.real { stroke: var(--real); } .curve.fake, .rule.fake { stroke: var(--fake); }
.bar.real { fill: var(--real); fill-opacity: .75; } .bar.fake { fill: var(--fake); fill-opacity: .55; }
.bar.count { fill: var(--bar); } .bar.band { fill: var(--real); fill-opacity: .18; }
.mark { fill: var(--ink); } .mark.upper { fill: var(--bad); } .mark.lower { fill: var(--open); } .mark.product { fill: var(--third); }
.mark.outcome { fill: var(--fake); }
.rule { stroke: var(--soft); stroke-dasharray: 5 4; } .rule.upper { stroke: var(--bad); } .rule.lower { stroke: var(--open); }
.range { stroke: var(--ink); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; margin: .3rem 0; font-size: .85rem; }
.legend svg { display: inline-block; width: 24px; height: 14px; margin: 0; vertical-align: -2px; }
.wide { overflow-x: auto; }
td.num, th.num { text-align: right; }
td.says { min-width: 14rem; }
.within { color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding-bottom: .3rem; }
.note { border-left: 4px solid var(--open); padding: .3rem .8rem; background: var(--card); }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0 0 0 1rem; }
@media print { .plots { grid-template-columns: 1fr 1fr; } figure, .cards li { break-inside: avoid; } details:not([open]) { display: none; } }
)css";

}  // namespace unmask
