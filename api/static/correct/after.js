// What a sensor's series at a unit would be after a correction, for the picture of the preview alone: what counts is what the server judges. Pure.

/**
 * @param {object[]} readings as they stand, in order @param {object} order of the API
 * @param {{calibrations: {from: number, celsius: number}[], others: object[], sensor: number}} known calibrations that were applied; `others` readings of the sensor it is swapped with
 * @returns {object[]} readings in order
 */
export function readingsAfter(readings, order, { calibrations, others }) {
  const from = Date.parse(order.from);
  const to = order.to ? Date.parse(order.to) : Infinity;
  const isIn = (reading) => reading.measuredAt >= from && reading.measuredAt < to;
  switch (order.kind) {
    case "flag":
      return readings.map((reading) => (isIn(reading) ? { ...reading, temperature: null, fault: "flagged" } : reading));
    case "delete":
      return readings.filter((reading) => !isIn(reading));
    case "calibration":
      return readings.map((reading) => (isIn(reading) && reading.temperature !== null ? { ...reading, temperature: recalibrated(reading, order.calibration_celsius, calibrations) } : reading));
    case "assignment":
      return readings.filter((reading) => !isIn(reading)).concat(endOfSeries(readings, from));
    case "swap":
      return [...readings.filter((reading) => !isIn(reading)), ...others.filter(isIn)];
    default:
      return readings;
  }
}

function recalibrated(reading, celsius, calibrations) {
  const applied = calibrations.findLast((one) => one.from <= reading.measuredAt)?.celsius ?? 0;
  return (reading.rawTemperature ?? reading.temperature) - applied + celsius;
}

/** A mark from which on nothing is known, where there was anything to lose. */
function endOfSeries(readings, from) {
  return readings.some((reading) => reading.measuredAt >= from) ? [{ measuredAt: from, temperature: null, fault: "moved" }] : [];
}
