/** Says after every run how many there are, how fast they come and how long the others will take. */
export function progress(total: number, now: () => number = Date.now): (what: string) => void {
  const begin = now();
  let done = 0;
  return (what) => {
    done++;
    const minutes = Math.max(1e-6, (now() - begin) / 60_000);
    const left = ((total - done) * minutes) / done;
    const rate = (done / minutes).toPrecision(2);
    const text = `${done}/${total}, ${rate} a minute, ${duration(left)} left: ${what}`;
    if (process.stderr.isTTY)
      process.stderr.write(`\r${text.slice(0, 110)}\u001b[K${done === total ? "\n" : ""}`);
    // Where nobody looks on, a line now and then.
    else if (done === total || done % Math.ceil(total / 20) === 0) console.error(text);
  };
}

function duration(minutes: number): string {
  if (minutes < 1) return `${Math.ceil(60 * minutes)} s`;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  return `${(minutes / 60).toFixed(1)} h`;
}
