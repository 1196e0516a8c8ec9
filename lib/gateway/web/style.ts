// The look of the web view, in light and in dark. Nothing is loaded from elsewhere.
export const STYLE = `
:root{color-scheme:light dark;--bg:#f4f6f9;--card:#fff;--fg:#16202c;--soft:#55636f;--line:#dfe5ec;--accent:#0a5fd3;--accent-fg:#fff;--accent-soft:#e6effc;
--good:#0c6b43;--good-bg:#e0f4ea;--warn:#7f4a00;--warn-bg:#fdf0d9;--bad:#a3171c;--bad-bg:#fde8e8;--calm:#44515e;--calm-bg:#e9eef3;--shadow:0 1px 2px #10203014,0 4px 16px #1020300a;
--b0:#0a5fd310;--b1:#0c6b4312;--b2:#7f4a0012}
@media (prefers-color-scheme:dark){:root{--bg:#0e1318;--card:#161d24;--fg:#e8edf2;--soft:#9dabb8;--line:#2a343e;--accent:#6aaeff;--accent-fg:#06182f;--accent-soft:#16293f;
--good:#66d6a0;--good-bg:#11301f;--warn:#f3bd6a;--warn-bg:#33240c;--bad:#ff9a98;--bad-bg:#3a1718;--calm:#b4c0cb;--calm-bg:#232d37;--shadow:0 1px 2px #0006;
--b0:#6aaeff14;--b1:#66d6a014;--b2:#f3bd6a14}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;-webkit-font-smoothing:antialiased}
.wide{max-width:1180px;margin:0 auto;padding:0 24px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px;top:8px;background:var(--card);color:var(--accent);padding:8px 14px;border-radius:8px;z-index:2}.skip:focus{left:12px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
main p a:not(.button),td a,th a,.lead a{text-decoration:underline;text-underline-offset:2px;text-decoration-thickness:1px}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
main:focus{outline:none}
.top{background:var(--card);border-bottom:1px solid var(--line)}
.top .wide{display:flex;flex-wrap:wrap;align-items:center;gap:4px 28px;min-height:60px}
.brand{display:flex;align-items:center;gap:10px;color:var(--fg);font-weight:650;font-size:17px;letter-spacing:-.01em;padding:10px 0}.brand:hover{text-decoration:none}
nav ul{display:flex;flex-wrap:wrap;gap:2px;margin:0;padding:0;list-style:none}
nav a{display:block;padding:7px 12px;border-radius:8px;color:var(--soft);font-weight:500}nav a:hover{background:var(--calm-bg);color:var(--fg);text-decoration:none}
nav a[aria-current]{background:var(--accent-soft);color:var(--accent)}
main.wide{padding-top:26px;padding-bottom:32px}
h1{font-size:26px;line-height:1.25;letter-spacing:-.02em;font-weight:650;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:16px;font-weight:620;letter-spacing:-.005em;margin:0 0 12px}h3{font-size:15px;margin:18px 0 6px}
.lead{color:var(--soft);margin:0 0 20px;max-width:80ch;overflow-wrap:anywhere}
.grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,205px),1fr));margin:18px 0}
.pair{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr))}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px 20px;box-shadow:var(--shadow);margin:0 0 16px;min-width:0}
.grid>.card,.pair>.card{margin:0}.pair{margin:0 0 16px}h1+.pair,h1+.card{margin-top:18px}
.figures{grid-template-columns:repeat(6,1fr)}@media (max-width:1080px){.figures{grid-template-columns:repeat(3,1fr)}}@media (max-width:640px){.figures{grid-template-columns:repeat(2,1fr);gap:10px}}
.figure{margin:0;padding:16px 18px}.figure dt{color:var(--soft);font-size:13px;font-weight:500}.figure dd{margin:2px 0 0;font-size:25px;line-height:1.2;font-weight:650;letter-spacing:-.025em;font-variant-numeric:tabular-nums}
.figure .hint{font-size:13px;font-weight:400;letter-spacing:0;color:var(--soft);line-height:1.4;margin-top:5px}
.figure.bad{border-color:var(--bad)}.figure.bad dd:first-of-type{color:var(--bad)}
.alarm{border-color:var(--bad);border-left-width:5px}.alarm h2{display:flex;flex-wrap:wrap;gap:10px;align-items:center;margin-bottom:6px}
.alarm p{margin:0 0 8px}
details>summary{cursor:pointer;color:var(--accent);font-weight:500;width:fit-content}
details[open]>summary{margin-bottom:8px}.runbook{border-left:3px solid var(--line);padding-left:16px;color:var(--fg);overflow-wrap:anywhere}
.badge{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12.5px;font-weight:600;line-height:1.6;white-space:nowrap}
.good{color:var(--good);background:var(--good-bg)}.warn{color:var(--warn);background:var(--warn-bg)}.bad.badge,.notice.bad{color:var(--bad);background:var(--bad-bg)}.calm{color:var(--calm);background:var(--calm-bg)}
.notice,.job{padding:11px 16px;border-radius:10px;margin:0 0 18px;font-weight:500;overflow-wrap:anywhere}.job{background:var(--accent-soft);color:var(--accent)}
.scroll{overflow-x:auto;margin:0 -4px;padding:0 4px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:9px 12px;border-bottom:1px solid var(--line);text-align:left;vertical-align:middle}tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-size:13px;font-weight:550;white-space:nowrap}tbody th{font-weight:500;overflow-wrap:anywhere;min-width:9ch}
tbody tr:hover{background:color-mix(in srgb,var(--calm-bg) 45%,transparent)}
.number{text-align:right;white-space:nowrap}.none{color:var(--soft);margin:4px 0}
code,pre,.mono{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}code{background:var(--calm-bg);padding:1px 5px;border-radius:5px}pre{background:var(--calm-bg);padding:12px 14px;border-radius:10px;overflow-x:auto;margin:0 0 12px}pre code{background:none;padding:0}
.meter{display:block;width:100%;min-width:90px;height:6px}.meter .track{fill:var(--calm-bg)}.meter .part{fill:var(--accent)}.meter.hot .part{fill:#d98a1f}.meter.late .part{fill:var(--bad)}
.chart{width:100%;height:auto;display:block}.chart .grid{stroke:var(--line)}.chart .axis{stroke:var(--soft)}.chart text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:var(--soft)}
.chart .line{fill:none;stroke:var(--accent);stroke-width:2.5;stroke-linejoin:round;stroke-linecap:round}.chart .area{fill:var(--accent);opacity:.1}.chart .dot{fill:var(--accent)}
.chart .bar{fill:var(--accent)}.chart .count{fill:var(--fg);font-weight:600}.band0{fill:var(--b0)}.band1{fill:var(--b1)}.band2{fill:var(--b2)}.chart .bandname{font-weight:600}
.map{display:grid;grid-template-columns:repeat(auto-fill,minmax(52px,1fr));gap:5px;list-style:none;margin:0;padding:0}
.cell{display:flex;align-items:center;justify-content:center;height:42px;border-radius:8px;font-size:12.5px;font-weight:600;font-variant-numeric:tabular-nums;border:2px solid transparent}
.cell:hover{text-decoration:none;border-color:var(--fg)}
.warm.f0{background:#e6f0fb;color:#0b2239}.warm.f1{background:#cfe3f8;color:#0b2239}.warm.f2{background:#aed0f3;color:#0b2239}.warm.f3{background:#86b8ea;color:#0b2239}.warm.f4{background:#2f74b5;color:#fff}.warm.f5{background:#1b5792;color:#fff}.warm.f6{background:#0a3967;color:#fff}
.hot.f0{background:#fdf1df;color:#3b2300}.hot.f1{background:#fbe2bb;color:#3b2300}.hot.f2{background:#f8d093;color:#3b2300}.hot.f3{background:#f0b65c;color:#3b2300}.hot.f4{background:#a85f00;color:#fff}.hot.f5{background:#8a4c00;color:#fff}.hot.f6{background:#653700;color:#fff}
.cell.open{border-style:dashed;border-color:var(--soft)}.cell.leaving{background:var(--calm-bg);color:var(--calm);text-decoration:line-through}
.keys{display:flex;flex-wrap:wrap;gap:6px 18px;list-style:none;padding:0;margin:0 0 14px;color:var(--soft);font-size:13px}.keys .cell{display:inline-flex;width:26px;height:18px;border-radius:5px;margin-right:7px;vertical-align:-4px;font-size:0}
.choices{display:flex;flex-wrap:wrap;gap:6px;list-style:none;padding:0;margin:0 0 16px}.choices a{display:block;padding:5px 13px;border-radius:99px;border:1px solid var(--line);background:var(--card);color:var(--fg)}.choices a[aria-current]{background:var(--accent);border-color:var(--accent);color:var(--accent-fg)}.choices a:hover{text-decoration:none;border-color:var(--accent)}
button,.button{font:inherit;font-weight:550;padding:7px 15px;border-radius:9px;border:1px solid var(--line);background:var(--card);color:var(--fg);cursor:pointer;display:inline-block}
button:hover,.button:hover{border-color:var(--accent);color:var(--accent);text-decoration:none}
button.main,.button.main{background:var(--accent);border-color:var(--accent);color:var(--accent-fg)}button.main:hover,.button.main:hover{filter:brightness(1.08);color:var(--accent-fg)}
button.danger{border-color:var(--bad);color:var(--bad)}
form.act{margin:0}form.fields{display:grid;gap:12px;max-width:560px}label{display:grid;gap:4px;font-weight:550}label .hint{font-weight:400;color:var(--soft);font-size:13px}
input[type=text],input[type=password],textarea{font:inherit;font-weight:400;padding:8px 11px;border-radius:9px;border:1px solid #8593a1;background:var(--bg);color:var(--fg);width:100%}textarea{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:13px;min-height:76px}
form.find{display:flex;gap:8px;margin:0 0 16px;flex-wrap:wrap}form.find label{flex:1;min-width:200px;display:block}
.run{border-top:1px solid var(--line);padding:14px 0}.run:first-of-type{border-top:0;padding-top:0}.run:last-of-type{padding-bottom:0}.run h3{margin:0 0 4px;display:flex;gap:9px;align-items:center;flex-wrap:wrap}.run p{margin:0 0 4px;overflow-wrap:anywhere}.soft{color:var(--soft)}
time{white-space:nowrap}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:6px 22px;margin:0}dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
.crumbs{display:flex;flex-wrap:wrap;gap:6px;list-style:none;padding:0;margin:0 0 14px;overflow-wrap:anywhere}.crumbs li+li::before{content:"/";color:var(--soft);margin-right:6px}
.row{display:flex;flex-wrap:wrap;gap:10px;align-items:center}.row.apart{justify-content:space-between;margin-bottom:12px}
.lines{margin:0;padding-left:20px;overflow-wrap:anywhere}.lines li{margin:3px 0}
.secret{font-size:15px;user-select:all;overflow-wrap:anywhere}
footer.wide{display:flex;flex-wrap:wrap;gap:6px 20px;justify-content:space-between;color:var(--soft);font-size:13px;padding-top:14px;padding-bottom:28px}
.beat::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;background:var(--soft);margin-right:7px}.beat.on::before{background:#17a865}
@media (max-width:600px){.wide,main.wide,footer.wide{padding-left:14px;padding-right:14px}.card{padding:15px 14px}th,td{padding:8px 7px}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:9px}}
@media (prefers-reduced-motion:no-preference){a,button{transition:background .12s,border-color .12s,color .12s}}
`;
