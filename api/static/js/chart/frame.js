// @ts-check
// The options of all charts: two grids, one above the other, a shared time axis and the crosshair.

import * as format from "../format.js";

/** @typedef {import("../theme.js").Theme} Theme */

export const INSIDE = "inside";
export const SLIDER = "slider";

/**
 * @param {Theme} theme @param {{begin: number, end: number, step: number, left: number, right: number,
 *   height: number, value: (value: number) => string, isCovered: (value: number) => boolean,
 *   isCut: (time: number) => boolean}} scale
 *   `height` of the canvas; `isCovered`: the newest price covers the label of this value; `isCut`: there is no room for
 *   the label of this time
 */
export function frame(theme, scale) {
  const size = Number(theme.size);
  const text = { color: theme.soft, fontSize: size, fontFamily: theme.font };
  const right = size * 6.6;
  // No room for the label of a time at the end: it would move one grid and not the other.
  const grid = { left: 8, right, outerBoundsMode: "none" };
  // From the bottom: the slider, the times, the volume.
  const foot = size * 4.4;
  const low = Math.round(Math.max(40, 0.17 * scale.height));
  const extent = { min: scale.begin, max: scale.end, axisTick: { show: false } };
  const line = { show: true, lineStyle: { color: theme.line } };
  const value = (/** @type {number} */ gridIndex, /** @type {object} */ own) => ({
    type: "value", gridIndex, position: "right", scale: true,
    axisLine: { show: false }, axisTick: { show: false },
    splitLine: { lineStyle: { color: theme.line, opacity: 0.6 } },
    ...own,
  });
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: theme.font },
    grid: [
      { ...grid, top: size * 1.2, bottom: foot + low + size },
      { ...grid, height: low, bottom: foot },
    ],
    xAxis: [
      {
        // Its labels are below the volume.
        ...extent, type: "time", gridIndex: 0, offset: low + size, axisLine: line,
        axisLabel: { ...text, hideOverlap: true, formatter: (at) => (scale.isCut(at) ? "" : labels(at)) },
        splitLine: { show: true, lineStyle: { color: theme.line, opacity: 0.6 } },
        axisPointer: { label: { formatter: ({ value }) => format.moment(value, scale.step) } },
      },
      {
        // Not a time axis: ECharts extends one that has bars, and the two axes would differ.
        ...extent, type: "value", gridIndex: 1, axisLine: line, axisLabel: { show: false }, splitLine: { show: false },
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
      lineStyle: { color: theme.soft, type: "dashed" },
      crossStyle: { color: theme.soft, type: "dashed" },
      label: { backgroundColor: theme.text, color: theme.panel, fontSize: size, padding: [3, 5] },
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
        showDataShadow: false, borderColor: theme.line, backgroundColor: "transparent",
        fillerColor: theme.raised, moveHandleSize: 0,
        handleStyle: { color: theme.panel, borderColor: theme.soft },
      },
    ],
  };
}

const SECOND = 1000;

/** The label of a time: the day at midnight, else the time, with seconds only if they are not 0. @param {number} value */
function labels(value) {
  const at = new Date(value);
  const isMidnight = at.getHours() + at.getMinutes() + at.getSeconds() === 0;
  if (isMidnight) return format.date(value);
  return format.clock(value).slice(0, value % (60 * SECOND) ? 8 : 5);
}
