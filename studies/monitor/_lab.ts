import { casesOf } from "./kinds.js";
import { developed, heldOut } from "./problems.js";
for (const kind of ["goes well, many","third", "wrong labels, 15", "wrong labels, 30","wrong labels, 50"])
for (const problem of developed) for (const trainer of ["descent","Adam"] as const) for (const full of [true,false]) for (const seed of [3]) 
  for (const c of casesOf({problem, trainer, full, seed}, kind)) { if (c.kind.includes("recurrent")) continue; const l:any = c.reports.probe!.probe!.labels; 
   const f=(x:number)=>x?.toFixed(2);
   const m=l?.means??[]; const at=(q:number)=>m[Math.floor(q*(m.length-1))];
   console.log(c.kind.padEnd(18).slice(0,28), problem.data.padEnd(18), trainer.padEnd(10), full?"full":"mini", l? `left ${f(l.left)} standing ${f(l.standing)} pace ${f(l.pace)} means ${[0,.25,.5,.6,.75,.9,1].map(q=>f(at(q))).join(" ")}`:"-"); }
