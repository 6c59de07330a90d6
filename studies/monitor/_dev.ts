import { casesOf, TRAINERS } from "/work/wt-monitor/studies/monitor/kinds.js";
import { developed, heldOut } from "/work/wt-monitor/studies/monitor/problems.js";
const [only="", seedsText="2", set="dev", show=""] = process.argv.slice(2);
const seeds = Number(seedsText);
const tally: any = {};
const t0=Date.now();
for (const problem of set==="dev"?developed:heldOut) for (const trainer of TRAINERS) for (const full of [true,false]) for (let seed=1; seed<=seeds; seed++) {
  for (const c of casesOf({problem, trainer, full, seed}, only)) for (const [w, r] of Object.entries(c.reports) as any) {
    const key = `${c.kind} | ${w}`;
    const t = (tally[key] ??= {n:0, right:0, wrong:{}});
    t.n++;
    if ((c.expected as any).includes(r.verdict)) t.right++;
    else { const k=`${problem.data} ${trainer} ${full?"full":"mini"}: ${r.verdict}`; t.wrong[k]=(t.wrong[k]??0)+1; if (show && (k.includes(show))) console.log(c.kind, seed, k, r.findings.map((f:any)=>f.message), JSON.stringify(r.loss)); }
  }
}
for (const [k,t] of Object.entries(tally) as any) console.log(k.padEnd(45), t.right, "/", t.n, Object.entries(t.wrong).map(([a,b])=>`${a}×${b}`).join("; "));
console.log((Date.now()-t0)/1000, "s");
