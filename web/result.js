// SPDX-License-Identifier: Apache-2.0
// Shows a finished analysis. Everything from the server becomes text or attributes, never markup.

/// An element with attributes and children; strings become text.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const percent = (value) => (value === null ? "–" : `${(value * 100).toFixed(1)} %`);

function clock(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - minutes * 60).toFixed(1).padStart(4, "0")}`;
}

/// Where the score lies between the two thresholds; the same in words below it.
function scoreBar(score, thresholds) {
  const bar = el("div", { class: "score", role: "img", "aria-label": scoreSentence(score, thresholds) });
  const zone = (name, from, to) => {
    const part = el("span", { class: `zone ${name}` });
    part.style.left = `${from * 100}%`;
    part.style.width = `${(to - from) * 100}%`;
    bar.append(part);
  };
  zone("clear", 0, thresholds.clear);
  zone("between", thresholds.clear, thresholds.manipulated);
  zone("manipulated", thresholds.manipulated, 1);
  if (score !== null) {
    const mark = el("span", { class: "mark" });
    mark.style.left = `${score * 100}%`;
    bar.append(mark);
  }
  return bar;
}

function scoreSentence(score, thresholds) {
  const rule = `At ${percent(thresholds.manipulated)} or more unmask says “manipulated”` +
    (thresholds.fpr_at_manipulated ? ` (about ${percent(thresholds.fpr_at_manipulated)} of unaltered faces get there, too)` : "") +
    `, below ${percent(thresholds.clear)} “no manipulation found”.`;
  return score === null ? `There is no score. ${rule}` : `The score is ${percent(score)}. ${rule}`;
}

function reasonList(reasons, words, title) {
  if (!reasons.length) return null;
  const list = el("ul", { class: "reasons" });
  for (const reason of reasons) {
    const word = words.reasons[reason] || { title: reason, meaning: "" };
    list.append(el("li", {}, el("strong", {}, word.title), word.meaning ? `: ${word.meaning}` : ""));
  }
  return el("div", {}, el("h3", {}, title), list);
}

function timeline(track, duration, seek) {
  const line = el("div", { class: "timeline", "aria-hidden": "true" });
  const place = (element, start, end) => {
    element.style.left = `${(Math.max(0, start) / duration) * 100}%`;
    element.style.width = `max(4px, ${((Math.min(end, duration) - start) / duration) * 100}%)`;
    line.append(element);
  };
  place(el("span", { class: "seen" }), track.start, track.end);
  for (const segment of track.segments) {
    const part = el("span", { class: "hit", title: `${clock(segment.start)} to ${clock(segment.end)}` });
    if (seek) part.addEventListener("click", () => seek(segment.peak_time));
    place(part, segment.start, segment.end);
  }
  return el("div", { class: "timed" }, line,
    el("div", { class: "ends small", "aria-hidden": "true" }, el("span", {}, "0"), el("span", {}, clock(duration))));
}

function segmentList(track, seek) {
  if (!track.segments.length) return null;
  const list = el("ul", { class: "segments" });
  for (const segment of track.segments) {
    const text = `${clock(segment.start)} to ${clock(segment.end)}, most at ${clock(segment.peak_time)} (${percent(segment.peak_score)})`;
    let item = text;
    if (seek) {
      item = el("button", { type: "button", class: "link" }, text);
      item.addEventListener("click", () => seek(segment.peak_time));
    }
    list.append(el("li", {}, item));
  }
  return el("div", {}, el("h4", {}, "Looks manipulated from"), list);
}

/** Switches a face's picture between the plain view and the one that is tinted where traces are. */
function heatButton(picture) {
  const plain = picture.src;
  const button = el("button", { type: "button", class: "link", "aria-pressed": "false" }, "Show where");
  button.addEventListener("click", () => {
    const tinted = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(tinted));
    picture.src = tinted ? plain.replace(/best\.jpg$/, "heatmap.png") : plain;
  });
  return button;
}

function trackCard(analysis, track, words, seek) {
  const { report } = analysis;
  const word = words.verdicts[track.verdict];
  const duration = report.media.duration;
  const picture = el("img", {
    src: `/v1/analyses/${encodeURIComponent(analysis.id)}/tracks/${track.id}/best.jpg`,
    alt: `Face ${track.id}, the most telling view${duration ? ` at ${clock(track.best.time)}` : ""}`,
    width: 160, loading: "lazy",
  });
  const heat = track.best.heat && track.verdict !== "no_manipulation_found" ? heatButton(picture) : null;
  const facts = duration
    ? `Seen from ${clock(track.start)} to ${clock(track.end)}, in ${track.faces} analysed frames.`
    : null;
  return el("article", { class: `card track ${track.verdict}`, "aria-labelledby": `track-${track.id}` },
    el("div", { class: "view" }, picture, heat),
    el("div", {},
      el("h3", { id: `track-${track.id}` }, `Face ${track.id}: ${word.title}`),
      el("p", {}, `Score ${percent(track.score)}.`, facts ? ` ${facts}` : ""),
      track.members
        ? el("p", {}, `Each model alone: ${track.members.map((m) => `${m.model} ${percent(m.score)}`).join(", ")}.`)
        : null,
      scoreBar(track.score, report.thresholds),
      reasonList(track.reasons, words, "Why"),
      duration ? timeline(track, duration, seek) : null,
      segmentList(track, seek)));
}

function facts(report) {
  const { media, sampling, model, software } = report;
  const rows = [
    ["File", `${media.name}, ${media.container} ${media.codec}, ${media.width} × ${media.height}` +
      (media.duration ? `, ${clock(media.duration)}` : "")],
    ["SHA-256", media.sha256],
    ["Looked at", `${sampling.frames_analysed} of ${sampling.frames_decoded} decoded frames, ${sampling.faces_found} faces found` +
      (sampling.decode_errors ? `, ${sampling.decode_errors} decoding errors` : "")],
    ["Model", `${model.name} ${model.version}${model.label ? ` (${model.label})` : ""}${model.calibrated ? ", calibrated" : ", not calibrated"}`],
    ["Software", `unmask ${software.unmask}, libavcodec ${software.libavcodec}, OpenVINO ${software.openvino}`],
  ];
  for (const member of model.members ?? [])
    rows.push(["Member", `${member.name} ${member.version}${member.calibrated ? "" : ", not calibrated"}`]);
  const list = el("dl", {});
  for (const [name, value] of rows) list.append(el("dt", {}, name), el("dd", {}, value));
  return list;
}

/// The chosen file, shown from memory; gives also a function that goes to a time in it.
function preview(file, media) {
  if (!file) return { element: null, seek: null };
  const url = URL.createObjectURL(file);
  if (media.kind === "image") return { element: el("img", { class: "preview", src: url, alt: `The picture ${media.name}` }), seek: null };
  const video = el("video", { class: "preview", src: url, controls: "", preload: "metadata", "aria-label": `The video ${media.name}` });
  video.addEventListener("error", () => { video.hidden = true; }); // a codec that this browser does not play
  return { element: video, seek: (time) => { video.currentTime = time; video.scrollIntoView({ block: "center" }); video.focus(); } };
}

/// Fills `target` with the result. `words` is /words.json, `file` may be null.
export function renderResult(target, analysis, { words, file }) {
  const { report } = analysis;
  const word = words.verdicts[report.verdict];
  const base = `/v1/analyses/${encodeURIComponent(analysis.id)}`;
  for (const old of target.querySelectorAll(".preview")) URL.revokeObjectURL(old.src);
  const { element, seek } = preview(file, report.media);

  const summary = el("div", { class: `card verdict ${report.verdict}` },
    el("h2", { id: "verdict", tabindex: "-1" }, word.title),
    el("p", { class: "name" }, report.media.name),
    el("p", {}, word.meaning),
    scoreBar(report.score, report.thresholds),
    el("p", { class: "small" }, scoreSentence(report.score, report.thresholds)),
    reasonList(report.reasons, words, report.verdict === "inconclusive" ? "Why there is no verdict" : "Please note"),
    element,
    el("p", { class: "links" },
      el("a", { href: `${base}/report.html`, target: "_blank", rel: "noopener" }, "Report to print or keep"),
      el("a", { href: `${base}?include=faces`, target: "_blank", rel: "noopener" }, "JSON")));

  const tracks = el("div", { class: "tracks" });
  for (const track of report.tracks) tracks.append(trackCard(analysis, track, words, seek));

  const limits = Array.isArray(report.limits) && report.limits.length
    ? el("div", { class: "card" }, el("h2", {}, "What the model cannot see"),
      el("ul", {}, ...report.limits.map((limit) => el("li", {}, String(limit)))))
    : null;
  target.replaceChildren(summary, tracks, ...(limits ? [limits] : []),
    el("details", { class: "card" }, el("summary", {}, "Facts about the file and this analysis"), facts(report)));
}
