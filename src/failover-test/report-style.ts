/** How the HTML report looks. CSS. */
export const REPORT_STYLE = `
:root{color-scheme:light}
body{font:15px/1.5 system-ui,sans-serif;max-width:1160px;margin:2em auto;padding:0 1em;color:#1c2430;overflow-wrap:anywhere}
h1{margin-bottom:.2em} h2{margin-top:2em} h2 span{font-size:.7em;padding:.15em .6em;border-radius:1em;vertical-align:middle}
.verdict{font-size:1.2em;padding:.6em 1em;border-radius:6px}
.passed,.survived{background:#dff3e3;color:#14532d} .recovered{background:#fdf0cf;color:#6b4600}
.failed{background:#fbdedb;color:#8a1c12} .interrupted{background:#e6e8ec}
dl{display:grid;grid-template-columns:8em 1fr;gap:.2em 1em} dt{color:#5c6675} dd{margin:0}
.summary{font-size:1.1em} td,th{overflow-wrap:normal} .wide,.overview{overflow-x:auto} td:first-child{min-width:15em}
th[colspan]{border-left:2em solid transparent;text-align:center} th.number{font-weight:normal;color:#5c6675}
table{border-collapse:collapse;width:100%} th,td{border-bottom:1px solid #dde1e7;padding:.4em .6em;text-align:left;vertical-align:top}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums} small,.skipped td{color:#5c6675}
svg{width:100%;height:auto;font:11px system-ui,sans-serif}
rect.saved{fill:#4a9d63} rect.failed{fill:#d64533} rect.gap{fill:#f6c9c3}
.axis,line.tick{stroke:#8b94a3} .scale{text-anchor:end;fill:#5c6675} text.tick{text-anchor:middle;fill:#5c6675} text.label{fill:#5c6675}
g text{text-anchor:middle} g line{stroke-width:1;stroke-dasharray:3 2}
g.fault line{stroke:#b3271b} g.fault text{fill:#b3271b;font-weight:bold} g.heal line{stroke:#1c7a37} g.heal text{fill:#1c7a37;font-weight:bold}
g.step line{stroke:#a9b1bd} g.step text{fill:#5c6675}
ol{padding-left:2.2em} ol span{display:inline-block;min-width:4.5em;text-align:right;color:#5c6675;margin-right:.6em}
li.fault{color:#b3271b} li.heal{color:#1c7a37}
.checks + details{margin-top:.6em} summary{color:#1c7a37;cursor:pointer}
.checks{list-style:none;padding:0} .checks li{padding-left:1.6em;position:relative}
.checks .ok:before{content:"✓";position:absolute;left:0;color:#1c7a37} .checks .bad:before{content:"✗";position:absolute;left:0;color:#b3271b}
.checks .bad{background:#fbeceb;padding:.4em .6em .4em 1.6em;margin:.3em 0;border-radius:4px;white-space:pre-line}
.legend{color:#5c6675;font-size:.9em} .colours{border-top:1px solid #dde1e7;padding-top:1em;margin-top:2em}
.legend i{display:inline-block;width:.9em;height:.9em;vertical-align:-.1em;margin-left:.6em}
i.saved{background:#4a9d63} i.failed{background:#d64533} i.gap{background:#f6c9c3}
@media(max-width:45em){
dl{grid-template-columns:1fr} dt{margin-top:.4em}
.wide svg{width:720px}
.overview thead{display:none} .overview tr{display:grid;grid-template-columns:9fr 11fr;padding:.6em 0;border-bottom:1px solid #dde1e7}
.overview td{border:0;padding:.1em .3em;text-align:left;white-space:normal;font-size:.85em}
.overview td:nth-child(-n+2),.overview td:last-child{grid-column:1/-1} .overview td:nth-child(2){margin:.2em 0}
.overview td:nth-child(n+3):nth-child(-n+5):not(:last-child){grid-column:1} .overview td:nth-child(n+6):nth-child(-n+8):not(:last-child){grid-column:2}
.overview td:nth-child(3),.overview td:nth-child(6){grid-row:3} .overview td:nth-child(4),.overview td:nth-child(7){grid-row:4}
.overview td:nth-child(5),.overview td:nth-child(8){grid-row:5} .overview td:last-child{grid-row:6}
.overview td[data-what]:before{content:attr(data-what) " ";color:#5c6675}
}
@media print{section{break-inside:avoid}}
`;
