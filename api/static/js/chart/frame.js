// @ts-check
// What all charts share: two grids above each other, one time axis, the crosshair.

import * as format from "../format.js";

/** @typedef {import("../theme.js").Look} Look */

export const INSIDE = "inside";
export const SLIDER = "slider";

/**
 * @param {Look} look @param {{begin: number, end: number, step: number, left: number, right: number,
 *   height: number, value: (value: number) => string, isCovered: (value: number) => boolean,
 *   isCut: (time: number) => boolean}} scale
 *   `height` of the canvas; `isCovered`: the newest price stands where this value would; `isCut`: there is no room for
 *   this time
 */
export function frame(look, scale) {
  const size = Number(look.size);
  const text = { color: look.soft, fontSize: size, fontFamily: look.font };
  const right = size * 6.6;
  // No room is made for the label of a time at the end: it would move one pane and not the other.
  const grid = { left: 8, right, outerBoundsMode: "none" };
  // From the bottom: the slider, the times, the volume.
  const foot = size * 4.4;
  const low = Math.round(Math.max(40, 0.17 * scale.height));
  const span = { min: scale.begin, max: scale.end, axisTick: { show: false } };
  const line = { show: true, lineStyle: { color: look.line } };
  const value = (/** @type {number} */ gridIndex, /** @type {object} */ own) => ({
    type: "value", gridIndex, position: "right", scale: true,
    axisLine: { show: false }, axisTick: { show: false },
    splitLine: { lineStyle: { color: look.line, opacity: 0.6 } },
    ...own,
  });
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: look.font },
    grid: [
      { ...grid, top: size * 1.2, bottom: foot + low + size },
      { ...grid, height: low, bottom: foot },
    ],
    xAxis: [
      {
        // Its labels stand below the volume.
        ...span, type: "time", gridIndex: 0, offset: low + size, axisLine: line,
        axisLabel: { ...text, hideOverlap: true, formatter: (at) => (scale.isCut(at) ? "" : labels(at)) },
        splitLine: { show: true, lineStyle: { color: look.line, opacity: 0.6 } },
        axisPointer: { label: { formatter: ({ value }) => format.moment(value, scale.step) } },
      },
      {
        // Not a time axis: ECharts makes room at the ends of one that bars stand on, and the two would differ.
        ...span, type: "value", gridIndex: 1, axisLine: line, axisLabel: { show: false }, splitLine: { show: false },
        axisPointer: { label: { show: false } },
      },
    ],
    yAxis: [
      value(0, {
        axisLabel: { ...text, formatter: (at) => (scale.isCovered(at) ? "" : scale.value(at)), showMinLabel: false },
        axisPointer: { label: { formatter: ({ value: at }) => scale.value(at) } },
      }),
      value(1, {
        scale: false, splitNumber: low < 80 ? 1 : 2, axisLabel: { ...text, formatter: format.big, showMinLabel: false },
        axisPointer: { show: false }, splitLine: { show: false },
      }),
    ],
    tooltip: { trigger: "axis", showContent: false, axisPointer: { type: "cross" } },
    axisPointer: {
      link: [{ xAxisIndex: "all" }],
      lineStyle: { color: look.soft, type: "dashed" },
      crossStyle: { color: look.soft, type: "dashed" },
      label: { backgroundColor: look.text, color: look.panel, fontSize: size, padding: [3, 5] },
    },
    dataZoom: [
      {
        id: INSIDE, type: "inside", xAxisIndex: [0, 1], filterMode: "filter", minValueSpan: 12 * scale.step,
        startValue: scale.left, endValue: scale.right, preventDefaultMouseMove: false, throttle: 30,
      },
      {
        id: SLIDER, type: "slider", xAxisIndex: [0, 1], filterMode: "filter", minValueSpan: 12 * scale.step,
        startValue: scale.left, endValue: scale.right, throttle: 30,
        left: 8, right, bottom: 4, height: size * 1.4, brushSelect: false, showDetail: false,
        showDataShadow: false, borderColor: look.line, backgroundColor: "transparent",
        fillerColor: look.raised, moveHandleSize: 0,
        handleStyle: { color: look.panel, borderColor: look.soft },
      },
    ],
  };
}

const SECOND = 1000;

/** Of a time axis: the day at midnight, otherwise the time, to the second only where it matters. @param {number} value */
function labels(value) {
  const at = new Date(value);
  const isMidnight = at.getHours() + at.getMinutes() + at.getSeconds() === 0;
  if (isMidnight) return format.date(value);
  return format.clock(value).slice(0, value % (60 * SECOND) ? 8 : 5);
}
