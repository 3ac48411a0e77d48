// Says in `data-state` of the body whether the page still loads what it shows: "loading", "ready" or "failed".
// Styles may use it; tests and measurements wait for it.

let open = 0;
let failed = false;
let turn = 0;

/** Count `work` as something that the page waits for. Returns it unchanged. */
export function awaited<T>(work: Promise<T>): Promise<T> {
  open += 1;
  document.body.dataset["state"] = "loading";
  work.then(settle, () => {
    failed = true;
    settle();
  });
  return work;
}

/** Say that what the address asks for does not exist. */
export function refuse(): void {
  failed = true;
  if (open === 0) document.body.dataset["state"] = "failed";
}

function settle(): void {
  open -= 1;
  turn += 1;
  if (open === 0) afterFrames(3, turn);
}

/** Components ask for more after they were drawn, so the end is told only when nothing was asked for within some frames. */
function afterFrames(frames: number, startedAt: number): void {
  if (open > 0 || startedAt !== turn) return;
  if (frames === 0) document.body.dataset["state"] = failed ? "failed" : "ready";
  else requestAnimationFrame(() => setTimeout(() => afterFrames(frames - 1, startedAt)));
}
