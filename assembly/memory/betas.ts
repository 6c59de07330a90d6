import { decays } from "./layout";
import { Beta, Decay, Group } from "./records";

/* Where records of betas are: they go in pairs. */

@inline
function placeInPairs(index: usize, bytes: usize): usize {
  return (index >> 1) * bytes + (index & 1) * sizeof<f64>();
}

@inline
export function betaOf(group: Group, index: usize): Beta {
  return changetype<Beta>(
    changetype<usize>(group) + offsetof<Group>() + placeInPairs(index, offsetof<Beta>()),
  );
}

@inline
export function decayOf(index: usize): Decay {
  return changetype<Decay>(decays + placeInPairs(index, offsetof<Decay>()));
}
