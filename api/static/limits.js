// The limits that were in force over a stretch of time, from the policies of a unit. Pure; times in ms.

/** Bands whose limit is for single readings; that of a mean is drawn where there is no other. */
const LIMITS_OF_READINGS = new Set(["sustained", "cumulative"]);

/**
 * @param {{effectiveAt: number, bands: {name: string, kind: string, side: string, limit: number, severity: string}[]}[]} policies oldest first
 * @returns {{name: string, side: string, limit: number, severity: string, from: number, to: number}[]} pieces of the lines to draw:
 *   one for each band and stretch in which its limit stays the same
 */
export function limitPieces(policies, from, to) {
  const pieces = [];
  policies.forEach((policy, index) => {
    const start = index === 0 ? from : Math.max(from, policy.effectiveAt);
    const end = index + 1 < policies.length ? Math.min(to, policies[index + 1].effectiveAt) : to;
    if (end <= start) return;
    for (const band of drawnBands(policy.bands)) addPiece(pieces, band, start, end);
  });
  return pieces;
}

function drawnBands(bands) {
  const ofReadings = bands.filter((band) => LIMITS_OF_READINGS.has(band.kind));
  return ofReadings.length > 0 ? ofReadings : bands;
}

function addPiece(pieces, { name, side, limit, severity }, from, to) {
  const before = pieces.find((piece) => piece.to === from && piece.name === name && piece.side === side && piece.limit === limit && piece.severity === severity);
  if (before) before.to = to;
  else pieces.push({ name, side, limit, severity, from, to });
}
