import { casesOf } from "./kinds.js";
import { developed, heldOut } from "./problems.js";
for (const kind of ["goes well, many", "wrong labels, 15", "wrong labels, 30","wrong labels, 50"])
for (const problem of developed) for (const trainer of ["descent","Adam"] as const) for (const full of [true,false]) for (const seed of [3]) 
  for (const c of casesOf({problem, trainer, full, seed}, kind)) { if (c.kind.includes("recurrent")) continue; const l:any = c.reports.probe!.probe!.labels; 
   const f=(x:number)=>x?.toFixed(2);
   console.log(c.kind.padEnd(18), problem.data.padEnd(18), trainer.padEnd(10), full?"full":"mini", l? `left ${f(l.left)} risen ${f(l.risenShare)} apart ${f(l.apart)} standing ${f(l.standing)} standNow ${f(l.standingNow)} medNow ${f(l.medianNow)}fall ${f(l.fall)} gapNow ${f(l.gapNow)} hold ${f(l.hold)} meanAbove ${f(l.meanAbove)}`:"-"); }
