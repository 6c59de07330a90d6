import { MonitorState } from "../../dist/stability/monitor/state.js";
import { casesOf, TRAINERS } from "./kinds.js";
import { developed } from "./problems.js";
const orig = (MonitorState.prototype as any).summary;
(MonitorState.prototype as any).summary = function () { const r = orig.call(this); r.dbg = this.debug(); return r; };
for (const kind of process.argv.slice(2)) for (const problem of developed) for (const trainer of TRAINERS) for (const full of [true,false]) for (const seed of [1,2])
 for (const c of casesOf({problem, trainer, full, seed}, kind)) { const r:any = c.reports["no probe"]; const {seen, layers} = r.dbg; const f=(x:number)=>x?.toPrecision(2);
  console.log(c.kind.slice(0,20).padEnd(20), problem.data.slice(0,8), trainer.padEnd(10), full?"full":"mini", r.verdict.padEnd(20), "κ", f(seen.steepnessFirst), f(seen.steepnessMax), "g", f(seen.gradNormFirst), f(seen.gradNormMedian), f(seen.gradNormMax), "L", f(r.loss.first), f(r.loss.now), "layers", layers.map((l:any)=>f(l.firstGradient)).join(" "), "now", layers.map((l:any)=>f(l.gradient)).join(" ")); }
