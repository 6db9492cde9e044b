"""The page's looks: light and dark as the reader's system is, narrow and wide, and on paper. Nothing is fetched."""

from __future__ import annotations

from services.ops.page.markup import Html

STYLE = Html(
    """
:root { color-scheme: light dark; --small: 13px;
  --ground: #f4f5f7; --paper: #ffffff; --ink: #1b2330; --soft: #616d7e; --line: #e2e6ec; --tint: #f3f6fa;
  --plain: #44506a; --accent: #2c5fd4; --good: #16794c; --bad: #b8352d; --warn: #8a5a00; --talk: #6d43c0;
  --shadow: 0 1px 2px rgb(20 30 50 / 5%), 0 4px 16px rgb(20 30 50 / 5%); }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0e1217; --paper: #171c24; --ink: #e7ebf1; --soft: #97a3b4; --line: #29313d; --tint: #1e252f;
  --plain: #a9b6cb; --accent: #7ea6ff; --good: #5fc795; --bad: #ff8d83; --warn: #e9b65a; --talk: #b79bff;
  --shadow: none; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 40px; display: grid; gap: 18px; }
p, ul, ol, dl, dd, h1, h2, h3, blockquote { margin: 0; padding: 0; }
ul, ol { list-style: none; }
small, .soft { color: var(--soft); font-size: var(--small); }
code { font: var(--small)/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.sprite { position: absolute; }
.icon { width: 16px; height: 16px; fill: none; stroke: currentcolor; stroke-width: 1.8; stroke-linecap: round;
  stroke-linejoin: round; flex: none; vertical-align: -3px; }

.card { background: var(--paper); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow);
  padding: 20px 22px; min-width: 0; }
.card > h2 { font-size: 16px; line-height: 1.3; margin-bottom: 14px; display: flex; gap: 10px;
  align-items: baseline; justify-content: space-between; }
.card > h2 small { font-weight: 400; }
.card h3 { font-size: var(--small); font-weight: 600; color: var(--soft); margin: 16px 0 6px; }
.two, .three, .stack { display: grid; gap: 18px; align-items: start; }
.chip { display: inline-block; border: 1px solid currentcolor; border-radius: 99px; padding: 0 9px; font-size: 12px;
  line-height: 20px; color: var(--plain); }
td .chip { white-space: nowrap; }
.chip.good { color: var(--good); } .chip.bad { color: var(--bad); } .chip.warn { color: var(--warn); }
.chip.soft { color: var(--soft); }

.head { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; padding: 24px; }
.face { width: 68px; height: 68px; border-radius: 50%; background: var(--accent); color: var(--paper); flex: none;
  font-size: 26px; font-weight: 600; display: grid; place-items: center; letter-spacing: .5px; }
.who { flex: 1 1 340px; min-width: 0; }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -.3px; }
.ids { margin-top: 5px; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; color: var(--soft); }
.reach { display: flex; flex-wrap: wrap; gap: 5px 20px; margin-top: 12px; }
.reach li, .channels li { display: flex; gap: 7px; align-items: center; }
.reach .icon, .channels .icon { color: var(--soft); }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 10px; }
.tier { flex: 0 1 330px; display: flex; gap: 14px; align-items: center; background: var(--tint); border-radius: 12px;
  padding: 14px 16px; }
.tier p { color: var(--soft); font-size: var(--small); line-height: 1.4; margin-top: 2px; }
.grade { width: 46px; height: 46px; border-radius: 12px; display: grid; place-items: center; flex: none;
  font-size: 24px; font-weight: 700; color: #fff; }
.grade.a { background: #a87900; } .grade.b { background: #2c5fd4; } .grade.c { background: #2b7f6d; }
.grade.d { background: #6b7686; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); overflow: hidden;
  background: var(--paper); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }
.figures div { border: solid var(--line); border-width: 1px 0 0 1px; margin: -1px 0 0 -1px; padding: 15px 20px;
  display: grid; align-content: start; }
.figures b, .way { white-space: nowrap; }
.figures span { color: var(--soft); font-size: var(--small); }
.figures b { font-size: 20px; letter-spacing: -.2px; line-height: 1.35; }

.chart { display: block; width: 100%; height: auto; }
.chart text { fill: var(--soft); font-size: 11.5px; }
.chart .tick { text-anchor: end; } .chart .month { text-anchor: middle; }
.chart .rule { stroke: var(--line); } .chart .zero { stroke: var(--soft); }
.chart .bought { fill: var(--accent); } .chart .returned { fill: var(--bad); }
.legend { margin-top: 8px; color: var(--soft); font-size: var(--small); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin: 0 6px 0 0; }
.legend span { margin-right: 18px; }
.key.bought { background: var(--accent); } .key.returned { background: var(--bad); }
.areas { display: grid; gap: 11px; }
.areas li { display: grid; grid-template-columns: 1fr auto; gap: 2px 12px; }
.areas .bar { grid-column: 1 / -1; height: 6px; border-radius: 3px; background: var(--tint); overflow: hidden; }
.areas .bar i { display: block; height: 100%; background: var(--accent); border-radius: 3px; }
.number { text-align: right; white-space: nowrap; }

.scroll { overflow: auto; max-height: 520px; margin: 0 -4px; }
table { border-collapse: collapse; width: 100%; overflow-wrap: normal; }
td code { display: inline-block; max-width: 24ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  vertical-align: -4px; }
th { position: sticky; top: 0; background: var(--paper); text-align: left; font-size: 12.5px; font-weight: 600;
  color: var(--soft); padding: 0 10px 7px 4px; }
th.number { text-align: right; }
td { border-top: 1px solid var(--line); padding: 9px 10px 9px 4px; vertical-align: top; }
th:last-child, td:last-child { padding-right: 4px; }
.when { white-space: nowrap; } .back { color: var(--bad); }

.tree ul { margin: 0 0 0 9px; border-left: 2px solid var(--line); }
.tree ul > li { position: relative; padding: 12px 0 0 20px; }
.tree ul > li::before { content: ""; position: absolute; left: 0; top: 22px; width: 13px; height: 2px;
  background: var(--line); }
.tree ul > li:last-child::after { content: ""; position: absolute; left: -2px; top: 24px; bottom: 0; width: 2px;
  background: var(--paper); }
.tree > li + li { margin-top: 14px; }
.record { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; }
.record .icon { color: var(--accent); width: 18px; height: 18px; }
.record .type { font-size: var(--small); color: var(--soft); } .record code { font-size: 14px; }
.why { font-size: var(--small); color: var(--talk); }
.tree .soft { padding-left: 26px; }
.decided { display: grid; gap: 12px; font-size: var(--small); } .decided small { margin-left: 8px; }
.decided ul { padding: 4px 0 0 12px; }
.lines { display: grid; gap: 5px; font-size: var(--small); }
.words, .refused { display: grid; gap: 16px; }
.words + .refused { border-top: 1px solid var(--line); margin-top: 16px; padding-top: 16px; }
.words code, .refused code { background: var(--tint); border-radius: 5px; padding: 1px 5px; }
blockquote { border-left: 3px solid var(--warn); padding: 2px 0 2px 12px; margin: 8px 0 6px; }

dl { display: grid; grid-template-columns: auto 1fr; gap: 3px 14px; }
dt { color: var(--soft); font-size: var(--small); } dd { min-width: 0; }
li > dl { border-top: 1px solid var(--line); padding-top: 6px; }

.channels { display: flex; flex-wrap: wrap; gap: 5px 20px; padding-bottom: 4px; color: var(--soft);
  font-size: var(--small); }
.days h3 { position: relative; margin: 20px 0 8px; font-size: 14px; color: var(--ink); }
.days ol > li { display: grid; grid-template-columns: 44px 34px 1fr; gap: 0 12px; position: relative;
  padding-bottom: 14px; }
.days ol > li:not(:last-child)::before { content: ""; position: absolute; left: 72px; top: 34px; bottom: 0;
  width: 2px; background: var(--line); }
.days ol > li:last-child { padding-bottom: 0; }
.days time { color: var(--soft); font-size: var(--small); padding-top: 6px; text-align: right; }
.dot { width: 34px; height: 34px; border-radius: 50%; display: grid; place-items: center; background: var(--tint);
  color: var(--plain); }
.dot.good { color: var(--good); } .dot.bad { color: var(--bad); } .dot.warn { color: var(--warn); }
.dot.talk { color: var(--talk); }
.days p b { font-weight: 600; } .days .said { max-width: 76ch; }
.way { color: var(--soft); font-size: 12px; margin-left: 10px; white-space: nowrap; }

footer { color: var(--soft); font-size: 12.5px; padding: 4px 6px; }
footer code { font-size: 11px; }

@media (min-width: 860px) {
  .two { grid-template-columns: 1fr 1fr; } .wide-first { grid-template-columns: 1.9fr 1fr; align-items: stretch; }
  .two > :only-child { grid-column: 1 / -1; }
  .three { grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); } }
@media (max-width: 640px) {
  main { padding: 12px 10px 28px; gap: 12px; } .card { padding: 16px; } .areas-of { display: none; }
  .tier { flex: 1 1 100%; } .figures div { padding: 12px 14px; } .figures b { font-size: 17px; }
  .face { width: 52px; height: 52px; font-size: 20px; } h1 { font-size: 23px; }
  .days ol > li { grid-template-columns: 40px 34px 1fr; gap: 0 9px; }
  .days ol > li:not(:last-child)::before { left: 65px; } }
@media print {
  :root { color-scheme: light; --small: 10.5px; --ground: #fff; --paper: #fff; --ink: #000; --soft: #444;
    --line: #ccc; --tint: #f2f2f2; --plain: #333; --accent: #2c5fd4; --good: #16794c; --bad: #b8352d; --warn: #8a5a00;
    --talk: #6d43c0; --shadow: none; }
  body { font-size: 11.5px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; gap: 10px; } .card { padding: 12px 14px; }
  .scroll { max-height: none; } th { position: static; }
  .figures, .areas li, .days ol > li, .words li, .refused li, tr, .chart { break-inside: avoid; }
  h2, h3 { break-after: avoid; } }
"""
)
